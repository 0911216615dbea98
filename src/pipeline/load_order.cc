#include "pipeline/load_order.h"

#include <algorithm>
#include <utility>

#include "base/retry.h"

namespace re_dms {

std::optional<StagedBatch> LoadOrder::next(BoundedQueue<StagedBatch>& staged,
                                           const std::stop_token& stop,
                                           std::chrono::milliseconds patience) {
  if (!waiting_.empty() && !waits_for_a_join(waiting_.front())) {
    std::optional<StagedBatch> batch = std::move(waiting_.front());
    waiting_.pop_front();
    copied_last_ = false;
    return batch;
  }
  const bool copy_is_next = has_copy() && !copied_last_;
  std::optional<StagedBatch> batch;
  while (!copy_is_next && !batch) {
    const bool has_some = has_copy();
    const std::chrono::milliseconds most = std::min(patience, until_copy(patience));
    batch = has_some ? staged.try_pop(stop) : staged.pop_for(stop, most);
    if (!batch) {
      // It does not wait once it is finished.
      if (!has_some && !copies_.empty() && staged.finished()) {
        wait_for(most, stop);
      }
      break;
    }
    if (batch->kind == BatchKind::Copy) {
      copies_.push_back(*std::exchange(batch, std::nullopt));
    } else if (waits_for_a_join(*batch)) {
      waiting_.push_back(*std::exchange(batch, std::nullopt));
    }
  }
  if (!batch && has_copy()) {
    batch = std::move(copies_.front());
    copies_.pop_front();
  }
  copied_last_ = batch && batch->kind == BatchKind::Copy;
  return batch;
}

void LoadOrder::put_back(StagedBatch batch, SteadyTime due) {
  copies_.push_front(std::move(batch));
  copies_due_ = due;
}

bool LoadOrder::has_copy() const {
  return !copies_.empty() && clock_.steady() >= copies_due_;
}

/// Until a copy may be loaded that waits for that; `otherwise` where none does.
std::chrono::milliseconds LoadOrder::until_copy(std::chrono::milliseconds otherwise) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(copies_due_ - clock_.steady());
  return copies_.empty() || left.count() <= 0 ? otherwise : left;
}

bool LoadOrder::waits_for_a_join(const StagedBatch& batch) const {
  return batch.kind == BatchKind::Stream && batch.span.joins > joins_;
}

std::vector<StagedLayer> take_void(StagedBatch& batch, const TableStates& tables) {
  std::erase_if(batch.tables,
                [&](const TableAt& table) { return !tables.is_current(table.oid, table.attempt); });
  if (batch.kind == BatchKind::CatchUp) {
    std::erase_if(batch.set_aside, [&](const SetAside& table) {
      return std::ranges::find(batch.tables, table.oid, &TableAt::oid) == batch.tables.end();
    });
  }
  if (batch.kind == BatchKind::Copy) {
    std::erase_if(batch.set_aside, [&](const SetAside& table) {
      // Of those that left, what somebody wants again.
      return table.remedy == Remedy::Nothing ? tables.state(table.oid) != TableState::Removed
                                             : !tables.is_current(table.oid, table.attempt);
    });
  }
  std::vector<StagedLayer> left;
  std::erase_if(batch.layers, [&](StagedLayer& layer) {
    const bool is_void = layer.copy && !tables.is_current(layer.table->oid, layer.copy->attempt);
    if (is_void) {
      left.push_back(std::move(layer));
    }
    return is_void;
  });
  return left;
}

}  // namespace re_dms
