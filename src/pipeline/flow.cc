#include "pipeline/flow.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/failpoint.h"
#include "base/random.h"
#include "base/retry.h"
#include "journal/origin_file.h"
#include "observe/log.h"
#include "pipeline/catch_up.h"
#include "pipeline/clean_up.h"
#include "pipeline/copier.h"
#include "pipeline/folder.h"
#include "pipeline/join_place.h"
#include "pipeline/loader.h"
#include "pipeline/recorder.h"
#include "pipeline/staging_pool.h"
#include "pipeline/staging_room.h"
#include "pipeline/table_log.h"
#include "pipeline/table_record.h"
#include "source/catalog/pattern.h"
#include "source/stream/block_maker.h"

namespace re_dms {

namespace {

constexpr std::size_t kBlocksMax = 4096;
constexpr std::size_t kBlockBytesMax = 32U << 20;
constexpr std::size_t kFailedMax = 1U << 20;
/// No room has more.
constexpr std::size_t kStagedMax = 2 * kStagedBatchesMax + kCopyBatchesInAmpleRoom;
constexpr int kWorkers = 2;
/// Most of their time they wait for the store's answers.
constexpr int kWorkersOfS3 = 16;

std::vector<KnownTable> known_tables(const TargetState& target) {
  std::vector<KnownTable> known;
  for (const TargetTable& table : target.tables) {
    known.push_back({table.schema, table.state == TableState::Live, table.position});
  }
  return known;
}

std::vector<TableRecord> records_of(const TargetState& target) {
  std::vector<TableRecord> records;
  for (const TargetTable& table : target.tables) {
    records.push_back(record_of(table));
  }
  return records;
}

WantedTypes wanted_types(const TableChoice& choice) {
  return
      [rules = TableRules(choice.tables)](const QualifiedName& table, const std::string& column) {
        return rules.target_type(table, column);
      };
}

/// What a table's columns are stays until the table is made anew.
void log_other_types(const TargetState& target, const WantedTypes& wanted) {
  for (const TargetTable& table : target.tables) {
    std::vector<std::string> columns;
    for (const Column& column : table.schema.columns) {
      if (column.type.target != wanted(table.schema.name, column.name)) {
        columns.push_back(column.name);
      }
    }
    if (!columns.empty() && table.state != TableState::Removed) {
      log(LogLevel::Warn, "types_differ",
          fmt::format("the types of {} in the target are not those that the configuration says "
                      "now: they stay until the table is copied anew (`re_dms resync`)",
                      fmt::join(columns, ", ")),
          {{"table", to_string(table.schema.name)}});
    }
  }
}

}  // namespace

struct Flow::State {
  State(const PipelineSettings& settings_in, const Origin& origin_in, FlowWiring wiring_in)
      : settings(settings_in),
        origin(origin_in),
        wiring(wiring_in),
        journal(wiring_in.files, settings_in.journal, origin_in),
        blocks(kBlocksMax, kBlockBytesMax),
        staged(kStagedMax, kStagedMax),
        failed_tables(kFailedMax, kFailedMax),
        failed_lagging(kFailedMax, kFailedMax) {}

