#include "pipeline/flow.h"

#include <fmt/format.h>

#include <atomic>
#include <map>
#include <random>
#include <utility>

#include "base/failpoint.h"
#include "base/retry.h"
#include "journal/origin_file.h"
#include "observe/log.h"
#include "pipeline/clean_up.h"
#include "pipeline/folder.h"
#include "pipeline/loader.h"
#include "pipeline/recorder.h"
#include "pipeline/set_aside_log.h"
#include "pipeline/staging_slots.h"
#include "source/stream/block_maker.h"

namespace re_dms {

namespace {

constexpr std::size_t kBlocksMax = 4096;
constexpr std::size_t kBlockBytesMax = 32U << 20;
constexpr std::size_t kFailedMax = 1U << 20;
constexpr int kWorkers = 2;

std::string random_hex() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

std::vector<KnownTable> known_tables(const TargetState& target) {
  std::vector<KnownTable> known;
  for (const TargetTable& table : target.tables) {
    known.push_back({table.schema, table.live, table.position});
  }
  return known;
}

void show_tables(RunState& state, const TargetState& target) {
  std::map<Oid, std::string> live;
  std::vector<SetAside> not_live;
  for (const TargetTable& table : target.tables) {
    if (table.live) {
      live[table.schema.oid] = to_string(table.schema.name);
    } else {
      not_live.push_back({table.schema.oid, table.schema.name, table.reason, table.position});
      log_set_aside(not_live.back());
    }
  }
  state.tables(std::move(live), std::move(not_live));
}

}  // namespace

struct Flow::State {
  State(const PipelineSettings& settings_in, const Origin& origin_in, FlowWiring wiring_in)
      : settings(settings_in),
        origin(origin_in),
        wiring(wiring_in),
        journal(wiring_in.files, settings_in.journal, origin_in),
        blocks(kBlocksMax, kBlockBytesMax),
        staged(kStagedBatchesMax, kStagedBatchesMax),
        failed_tables(kFailedMax, kFailedMax) {}

  void record(const std::stop_token& stop) {
    Recorder(journal, blocks, wiring.state).run(stop);
    if (blocks.finished()) {
      until = journal.position();
    }
    journal.sync();
    try {
      journal.close();
    } catch (const Error& error) {
      log(LogLevel::Warn, "journal_end_unproven",
          fmt::format("{}. Nothing is lost: the next start rewrites the journal's last segment",
                      error.what()),
          {});
    }
  }

  /// The lane's thread: takes the target over, starts what needs to know its position, loads.
  void load(const std::stop_token& stop) {
    const std::optional<TargetState> target = take_over(stop);
    if (!target) {
      return;
    }
    const StageNames names{origin.system_identifier, origin.slot, target->epoch, random_hex()};
    failpoint("stage-clean-up-before");
    clean_up("files of earlier runs", [&] { remove_other_runs(wiring.store, names); });
    failpoint("stage-clean-up-after");
    StagingSlots slots(wiring.store, names,
                       {16U << 20, share_memory(settings.batch.memory_bytes).staging_bytes},
                       wiring.state.progress, staged, stop, stage_notes());
    std::vector<std::unique_ptr<StageThread>> behind;
    const auto run = [&](std::string name, std::function<void(const std::stop_token&)> work) {
      behind.push_back(
          std::make_unique<StageThread>(std::move(name), wiring.outcome, std::move(work)));
    };
    // Other threads use this frame: whatever goes wrong has to stop them before it is left.
    run_stage("load", wiring.outcome, [&](const std::stop_token&) {
      for (int i = 0; i < kWorkers; ++i) {
        run(fmt::format("stage-{}", i + 1), [&](const std::stop_token& s) { slots.run_worker(s); });
      }
      run("assemble", [&](const std::stop_token& s) { slots.run_assembler(s); });
      run("fold", [&](const std::stop_token& s) { fold(*target, slots, s); });
      Loader({wiring.warehouse, wiring.store, slots, journal, wiring.state, failed_tables})
          .run(staged, stop);
    });
    if (until.load().known()) {
      wiring.outcome.finish();
    }
  }

