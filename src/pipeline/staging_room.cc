#include "pipeline/staging_room.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <type_traits>
#include <utility>

#include "base/failpoint.h"
#include "pipeline/clean_up.h"

namespace re_dms {

namespace {

constexpr std::size_t kQueueItems = 4096;
constexpr std::size_t kNoWeight = 1;

}  // namespace

StagingRoom::StagingRoom(StagingPool& pool, BatchKind kind, std::string name,
                         ProgressMark& progress, BoundedQueue<StagedBatch>& staged)
    : pool_(pool),
      kind_(kind),
      batches_max_(kind == BatchKind::Copy ? kCopyBatchesInAmpleRoom : kStagedBatchesMax),
      names_{pool.names_.system_identifier,
             pool.names_.slot,
             pool.names_.epoch,
             pool.names_.random,
             std::move(name),
             pool.names_.format},
      progress_(progress),
      staged_(staged),
      events_(kQueueItems, kQueueItems),
      taken_(batches_max_, batches_max_) {}

void StagingRoom::send(Event event) {
  events_.push(event, kNoWeight, pool_.stop_);
}

bool StagingRoom::has_free_slot() const {
  const std::size_t taken = taken_.size();
  return begun_ || taken < std::min(kCopyBatchesMax, batches_max_) ||
         (taken < batches_max_ && pool_.store_.free_bytes() >= pool_.limits_.ample_bytes);
}

/// Waits for the open batch's slot unless it has one; false when stopped.
bool StagingRoom::begin_batch() {
  if (!begun_) {
    BatchSlot slot;
    begun_ = taken_.push(slot, kNoWeight, pool_.stop_);
  }
  return begun_;
}

void StagingRoom::end_batch() {
  ++batch_;
  next_layer_ = 0;
  begun_ = false;
  cut_.reset();
}

void StagingRoom::loaded() {
  --pool_.sealed_;
  taken_.try_pop({});
}

void StagingRoom::layer(Layer&& layer) {
  if (!begin_batch()) {
    return;
  }
  ByteBudget::Share share = pool_.budget_.take(layer.memory_bytes(), pool_.stop_);
  auto shared = std::make_shared<const StagingPool::SharedLayer>(
      StagingPool::SharedLayer{std::move(layer), std::move(share), cut_});
  const std::vector<PartRange> parts = plan_parts(shared->layer, pool_.limits_.part_bytes);
  send(LayerPlanned{describe(shared->layer, names_.format), parts.size()});
  for (std::size_t i = 0; i < parts.size(); ++i) {
    StagingPool::PartJob job{this, shared, {batch_, next_layer_, i}, parts[i]};
    pool_.jobs_.push(job, kNoWeight, pool_.stop_);
  }
  ++next_layer_;
}

void StagingRoom::cut_transaction(std::uint32_t xid, Lsn commit_lsn) {
  if (!cut_) {
    cut_ = std::make_shared<CutTransaction>();
    cut_->xid = xid;
    cut_->commit_lsn = commit_lsn;
  }
}

void StagingRoom::seal(const BatchSpan& span, std::vector<SetAside> set_aside) {
  if (!begin_batch()) {
    return;
  }
  BatchSpan numbered = span;
  numbered.number = batch_;
  std::vector<TableAt> tables = tables_;
  for (TableAt& table : tables) {
    table.position = std::max(table.position, span.from);
  }
  ++pool_.sealed_;
  send(Sealed{kind_, numbered, std::move(set_aside), std::move(tables), real_clock().steady()});
  for (TableAt& table : tables_) {
    table.position = std::max(table.position, span.to);
  }
  end_batch();
}

void StagingRoom::join(const std::set<Oid>& tables) {
  std::erase_if(tables_, [&](const TableAt& table) { return !tables.contains(table.oid); });
  if (!begin_batch()) {
    return;
  }
  BatchSpan numbered;
  numbered.number = batch_;
  ++pool_.sealed_;
  send(Sealed{BatchKind::Join, numbered, {}, std::exchange(tables_, {}), real_clock().steady()});
  end_batch();
}

void StagingRoom::drop() {
  if (!begun_) {
    return;
  }
  send(Dropped{});
  end_batch();
}

void StagingRoom::write(const StagingPool::PartJob& job) {
  CutTransaction* const cut = job.layer->cut.get();
  StagedFile file;
  try {
    failpoint("stage-part-before");
    // All of a transaction that is cut has to lie in the stage before any of it is loaded.
    file = write_part(pool_.store_, names_, job.number, job.layer->layer, job.range,
                      cut != nullptr ? Compression::Fast : pool_.store_.compression());
    failpoint("stage-part-after");
  } catch (const StageFull& full) {
    // Another batch in the store leaves it when it is loaded: then there is room again.
    if (cut != nullptr && pool_.sealed_ == 0) {
      refuse(*cut, full);
    }
    throw;
  }
  if (cut != nullptr) {
    cut->staged_bytes += file.stored_bytes;
  }
  if (pool_.notes_.written) {
    pool_.notes_.written(kind_, file);
  }
  send(PartDone{job.number, std::move(file)});
}

void StagingRoom::refuse(const CutTransaction& cut, const StageFull& full) const {
  throw Error(
      ErrorKind::Fatal,
      fmt::format("transaction {} with commit LSN {} does not fit the stage: {} bytes of it "
                  "are staged, and {}",
                  cut.xid, cut.commit_lsn, cut.staged_bytes.load(), full.message()),
      "A transaction is loaded as a whole, so all of it must be staged before any of it can be "
      "removed. Free space on that file system, or move stage.url to a larger one, then restart: "
      "what the journal holds is staged again");
}

void StagingRoom::run_assembler(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (auto event = events_.pop_for(stop, std::chrono::milliseconds(100))) {
      handle(*event);
      finish_front(stop);
    } else if (closed_ && assemblies_.empty() && events_.size() == 0) {
      staged_.close();
      return;
    }
  }
}