  void record(const std::stop_token& stop) {
    Recorder(journal, blocks, wiring.state).run(stop);
    if (blocks.finished()) {
      draining = true;
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
    const StageNames names{origin.system_identifier, origin.slot, target->epoch, random_hex(), "",
                           settings.stage_format};
    failpoint("stage-clean-up-before");
    clean_up("files of earlier runs", [&] { remove_older_runs(wiring.store, names); });
    failpoint("stage-clean-up-after");
    const MemoryShares memory = share_memory(settings.batch.memory_bytes);
    const StagingLimits limits{.memory_bytes = memory.staging_bytes,
                               .ample_bytes = 4 * settings.journal.reserve_bytes};
    StagingPool pool(wiring.store, names, limits, stop, stage_notes());
    StagingRoom stream(pool, BatchKind::Stream, "", wiring.state.progress.staged, staged);
    StagingRoom lagging(pool, BatchKind::CatchUp, "late-", lagging_staged, staged);
    StagingRoom copies(pool, BatchKind::Copy, "copy-", copies_staged, staged);
    std::vector<std::unique_ptr<StageThread>> behind;
    const auto run = [&](std::string name, std::function<void(const std::stop_token&)> work) {
      behind.push_back(
          std::make_unique<StageThread>(std::move(name), wiring.outcome, std::move(work)));
    };
    // Other threads use this frame: whatever goes wrong has to stop them before it is left.
    run_stage("load", wiring.outcome, [&](const std::stop_token&) {
      for (int i = 0; i < (settings.stage.s3 ? kWorkersOfS3 : kWorkers); ++i) {
        run(fmt::format("stage-{}", i + 1), [&](const std::stop_token& s) { pool.run_worker(s); });
      }
      for (StagingRoom* const room : {&stream, &lagging, &copies}) {
        run("assemble", [room](const std::stop_token& s) { room->run_assembler(s); });
      }
      // Before anybody may find that no table is on its way.
      wiring.state.tables.look_at_publication();
      run("fold", [&](const std::stop_token& s) { fold(*target, stream, s); });
      run("catch-up", [&](const std::stop_token& s) { catch_up(lagging, s); });
      run("copy", [&](const std::stop_token& s) { copy(copies, s); });
      Loader({wiring.warehouse,
              wiring.store,
              {stream, lagging, copies},
              journal,
              wiring.state,
              {&failed_tables, &failed_lagging}})
          .run(staged, stop);
      // Whoever copies or catches up may wait for a load that does not come any more.
      wiring.outcome.finish();
      wiring.state.tables.close();
      lagging.close();
      copies.close();
      pool.close();
    });
  }

  std::optional<TargetState> take_over(const std::stop_token& stop) {
    std::optional<TargetState> target;
    Retry retry(retry_policy(), [this](const Error& error, std::chrono::milliseconds wait) {
      wiring.state.warehouse_trouble(error.what());
      wiring.state.figures.retried("warehouse");
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
    wiring.state.tables.begin(records_of(*target), journal.begin());
    wiring.state.warehouse_ready(wiring.warehouse.describe());
    log_other_types(*target, types);
    for (const TableRecord& table : wiring.state.tables.all()) {
      if (table.state == TableState::SetAside) {
        log_set_aside({table.oid, table.name, table.reason, table.position});
      }
    }
    // What became of them while nobody looked.
    wiring.state.look_soon = true;
    log(LogLevel::Info, "warehouse_ready", wiring.warehouse.describe(),
        {{"epoch", target->epoch}, {"loaded", target->loaded}, {"tables", target->tables.size()}});
    return target;
  }

  void fold(const TargetState& target, StagingRoom& room, const std::stop_token& stop) {
    JournalReader reader(wiring.files, settings.journal.directory, &journal.tail(), target.loaded);
    Batcher batcher({share_memory(settings.batch.memory_bytes).fold_bytes,
                     settings.batch.row_bytes_max, &types},
                    target.loaded, known_tables(target), room);
    batcher.begin_at(reader.begin());
    FoldSchedule schedule;
    schedule.interval = settings.batch.interval;
    schedule.segment_bytes = settings.journal.segment_bytes;
    Folder({reader, journal, batcher, room, wiring.state, join, failed_tables, until, draining},
           schedule, real_clock())
        .run(stop);
  }

  void catch_up(StagingRoom& room, const std::stop_token& stop) {
    CatchUp(
        {wiring.files, settings.journal.directory, journal, room, wiring.state.tables, join,
         failed_lagging},
        {share_memory(settings.batch.memory_bytes).catch_up_bytes, settings.batch.row_bytes_max})
        .run(stop);
  }

  void copy(StagingRoom& room, const std::stop_token& stop) {
    CopyLimits limits;
    limits.row_bytes_max = settings.batch.row_bytes_max;
    const std::size_t staging = share_memory(settings.batch.memory_bytes).staging_bytes;
    limits.layer_bytes = std::min(limits.layer_bytes, staging / 4);
    limits.rows_together = settings.stage_format.rows_together;
    // What is staged ahead of the target is twice the memory at most, before compression, or
    // sixteen times where the store has ample room.
    limits.batch_bytes = settings.batch.memory_bytes * 2 / kCopyBatchesMax;
    Copier({settings.source, origin, room, wiring.state}, limits).run(stop);
  }

  StagingNotes stage_notes() {
    return {[this](const Error& error, std::chrono::milliseconds wait) {
              wiring.state.stage_trouble(error.what());
              wiring.state.figures.retried("stage");
              log(LogLevel::Warn, "stage_retry", error.what(), {{"wait_ms", wait.count()}});
            },
            [this] { wiring.state.stage_trouble({}); },
            [this](BatchKind kind, const StagedFile& file) {
              wiring.state.figures.written(kind, file);
            }};
  }

  const PipelineSettings& settings;
  const WantedTypes types = wanted_types(settings.source);
  const Origin& origin;
  FlowWiring wiring;
  JournalWriter journal;
  const Lsn recovered = journal.position();  ///< where the journal ended when this run began
  BoundedQueue<JournalBlock> blocks;
  BoundedQueue<StagedBatch> staged;
  BoundedQueue<Oid> failed_tables;
  BoundedQueue<Oid> failed_lagging;
  JoinPlace join;
  ProgressMark lagging_staged;
  ProgressMark copies_staged;
  std::atomic<bool> draining{false};
  std::atomic<Lsn> until{};  ///< known: the flow ends when everything below is loaded
  std::vector<std::unique_ptr<StageThread>> threads;
};

Flow::Flow(const PipelineSettings& settings, const Origin& origin, FlowWiring wiring)
    : state_(std::make_unique<State>(settings, origin, wiring)) {
  wiring.state.progress.journaled.advance(state_->journal.position());
  wiring.state.progress.received.advance(state_->journal.last_commit_end());
  wiring.state.progress.committed.advance(state_->journal.last_commit_end());
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
