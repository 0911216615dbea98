#include "pipeline/staging_slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <type_traits>
#include <utility>

#include "base/failpoint.h"
#include "pipeline/clean_up.h"

namespace re_dms {

namespace {

constexpr std::size_t kQueueItems = 4096;
constexpr std::size_t kNoWeight = 1;

}  // namespace

StagingSlots::StagingSlots(ObjectStore& store, StageNames names, StagingLimits limits,
                           Progress& progress, BoundedQueue<StagedBatch>& staged,
                           std::stop_token stop, StagingNotes notes)
    : store_(store),
      names_(std::move(names)),
      limits_(limits),
      progress_(progress),
      staged_(staged),
      stop_(std::move(stop)),
      notes_(std::move(notes)),
      budget_(limits.memory_bytes),
      jobs_(kQueueItems, kQueueItems),
      events_(kQueueItems, kQueueItems),
      taken_(kStagedBatchesMax, kStagedBatchesMax) {}

void StagingSlots::send(Event event) {
  events_.push(event, kNoWeight, stop_);
}

/// Waits for the open batch's slot unless it has one; false when stopped.
bool StagingSlots::begin_batch() {
  if (!begun_) {
    BatchSlot slot;
    begun_ = taken_.push(slot, kNoWeight, stop_);
  }
  return begun_;
}

void StagingSlots::end_batch() {
  ++batch_;
  next_layer_ = 0;
  begun_ = false;
  cut_.reset();
}

void StagingSlots::loaded() {
  taken_.try_pop({});
}

void StagingSlots::layer(Layer&& layer) {
  if (!begin_batch()) {
    return;
  }
  ByteBudget::Share share = budget_.take(layer.memory_bytes(), stop_);
  auto shared =
      std::make_shared<const SharedLayer>(SharedLayer{std::move(layer), std::move(share), cut_});
  const std::vector<PartRange> parts = plan_parts(shared->layer, limits_.part_bytes);
  send(LayerPlanned{describe(shared->layer), parts.size()});
  for (std::size_t i = 0; i < parts.size(); ++i) {
    PartJob job{shared, {batch_, next_layer_, i}, parts[i]};
    jobs_.push(job, kNoWeight, stop_);
  }
  ++next_layer_;
}

void StagingSlots::cut_transaction(std::uint32_t xid, Lsn commit_lsn) {
  if (!cut_) {
    cut_ = std::make_shared<CutTransaction>();
    cut_->xid = xid;
    cut_->commit_lsn = commit_lsn;
  }
}

void StagingSlots::seal(const BatchSpan& span, std::vector<SetAside> set_aside) {
  if (!begin_batch()) {
    return;
  }
  BatchSpan numbered = span;
  numbered.number = batch_;
  send(Sealed{numbered, std::move(set_aside)});
  end_batch();
}

void StagingSlots::drop() {
  if (!begun_) {
    return;
  }
  send(Dropped{});
  end_batch();
}

void StagingSlots::close() {
  closed_ = true;
  jobs_.close();
}

void StagingSlots::run_worker(const std::stop_token& stop) {
  while (auto job = jobs_.pop(stop)) {
    if (!retry(stop, [&] { write(*job); })) {
      return;
    }
  }
}

void StagingSlots::write(const PartJob& job) {
  CutTransaction* const cut = job.layer->cut.get();
  StagedFile file;
  try {
    failpoint("stage-part-before");
    file = write_part(store_, names_, job.number, job.layer->layer, job.range);
    failpoint("stage-part-after");
  } catch (const StageFull& full) {
    // Another batch in the store leaves it when it is loaded: then there is room again.
    if (cut != nullptr && taken_.size() <= 1) {
      refuse(*cut, full);
    }
    throw;
  }
  if (cut != nullptr) {
    cut->staged_bytes += file.stored_bytes;
  }
  send(PartDone{job.number, std::move(file)});
}

void StagingSlots::refuse(const CutTransaction& cut, const StageFull& full) const {
  throw Error(
      ErrorKind::Fatal,
      fmt::format("transaction {} with commit LSN {} does not fit the stage: {} bytes of it "
                  "are staged, and {}",
                  cut.xid, cut.commit_lsn, cut.staged_bytes.load(), full.message()),
      "A transaction is loaded as a whole, so all of it must be staged before any of it can be "
      "removed. Free space on that file system, or move stage.url to a larger one, then restart: "
      "what the journal holds is staged again");
}

/// False when it was stopped before the step was done.
bool StagingSlots::retry(const std::stop_token& stop, const std::function<void()>& step) {
  bool failed = false;
  Retry retry(retry_policy(), [&](const Error& error, std::chrono::milliseconds wait) {
    failed = true;
    if (notes_.failed) {
      notes_.failed(error, wait);
    }
  });
  const bool done = retry.run(stop, step);
  if (done && failed && notes_.done) {
    notes_.done();
  }
  return done;
}

void StagingSlots::run_assembler(const std::stop_token& stop) {
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

StagingSlots::Assembly& StagingSlots::open_assembly() {
  if (assemblies_.empty() || assemblies_.back().sealed || assemblies_.back().dropped) {
    Assembly fresh;
    fresh.batch = next_assembly_++;
    assemblies_.push_back(std::move(fresh));
  }
  return assemblies_.back();
}

void StagingSlots::handle(Event& event) {
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
          open.staged.span = what.span;
          open.staged.set_aside = std::move(what.set_aside);
          open.sealed = true;
        } else {
          open_assembly().dropped = true;
        }
      },
      event);
}

void StagingSlots::finish_front(const std::stop_token& stop) {
  while (!assemblies_.empty()) {
    Assembly& front = assemblies_.front();
    if (front.done < front.planned || (!front.sealed && !front.dropped)) {
      return;
    }
    if (front.dropped) {
      clean_up(fmt::format("the files of dropped batch {}", front.batch),
               [&] { remove_batch(store_, front.staged); });
      taken_.try_pop({});
    } else {
      const bool written = retry(stop, [&] {
        if (front.planned > 0) {
          front.staged.manifest_path = write_manifest(store_, names_, front.staged);
        }
      });
      if (!written) {
        return;
      }
      progress_.staged.advance(front.staged.span.to);
      if (!staged_.push(front.staged, kNoWeight, stop)) {
        return;
      }
    }
    assemblies_.erase(assemblies_.begin());
  }
}

}  // namespace re_dms
