#include "pipeline/pipeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/failpoint.h"
#include "base/retry.h"
#include "journal/origin_file.h"
#include "observe/advice.h"
#include "observe/log.h"
#include "pipeline/flow.h"
#include "pipeline/slot_watch.h"
#include "schema/catalog_json.h"
#include "source/connection/connection.h"
#include "source/setup/named_columns.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kLookForRoom(100);

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
    if (!load_stored_origin()) {
      create_slot();
    } else {
      source_.verify(origin_);
    }
    return source_.left_out();
  }

  bool run(const UntilPosition& until) {
    const auto lock = lock_journal(files_, settings_.journal.directory);
    const auto warehouse = open_warehouse(warehouse_settings(), real_clock());
    const auto store = open_store(settings_.stage, outcome_.stop_token());
    if (!prepare(until)) {
      require_reached(until, {});
      return false;
    }
    Flow flow(settings_, origin_, {files_, *store, *warehouse, state_, outcome_});
    flow.start(until_);
    {
      const StageThread slot("slot-watch", outcome_, [&](const std::stop_token& stop) {
        SlotWatch(settings_.source, origin_, state_.metrics).run(settings_.slot_interval, stop);
      });
      const StageThread receiver("receive", outcome_,
                                 [&](const std::stop_token& stop) { receive(flow, stop); });
    }
    flow.join();
    if (const auto error = source_error_ ? source_error_ : outcome_.error()) {
      throw Error(*error);
    }
    require_reached(until, state_.progress.loaded.lsn());
    return state_.tables.any_set_aside();
  }

 private:
  /// Its statements are timed, and it asks who owns the states of tables.
  WarehouseSettings warehouse_settings() {
    WarehouseSettings warehouse = settings_.warehouse;
    warehouse.watch.ended = [&figures = state_.figures](std::string_view statement,
                                                        std::chrono::microseconds took) {
      figures.ran(statement, took);
    };
    warehouse.holds_back = [&tables = state_.tables](const QualifiedName& table) {
      return tables.holds_back(table);
    };
    return warehouse;
  }

  /// A run that was to end at a position and was stopped before it has failed.
  void require_reached(const UntilPosition& until, Lsn loaded) const {
    if ((until.now || until.lsn.known()) && (!until_.known() || loaded < until_)) {
      throw Error(ErrorKind::Transient,
                  fmt::format("stopped at {}, before everything requested was loaded", loaded),
                  "Start it again: it continues where it stopped");
    }
  }

  /// What the first start needs from the source, and the position of `until`. Later starts need no
  /// source: what the journal holds is loaded whether or not it is there. False when stopped
  /// meanwhile.
  bool prepare(const UntilPosition& until) {
    return source_retry().run(outcome_.stop_token(), [&] {
      if (!load_stored_origin()) {
        create_slot();
        show_left_out(source_.left_out());
      }
      until_ = until.now ? source_.current_lsn() : until.lsn;
    });
  }

  Retry source_retry() {
    return {retry_policy(),
            [this](const Error& error, std::chrono::milliseconds wait) {
              state_.source_trouble(error.what());
              state_.figures.retried("source");
              log(LogLevel::Warn, "source_retry", error.what(), {{"wait_ms", wait.count()}});
            },
            [this] { return state_.progress.received.lsn().value; }};
  }

  /// False before the slot exists.
  bool load_stored_origin() {
    const auto stored = load_origin(files_, settings_.journal.directory);
    if (!stored || !stored->created) {
      intended_before_ = stored && stored->slot_is_ours ? stored : std::nullopt;
      return false;
    }
    origin_ = *stored;
    return true;
  }

  /// After an error nothing stays behind: a slot that nobody reads keeps WAL until the source's
  /// disk is full.
  void create_slot() {
    try {
      make_slot();
    } catch (const Error& error) {
      throw taken_back(error);
    } catch (const std::exception& problem) {
      throw taken_back(
          {ErrorKind::Fatal, fmt::format("beginning the journal in {} failed: {}",
                                         settings_.journal.directory, problem.what())});
    }
  }

  Error taken_back(const Error& error) {
    if (intended_) {
      withdraw();
    }
    const std::string left = source_.take_back(error.kind());
    if (left.empty()) {
      forget();
      return error;
    }
    return {error.kind(), error.message(),
            fmt::format("{}{}{}", error.advice(), error.advice().empty() ? "" : ". ", left)};
  }

  /// Where the slot's creation is recorded already, but perhaps not durably, it counts as intended
  /// again: a start that finds it recorded goes on with it.
  void withdraw() {
    attempt([&] {
      if (auto stored = load_origin(files_, settings_.journal.directory);
          stored && stored->created) {
        stored->created = false;
        store_origin(files_, settings_.journal.directory, *stored);
      }
    });
  }

  /// A slot of this name that exists later is somebody else's. If that cannot be written, the next
  /// start takes the slot for ours and drops it.
  void forget() {
    if (intended_) {
      attempt([&] { remove_beginning(files_, settings_.journal.directory); });
    }
    intended_ = false;
  }

  /// A step after which the first error is reported in any case.
  template <typename F>
  static void attempt(F step) {
    try {
      step();
    } catch (const Error& error) {
      log(LogLevel::Warn, "first_start", error.what(), {});
    }
  }

  void make_slot() {
    const std::string& directory = settings_.journal.directory;
    // Before an administrator is asked for a slot: his could not be told from the one left over.
    if (intended_before_ &&
        (!settings_.source.auto_setup || intended_before_->slot != settings_.source.slot)) {
      source_.drop_slot_of(*intended_before_);
      remove_beginning(files_, directory);
      intended_before_.reset();
    }
    SlotCreation creation =
        source_.create_slot(intended_before_, [&](const Origin& origin) { intend(origin); });
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
    intended_ = false;
    failpoint("slot-recorded");
  }

  void intend(Origin origin) {
    const bool creates = settings_.source.auto_setup;
    // From here on an error takes an earlier intention's slot with it.
    intended_ = creates && intended_before_;
    // Before the slot: a target that cannot work must not leave one behind that holds WAL.
    require_fresh_target(settings_, origin);
    intended_ = creates;
    origin.slot_is_ours = creates;
    store_origin(files_, settings_.journal.directory, origin);
    failpoint("slot-intended");
  }

  void receive(Flow& flow, const std::stop_token& stop) {
    bool open = false;
    try {
      source_retry().run(stop, [&] {
        // The rest of an open transaction has to come in any case.
        if (!open) {
          wait_for_room(flow.journal(), stop);
        }
        Progress& progress = state_.progress;
        take_choice();
        source_.verify(origin_);
        show_left_out(source_.left_out());
        warn_of_unknown_columns();
        source_.stream(progress.received.lsn(), progress.journaled.lsn(), origin_, open,
                       {.out = flow.blocks(),
                        .progress = progress,
                        .paused = [&] { return is_full(flow.journal()); },
                        .started = [&] { state_.source_ready(); },
                        .look_soon = [&] { return look_soon(); },
                        .followed = [&] { return followed(); },
                        .left_out = [&](const auto& tables) { show_left_out(tables); }},
                       stop);
      });
    } catch (const Error& error) {
      // PostgreSQL may have forgotten what the journal holds, so that is loaded before the run
      // ends.
      state_.source_trouble(error.what());
      log(LogLevel::Error, "source_refused",
          fmt::format("{}. Loading what the journal holds, then exiting", error.what()), {});
      source_error_ = error;
      flow.drain(open);
    }
  }

  /// Once.
  void warn_of_unknown_columns() {
    if (std::exchange(columns_looked_at_, true)) {
      return;
    }
    Connection plain(settings_.source, ConnectionPurpose::Sql);
    for (const std::string& named : unknown_columns(plain, settings_.source)) {
      log(LogLevel::Warn, "column_unknown",
          named + ", which no table has that the section is for: that part of it does nothing", {});
    }
  }

  /// A slot that is taken and not read from makes the server decode for nothing.
  void wait_for_room(const JournalWriter& journal, const std::stop_token& stop) {
    if (is_full(journal)) {
      log(LogLevel::Warn, "source_left", "the slot is left alone until the journal has room again",
          {{"journal_bytes", journal.bytes()}});
    }
    while (is_full(journal) && wait_for(kLookForRoom, stop)) {
    }
  }

  /// An answer that the journal has from before a table's copy may say more than the copy's
  /// position: tables that have joined are asked about once more.
  std::optional<std::vector<Oid>> look_soon() {
    // Cheaper than an exchange, as nearly always nothing is wanted.
    if (!state_.look_soon || !state_.look_soon.exchange(false)) {
      return std::nullopt;
    }
    take_choice();
    return state_.tables.take_joined();
  }

  void take_choice() {
    if (const auto choice = state_.take_choice_for_stream()) {
      source_.choose(*choice);
    }
  }

  std::vector<Oid> followed() const {
    std::vector<Oid> tables;
    for (const TableRecord& table : state_.tables.all()) {
      if (table.state != TableState::SetAside && table.state != TableState::Removed) {
        tables.push_back(table.oid);
      }
    }
    return tables;
  }

  /// Always in the status; in the log once, and again if the table was not left out in between.
  /// Those that need no more than to be published are.
  void show_left_out(std::vector<LeftOut> tables) {
    const bool ours = settings_.source.auto_setup;
    const auto failures = state_.tables.publishing_failures();
    for (LeftOut& table : tables) {
      if (const auto failure = failures.find(table.table); failure != failures.end()) {
        table.reason = failure->second;
      } else if (table.unpublished && !ours) {
        table.reason += "; source.auto_setup is false, so somebody else has to add it";
      }
    }
    state_.left_out(tables);
    state_.tables.unpublished(ours && std::ranges::any_of(tables, [](const LeftOut& table) {
                                return table.unpublished;
                              }));
    std::set<std::string> logged;
    for (const LeftOut& table : tables) {
      const std::string text = to_string(table.table) + table.reason;
      if (!logged_left_out_.contains(text)) {
        log(LogLevel::Warn, "table_left_out", table.reason, {{"table", to_string(table.table)}});
      }
      logged.insert(text);
    }
    logged_left_out_ = std::move(logged);
  }

  bool is_full(const JournalWriter& journal) {
    const bool full = journal.full();
    state_.disk_low = full && journal.disk_low();
    state_.journal_full = full;
    return full;
  }

  const PipelineSettings& settings_;
  FileSystem& files_;
  RunState& state_;
  Outcome& outcome_;
  Source source_;
  Origin origin_;
  Lsn until_;
  std::optional<Origin> intended_before_;  // its slot may be there and is ours
  bool intended_ = false;                  // by a try of this run that is not over
  std::set<std::string> logged_left_out_;
  std::optional<Error> source_error_;
  bool columns_looked_at_ = false;
  std::vector<CatalogTable> first_tables_;
};

}  // namespace

void require_fresh_target(const PipelineSettings& settings, const Origin& origin) {
  if (const auto loaded = inspect_warehouse(settings.warehouse, origin)) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("{} is already loaded from slot \"{}\" up to {}, but {} has no journal that "
                    "continues from there",
                    target_name(settings.warehouse), origin.slot, *loaded,
                    settings.journal.directory),
        or_begin_anew("Put the journal directory back. "));
  }
}

bool run_pipeline(const PipelineSettings& settings, const UntilPosition& until, FileSystem& files,
                  RunState& state, Outcome& outcome) {
  return Run(settings, files, state, outcome).run(until);
}

std::vector<LeftOut> set_up(const PipelineSettings& settings, FileSystem& files, RunState& state,
                            Outcome& outcome) {
  return Run(settings, files, state, outcome).set_up();
}

}  // namespace re_dms
