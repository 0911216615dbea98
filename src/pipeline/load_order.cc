#include "pipeline/load_order.h"

#include <algorithm>
#include <utility>

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
  const bool copy_is_due = !copies_.empty() && !copied_last_;
  std::optional<StagedBatch> batch;
  while (!copy_is_due && !batch) {
    batch = copies_.empty() ? staged.pop_for(stop, patience) : staged.try_pop(stop);
    if (!batch) {
      break;
    }
    if (batch->kind == BatchKind::Copy) {
      copies_.push_back(*std::exchange(batch, std::nullopt));
    } else if (waits_for_a_join(*batch)) {
      waiting_.push_back(*std::exchange(batch, std::nullopt));
    }
  }
  if (!batch && !copies_.empty()) {
    batch = std::move(copies_.front());
    copies_.pop_front();
  }
  copied_last_ = batch && batch->kind == BatchKind::Copy;
  return batch;
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