  std::optional<TargetState> take_over(const std::stop_token& stop) {
    std::optional<TargetState> target;
    Retry retry(retry_policy(), [this](const Error& error, std::chrono::milliseconds wait) {
      wiring.state.warehouse_trouble(error.what());
      log(LogLevel::Warn, "warehouse_retry", error.what(), {{"wait_ms", wait.count()}});
    });
    const TargetBefore before{recovered, origin.target_made};
    if (!retry.run(stop, [&] { target = wiring.warehouse.take_over(origin, before, stop); })) {
      return std::nullopt;
    }
    if (!origin.target_made) {
      // Before the first load: what is loaded may leave the journal.
      Origin loaded_once = origin;
      loaded_once.target_made = true;
      store_origin(wiring.files, settings.journal.directory, loaded_once);
    }
    wiring.state.progress.loaded.advance(target->loaded);
    wiring.state.warehouse_ready(wiring.warehouse.describe());
    show_tables(wiring.state, *target);
    log(LogLevel::Info, "warehouse_ready", wiring.warehouse.describe(),
        {{"epoch", target->epoch}, {"loaded", target->loaded}, {"tables", target->tables.size()}});
    return target;
  }

  void fold(const TargetState& target, StagingSlots& slots, const std::stop_token& stop) {
    JournalReader reader(wiring.files, settings.journal.directory, &journal.tail(), target.loaded);
    Batcher batcher(
        {share_memory(settings.batch.memory_bytes).fold_bytes, settings.batch.row_bytes_max},
        target.loaded, known_tables(target), slots);
    batcher.begin_at(reader.begin());
    FoldSchedule schedule;
    schedule.interval = settings.batch.interval;
    schedule.segment_bytes = settings.journal.segment_bytes;
    Folder({reader, journal, batcher, slots, wiring.state, failed_tables, until}, schedule,
           real_clock())
        .run(stop);
  }

  StagingNotes stage_notes() {
    return {[this](const Error& error, std::chrono::milliseconds wait) {
              wiring.state.stage_trouble(error.what());
              log(LogLevel::Warn, "stage_retry", error.what(), {{"wait_ms", wait.count()}});
            },
            [this] { wiring.state.stage_trouble({}); }};
  }

  const PipelineSettings& settings;
  const Origin& origin;
  FlowWiring wiring;
  JournalWriter journal;
  const Lsn recovered = journal.position();  ///< where the journal ended when this run began
  BoundedQueue<JournalBlock> blocks;
  BoundedQueue<StagedBatch> staged;
  BoundedQueue<Oid> failed_tables;
  std::atomic<Lsn> until{};  ///< known: the flow ends when everything below is loaded
  std::vector<std::unique_ptr<StageThread>> threads;
};

Flow::Flow(const PipelineSettings& settings, const Origin& origin, FlowWiring wiring)
    : state_(std::make_unique<State>(settings, origin, wiring)) {
  wiring.state.progress.journaled.advance(state_->journal.position());
  wiring.state.progress.received.advance(state_->journal.last_commit_end());
}

Flow::~Flow() {
  state_->wiring.outcome.finish();
  join();
}

void Flow::start(Lsn until) {
  State& state = *state_;
  state.until = until;
  state.threads.push_back(std::make_unique<StageThread>(
      "journal", state.wiring.outcome, [&state](const std::stop_token& s) { state.record(s); }));
  state.threads.push_back(std::make_unique<StageThread>(
      "load", state.wiring.outcome, [&state](const std::stop_token& s) { state.load(s); }));
}

void Flow::drain(bool open) {
  if (open) {
    JournalBlock abort = abort_block();
    state_->blocks.push(abort, abort.bytes.size(), state_->wiring.outcome.stop_token());
  }
  state_->blocks.close();
}

BoundedQueue<JournalBlock>& Flow::blocks() {
  return state_->blocks;
}

const JournalWriter& Flow::journal() const {
  return state_->journal;
}

void Flow::join() {
  state_->threads.clear();
}

}  // namespace re_dms
