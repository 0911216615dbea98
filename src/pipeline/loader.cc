#include "pipeline/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/failpoint.h"
#include "observe/log.h"
#include "pipeline/clean_up.h"
#include "pipeline/table_log.h"
#include "pipeline/table_record.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kWishesEvery(500);

}  // namespace

void Loader::run(BoundedQueue<StagedBatch>& staged, const std::stop_token& stop) {
  while (!stop.stop_requested() && (!staged.finished() || order_.has_some())) {
    if (!wiring_.state.tables.loading_paused()) {
      grant_wishes(stop);
    }
    if (auto batch = order_.next(staged, stop, kWishesEvery)) {
      load(*std::move(batch), stop);
    } else {
      release();
    }
  }
}

void Loader::load(StagedBatch batch, const std::stop_token& stop) {
  LoadReport report;
  const SteadyTime began = real_clock().steady();
  if (batch.kind == BatchKind::Stream && batch.span.transactions > 0) {
    wiring_.state.progress.loading_commit_time = batch.span.first_commit.time_since_epoch().count();
  }
  const auto once = [&] { report = load_once(batch, stop); };
  const bool done =
      batch.kind == BatchKind::Copy ? load_copy(batch, once) : target_retry().run(stop, once);
  if (done) {
    wiring_.state.figures.loaded(batch, report, began);
    finish(batch, report);
  }
}

/// Without the tables that leave before it.
LoadReport Loader::load_once(StagedBatch& batch, const std::stop_token& stop) {
  while (wiring_.state.tables.loading_paused()) {
    if (!wait_for(kWishesEvery, stop)) {
      throw Stopped();
    }
    release();
  }
  // One that is to go on catches up behind the batch, and what an earlier try did to it, if its end
  // was not heard of, is known by then.
  grant(&TableStates::take_wishes_to_leave, stop);
  StagedBatch left;
  left.layers = take_void(batch, wiring_.state.tables);
  clean_up("files of a copy that was given up", [&] { remove_batch(wiring_.store, left); });
  return wiring_.warehouse.load(batch, stop);
}

/// Tables that are followed do not wait for rows of those that are not: after a failure these come
/// again behind what is there of the others.
bool Loader::load_copy(StagedBatch& batch, const std::function<void()>& once) try {
  const auto wait = copies_.attempt(once);
  if (wait) {
    order_.put_back(std::move(batch), real_clock().steady() + *wait);
  }
  return !wait;

} catch (const Stopped&) {
  return false;
}

Retry Loader::target_retry() {
  return Retry(retry_policy(), [this](const Error& error, std::chrono::milliseconds wait) {
    wiring_.state.warehouse_trouble(error.what());
    wiring_.state.figures.retried("warehouse");
    log(LogLevel::Warn, "load_retry", error.what(), {{"wait_ms", wait.count()}});
  });
}

void Loader::grant_wishes(const std::stop_token& stop) {
  bool some = false;
  const bool done =
      target_retry().run(stop, [&] { some = grant(&TableStates::take_wishes, stop); });
  if (done && some) {
    wiring_.state.warehouse_trouble({});
  }
}

/// What people ask of tables, once; whoever folds changes of those that leave hears of it. False
/// where they ask for nothing.
bool Loader::grant(Wishes (TableStates::*take)(), const std::stop_token& stop) {
  if (granting_.empty()) {
    for (const auto& [oid, wish] : (wiring_.state.tables.*take)()) {
      granting_.push_back({oid, wish});
    }
  }
  if (granting_.empty()) {
    return false;
  }
  const std::vector<TargetTable> granted = wiring_.warehouse.grant(granting_, stop);
  granting_.clear();
  for (const TargetTable& table : granted) {
    const TableRecord record = record_of(table);
    if (const auto news = wiring_.state.tables.granted(record)) {
      log_granted(*news);
    }
    if (has_left(record.state)) {
      tell_readers(record.oid);
    }
  }
  wiring_.state.tables.wishes_granted();
  return true;
}

void Loader::finish(const StagedBatch& batch, const LoadReport& report) {
  wiring_.state.warehouse_trouble({});
  // First: whoever sees the loaded position sees the tables as they are there.
  note_tables(batch, report);
  if (batch.kind == BatchKind::Stream) {
    note_stream(batch, report);
  } else {
    if (batch.kind == BatchKind::Join) {
      order_.joined();
    }
    log(LogLevel::Debug, "tables_loaded", "copied rows, or changes of tables that catch up",
        {{"batch", batch.span.number}, {"to", batch.span.to}, {"rows", report.rows}});
  }
  failpoint("loaded-clean-up-before");
  clean_up(fmt::format("the files of batch {}", batch.span.number),
           [&] { remove_batch(wiring_.store, batch); });
  failpoint("loaded-files-removed");
  room_of(batch.kind).loaded();
  release();
  failpoint("loaded-clean-up-after");
}

void Loader::note_stream(const StagedBatch& batch, const LoadReport& report) {
  const double seconds = std::chrono::duration<double>(report.duration).count();
  Progress& progress = wiring_.state.progress;
  progress.loaded.advance(batch.span.to);
  if (batch.span.transactions > 0) {
    progress.loaded_commit_time = batch.span.last_commit.time_since_epoch().count();
    progress.loading_commit_time = 0;
  }
  wiring_.state.loaded({batch.span.number, report.rows, seconds, real_clock().now(), batch.span.to},
                       static_cast<double>(batch.stored_bytes()));
  log(LogLevel::Info, "batch_loaded", "a batch is in the target",
      {{"batch", batch.span.number},
       {"to", batch.span.to},
       {"transactions", batch.span.transactions},
       {"changes", batch.span.changes},
       {"rows", report.rows},
       {"seconds", seconds}});
}