StagingRoom::Assembly& StagingRoom::open_assembly() {
  if (assemblies_.empty() || assemblies_.back().sealed || assemblies_.back().dropped) {
    Assembly fresh;
    fresh.batch = next_assembly_++;
    assemblies_.push_back(std::move(fresh));
  }
  return assemblies_.back();
}

void StagingRoom::handle(Event& event) {
  std::visit(
      [this](auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, LayerPlanned>) {
          Assembly& open = open_assembly();
          open.planned += what.parts;
          open.staged.layers.push_back(std::move(what.layer));
          open.staged.layers.back().files.resize(what.parts);
        } else if constexpr (std::is_same_v<What, PartDone>) {
          const auto found =
              std::find_if(assemblies_.begin(), assemblies_.end(),
                           [&](const Assembly& each) { return each.batch == what.number.batch; });
          RE_DMS_CHECK(found != assemblies_.end());
          found->staged.layers[what.number.layer].files[what.number.part] = std::move(what.file);
          ++found->done;
        } else if constexpr (std::is_same_v<What, Sealed>) {
          Assembly& open = open_assembly();
          open.staged.kind = what.kind;
          open.staged.span = what.span;
          open.staged.tables = std::move(what.tables);
          open.staged.set_aside = std::move(what.set_aside);
          open.staged.sealed_at = what.at;
          open.sealed = true;
        } else {
          open_assembly().dropped = true;
        }
      },
      event);
}

/// Several at a time: each is a request that a distant store takes its time for.
void StagingRoom::write_copy_manifests(Assembly& assembly) {
  constexpr std::size_t kAtOnce = 16;
  std::vector<StagedLayer>& layers = assembly.staged.layers;
  std::vector<std::future<void>> writes;
  for (std::size_t i = 0; names_.format.copy_manifests && i < layers.size(); ++i) {
    if (layers[i].files.empty() || !layers[i].manifest_path.empty()) {
      continue;
    }
    writes.push_back(std::async(std::launch::async, [this, i, batch = assembly.batch, &layers] {
      layers[i].manifest_path = write_copy_manifest(pool_.store_, names_, {batch, i, 0}, layers[i]);
    }));
    if (writes.size() == kAtOnce) {
      std::ranges::for_each(writes, &std::future<void>::get);
      writes.clear();
    }
  }
  std::ranges::for_each(writes, &std::future<void>::get);
}

void StagingRoom::finish_front(const std::stop_token& stop) {
  while (!assemblies_.empty()) {
    Assembly& front = assemblies_.front();
    if (front.done < front.planned || (!front.sealed && !front.dropped)) {
      return;
    }
    if (front.dropped) {
      clean_up(fmt::format("the files of dropped batch {}", front.batch),
               [&] { remove_batch(pool_.store_, front.staged); });
      taken_.try_pop({});
    } else {
      const bool written = pool_.retry(stop, [&] {
        if (front.planned > 0) {
          write_copy_manifests(front);
          front.staged.manifest_path = write_manifest(pool_.store_, names_, front.staged);
        }
      });
      if (!written) {
        return;
      }
      front.staged.staged_at = real_clock().steady();
      progress_.advance(front.staged.span.to);
      if (!staged_.push(front.staged, kNoWeight, stop)) {
        return;
      }
    }
    assemblies_.erase(assemblies_.begin());
  }
}

}  // namespace re_dms
