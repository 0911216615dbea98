#include "pipeline/pipeline.h"

#include <utility>

#include "base/failpoint.h"
#include "base/retry.h"
#include "journal/origin_file.h"
#include "observe/log.h"
#include "pipeline/flow.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

class Run {
 public:
  Run(const PipelineSettings& settings, FileSystem& files, RunState& state, Outcome& outcome)
      : settings_(settings),
        files_(files),
        state_(state),
        outcome_(outcome),
        source_(settings.source) {}

  std::vector<LeftOut> set_up() {
    const auto lock = lock_journal(files_, settings_.journal.directory);
    // Before the slot: a target that cannot work must not leave a slot behind that holds WAL.
    open_warehouse(settings_.warehouse, real_clock());
    prepare({});
    return source_.left_out();
  }

  bool run(const UntilPosition& until) {
    const auto lock = lock_journal(files_, settings_.journal.directory);
    const auto warehouse = open_warehouse(settings_.warehouse, real_clock());
    const auto store = open_directory_store(settings_.stage_directory);
    if (!prepare(until)) {
      return false;
    }
    Flow flow(settings_, origin_, {files_, *store, *warehouse, state_, outcome_});
    flow.start(until_);
    {
      const StageThread receiver("receive", outcome_,
                                 [&](const std::stop_token& stop) { receive(flow, stop); });
    }
    flow.join();
    if (const auto error = outcome_.error()) {
      throw Error(*error);
    }
    return state_.has_set_aside();
  }

 private:
  /// Settles who we read from: creates the slot at the first start, verifies it later. False when
  /// stopped meanwhile.
  bool prepare(const UntilPosition& until) {
    Retry retry({}, [this](const Error& error, std::chrono::milliseconds wait) {
      state_.source_trouble(error.what());
      log(LogLevel::Warn, "source_retry", error.what(), {{"wait_ms", wait.count()}});
    });
    return retry.run(outcome_.stop_token(), [&] {
      const auto stored = load_origin(files_, settings_.journal.directory);
      if (stored && stored->created) {
        origin_ = *stored;
        source_.verify(origin_);
      } else {
        create_slot(stored.has_value());
      }
      state_.left_out(source_.left_out());
      until_ = until.now ? source_.current_lsn() : until.lsn;
    });
  }

  void create_slot(bool intended_before) {
    const std::string& directory = settings_.journal.directory;
    SlotCreation creation = source_.create_slot(intended_before, [&](const Origin& origin) {
      store_origin(files_, directory, origin);
      failpoint("slot-intended");
    });
    failpoint("slot-created");
    origin_ = creation.origin;
    remove_segments(files_, directory);
    first_tables_ = std::move(creation.tables);
    if (!first_tables_.empty()) {
      // The journal's first record, written before the slot counts as created: a crash in between
      // begins again with a new slot.
      JournalBlock block;
      block.add(RecordKind::Catalog, catalog_to_json(first_tables_));
      JournalWriter journal(files_, settings_.journal, origin_);
      journal.append(block);
      journal.sync();
    }
    store_origin(files_, directory, origin_);
    failpoint("slot-recorded");
  }

  void receive(Flow& flow, const std::stop_token& stop) {
    bool open = false;
    Retry retry(
        {},
        [this](const Error& error, std::chrono::milliseconds wait) {
          state_.source_trouble(error.what());
          log(LogLevel::Warn, "source_retry", error.what(), {{"wait_ms", wait.count()}});
        },
        [this] { return state_.progress.received.lsn().value; });
    retry.run(stop, [&] {
      Progress& progress = state_.progress;
      source_.verify(origin_);
      source_.stream(progress.received.lsn(), progress.journaled.lsn(), origin_, open,
                     {.out = flow.blocks(),
                      .progress = progress,
                      .paused = [&] { return flow.journal().full(); },
                      .started = [&] { state_.source_ready(); }},
                     stop);
    });
  }

  const PipelineSettings& settings_;
  FileSystem& files_;
  RunState& state_;
  Outcome& outcome_;
  Source source_;
  Origin origin_;
  Lsn until_;
  std::vector<CatalogTable> first_tables_;
};

}  // namespace

bool run_pipeline(const PipelineSettings& settings, const UntilPosition& until, FileSystem& files,
                  RunState& state, Outcome& outcome) {
  return Run(settings, files, state, outcome).run(until);
}

std::vector<LeftOut> set_up(const PipelineSettings& settings, FileSystem& files, RunState& state,
                            Outcome& outcome) {
  return Run(settings, files, state, outcome).set_up();
}

}  // namespace re_dms