void Loader::note_tables(const StagedBatch& batch, const LoadReport& report) {
  TableStates& tables = wiring_.state.tables;
  for (const SetAside& table : report.set_aside) {
    const std::uint64_t doubts = tables.doubts();
    announce(table);
    if (tables.doubts() > doubts) {
      wiring_.state.figures.healed(table.reason);
    }
    tell_readers(table.oid);
  }
  for (const StagedLayer& layer : batch.layers) {
    if (batch.kind == BatchKind::Stream) {
      tables.live(layer.table->oid, layer.table->name);
      continue;
    }
    if (layer.copy) {
      tables.copied_some(layer.table->oid, layer.copy->position, layer.counts.rows(),
                         layer.copy->bytes);
    }
    if (layer.copy && layer.copy->last && !report.loaded.contains(layer.table->oid)) {
      tables.copy_failed(layer.table->oid,
                         "somebody asked for another copy before this one was known to be loaded");
    } else if (layer.copy && layer.copy->last) {
      tables.copied(layer.table, layer.copy->position, layer.copy->initial_copy);
      note_beginning(layer);
    }
  }
  for (const RowsNotThere& table : report.not_there) {
    log(LogLevel::Info, "rows_not_there",
        "rows were changed or deleted that the target does not have: the table began without a "
        "copy",
        {{"table", to_string(table.table)}, {"rows", table.rows}});
  }
  note_adjusted(report);
  if (batch.kind == BatchKind::CatchUp) {
    tables.caught_up_to(report.tables, batch.span.to);
  } else if (batch.kind == BatchKind::Join) {
    tables.joined(report.tables);
    wiring_.state.look_soon = true;
  }
}

void Loader::note_adjusted(const LoadReport& report) {
  for (const ColumnAdjusted& column : report.adjusted) {
    log(LogLevel::Warn, "values_adjusted",
        fmt::format("the target cannot hold values of column \"{}\", which were changed on their "
                    "way as bad_values says: re_dms.adjusted_values in the target shows some",
                    column.column),
        {{"table", to_string(column.table)},
         {"column", column.column},
         {"reason", column.reason},
         {"values", column.values}});
  }
}

void Loader::note_beginning(const StagedLayer& layer) {
  const bool begins = wiring_.state.tables.state(layer.table->oid) == TableState::CatchingUp;
  if (begins && layer.copy->initial_copy == InitialCopy::Never) {
    log(LogLevel::Info, "table_not_copied",
        fmt::format(
            "its initial_copy is \"never\", so it begins at {}: rows from before are in the "
            "target only where somebody put them there",
            layer.copy->position),
        {{"table", to_string(layer.table->name)}, {"position", layer.copy->position}});
  }
}

StagingRoom& Loader::room_of(BatchKind kind) const {
  switch (kind) {
    case BatchKind::Stream:
      return wiring_.rooms.stream;
    case BatchKind::Copy:
      return wiring_.rooms.copies;
    case BatchKind::CatchUp:
    case BatchKind::Join:
      break;
  }
  return wiring_.rooms.catch_up;
}

void Loader::tell_readers(Oid table) {
  for (BoundedQueue<Oid>* const failed : wiring_.failed_tables) {
    Oid oid = table;
    failed->push(oid, 1, {});
  }
}

/// Said once, until there is room again.
void Loader::warn_of_let_go(Lsn loaded) {
  const bool filling = wiring_.journal.filling();
  const auto next = filling ? wiring_.state.tables.first_to_let_go(loaded) : std::nullopt;
  if (next && !warned_) {
    log(LogLevel::Warn, "journal_held",
        "three quarters of journal.max_bytes are used, and the journal keeps what follows this "
        "table's position: when it is full, that goes. `re_dms resume` or `re_dms resync` the "
        "table, or raise journal.max_bytes",
        {{"table", to_string(next->name)}, {"position", next->position}});
  }
  warned_ = filling && (warned_ || next);
}

/// Tables that are paused or set aside hold the journal until it is full.
void Loader::release() {
  const Lsn loaded = wiring_.state.progress.loaded.lsn();
  warn_of_let_go(loaded);
  for (bool freed = true; freed;) {
    const Lsn held = wiring_.state.tables.held_from();
    wiring_.journal.release_below(held.known() ? std::min(held, loaded) : loaded);
    wiring_.state.journal_bytes = wiring_.journal.bytes();
    wiring_.state.journal_oldest = wiring_.journal.oldest_since();
    const bool helps = wiring_.journal.full() && wiring_.journal.would_release_below(loaded);
    const auto let_go = helps ? wiring_.state.tables.let_go(loaded) : std::nullopt;
    if (let_go) {
      log(LogLevel::Error, "table_let_go",
          "the journal is full, and what it kept for this table goes: only a copy brings it back "
          "(`re_dms resync`)",
          {{"table", to_string(let_go->name)}, {"position", let_go->position}});
    }
    freed = let_go.has_value();
  }
}

void Loader::announce(const SetAside& table) {
  log_set_aside(wiring_.state.tables.leave(table));
}

}  // namespace re_dms
