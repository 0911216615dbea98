#include "pipeline/copy_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/retry.h"
#include "base/thread.h"
#include "observe/log.h"
#include "schema/versions.h"
#include "source/copy/copy_text.h"
#include "source/copy/exported_snapshot.h"
#include "source/copy/lock_watch.h"

namespace re_dms {

namespace {

/// A slot is made once every older transaction has ended: some applications have long ones.
constexpr std::chrono::minutes kSnapshotPatience(10);
constexpr std::chrono::milliseconds kLookForSlot(100);
constexpr std::size_t kLookEvery = 10'000;  ///< rows

/// How much of a range's pages its rows stand for so far. PostgreSQL does not say which page a row
/// comes from: they are taken for equally long, or their text for as long as their pages where
/// their number is not known. Never more than the range has.
std::uint64_t bytes_read_of(const TableSize& size, std::uint64_t range_bytes, std::size_t rows,
                            std::size_t text_bytes) {
  const double read = size.rows == 0
                          ? static_cast<double>(text_bytes)
                          : static_cast<double>(size.bytes) / static_cast<double>(size.rows) *
                                static_cast<double>(rows);
  return std::min(range_bytes, static_cast<std::uint64_t>(read));
}

}  // namespace

CopyGroup::CopyGroup(const CopyWiring& wiring, const CopyLimits& limits,
                     std::vector<CopyCandidate> candidates, std::stop_token stop)
    : wiring_(wiring),
      limits_(limits),
      stop_(std::move(stop)),
      selection_(wiring.source.include, wiring.source.exclude),
      rules_(wiring.source.tables) {
  for (CopyCandidate& candidate : candidates) {
    const Oid oid = candidate.size.oid;
    Table& table = tables_[oid];
    table.size = std::move(candidate.size);
    table.publication = std::move(candidate.publication);
    table.attempt = candidate.attempt;
  }
}

void CopyGroup::copy() {
  try {
    Readers readers;
    {
      const ExportedSnapshot snapshot(wiring_.source, wiring_.origin, kSnapshotPatience, stop_);
      position_ = snapshot.position();
      for (int i = 0; i < wiring_.source.workers; ++i) {
        readers.push_back(
            std::make_unique<SnapshotReader>(wiring_.source, wiring_.origin, snapshot, stop_));
      }
    }
    std::vector<Oid> oids;
    for (const auto& [oid, table] : tables_) {
      oids.push_back(oid);
    }
    wiring_.state.tables.hold_from(oids, position_);
    read_all(readers);
  } catch (const Error& error) {
    end(error.what());
    throw;
  } catch (const std::exception& error) {
    end(error.what());
    throw Error(ErrorKind::Transient, fmt::format("copying tables: {}", error.what()));
  }
  end("the copy was interrupted");
}

void CopyGroup::read_all(const Readers& readers) {
  raw_text_ = readers.front()->raw_text();
  plan(*readers.front());
  failpoint("copy-begun");
  const std::jthread watch = watch_locks(readers);
  std::vector<std::jthread> workers;
  for (const auto& reader : readers) {
    workers.emplace_back([this, &reader] { work(*reader); });
  }
}

/// Tables of which rows are missing wait again.
void CopyGroup::end(const std::string& reason) {
  const std::lock_guard lock(mutex_);
  seal();
  std::uint64_t rows = 0;
  std::size_t done = 0;
  for (const auto& [oid, table] : tables_) {
    if (!table.done) {
      wiring_.state.tables.copy_failed(oid, table.reason.empty() ? reason : table.reason);
    }
    rows += table.rows;
    done += table.done ? 1 : 0;
  }
  log(LogLevel::Info, "copied", "all rows of a group of tables are read",
      {{"tables", done}, {"rows", rows}, {"position", position_}});
}

/// Sizes were asked for before the snapshot was taken; the last range has what came since.
void CopyGroup::plan(SnapshotReader& reader) {
  std::vector<Oid> oids;
  for (const auto& [oid, table] : tables_) {
    oids.push_back(oid);
  }
  marks_ = reader.marks(oids);
  for (const CatalogTable& answer : reader.tables(oids)) {
    plan(answer);
  }
  for (auto& [oid, table] : tables_) {
    if (!table.schema && !table.done && table.reason.empty()) {
      table.reason = "it is not in the snapshot";
    }
  }
}

void CopyGroup::plan(const CatalogTable& answer) {
  Table& table = tables_.at(answer.schema.oid);
  if (!answer.unreadable.empty()) {
    refuse(table, fmt::format("{} is not UTF-8, and the target accepts nothing else: rename it, or "
                              "correct the value, before the table is copied again",
                              answer.unreadable));
  } else if (!selection_.matches(answer.schema.name)) {
    refuse(table, fmt::format("it is {} now, which source.include and source.exclude leave out",
                              to_string(answer.schema.name)));
  } else if (answer.schema.publication != table.publication) {
    // A writer that was open when it was published is in neither the stream nor the snapshot,
    // unless the slot was begun after that.
    table.reason = "how it is published was altered while the snapshot was made";
  } else {
    TableSchema schema = version_at(answer, position_);
    set_target_types(schema, [this](const QualifiedName& name, const std::string& column) {
      return rules_.target_type(name, column);
    });
    table.schema = std::make_shared<const TableSchema>(std::move(schema));
    table.initial_copy = rules_.initial_copy(answer.schema.name);
    wiring_.state.tables.estimate(answer.schema.oid, table.size.rows, table.size.bytes);
    cut_into_ranges(table);
  }
}

void CopyGroup::cut_into_ranges(Table& table) {
  if (table.initial_copy == InitialCopy::Never) {
    table.ranges_left = 1;
    tasks_.push_back({&table, {}, 0});
    return;
  }
  const std::uint64_t page_bytes =
      table.size.pages == 0 ? 1 : std::max<std::uint64_t>(table.size.bytes / table.size.pages, 1);
  const std::uint64_t pages = std::max<std::uint64_t>(limits_.range_bytes / page_bytes, 1);
  std::uint64_t first = 0;
  do {
    const bool last = first + pages >= table.size.pages;
    const std::uint64_t end = last ? table.size.pages : first + pages;
    // The ranges have all bytes of the table together.
    const std::uint64_t bytes =
        last ? table.size.bytes - first * page_bytes : (end - first) * page_bytes;
    tasks_.push_back({&table, {first, last ? std::nullopt : std::optional(end)}, bytes});
    ++table.ranges_left;
    first = end;
  } while (first < table.size.pages);
}

/// A watch that fails ends the copies: nobody would see who waits behind them.
std::jthread CopyGroup::watch_locks(const Readers& readers) {
  std::vector<int> processes;
  for (const auto& reader : readers) {
    processes.push_back(reader->process());
  }
  auto watch = std::make_shared<LockWatch>(wiring_.source, wiring_.origin, processes);
  return std::jthread([this, watch](const std::stop_token& stop) {
    begin_thread("copy-watch");
    try {
      watch->run(
          wiring_.source.lock_timeout, [this] { gives_way_ = true; }, stop);
    } catch (const Stopped&) {
      return;
    } catch (const std::exception& error) {
      log(LogLevel::Warn, "copy_retry", error.what(), {});
      unwatched_ = true;
    }
  });
}

void CopyGroup::work(SnapshotReader& reader) {
  begin_thread("copy-rows");
  while (const std::optional<Task> task = next_task()) {
    try {
      copy(reader, *task);
    } catch (const Stopped&) {
      return;
    } catch (const Error& error) {
      fail(*task->table, error);
    } catch (const std::exception& error) {
      fail(*task->table, {ErrorKind::Transient, error.what()});
    }
    if (!reader.alive()) {
      return;
    }
  }
}

std::optional<CopyGroup::Task> CopyGroup::next_task() {
  const std::lock_guard lock(mutex_);
  while (!tasks_.empty() && !unwatched_ && !gives_way_ && !stop_.stop_requested()) {
    const Task task = tasks_.front();
    tasks_.pop_front();
    if (!task.table->done && task.table->reason.empty()) {
      return task;
    }
  }
  return std::nullopt;
}

/// An error of one table's rows; others go on.
void CopyGroup::fail(Table& table, const Error& error) {
  const std::lock_guard lock(mutex_);
  if (error.kind() == ErrorKind::Transient) {
    log(LogLevel::Warn, "copy_retry", error.what(), {{"table", to_string(table.size.name)}});
    table.reason = error.what();
  } else {
    refuse(table, error.what());
  }
}

/// A person has to do something first. Several ranges of one table may say so.
void CopyGroup::refuse(Table& table, std::string reason) {
  if (table.done) {
    return;
  }
  table.done = true;
  refused_.push_back(
      {table.size.oid, table.size.name, std::move(reason), {}, Remedy::Person, table.attempt});
}

void CopyGroup::copy(SnapshotReader& reader, const Task& task) {
  const TableSchema& schema = *task.table->schema;
  if (task.table->initial_copy == InitialCopy::Never) {
    // It begins where the snapshot does, as others do whose rows are read. It was published before
    // the slot was begun, and the slot waited for all writers: nothing of theirs is missed.
    ReadSoFar nothing;
    hand_in(task, Layer(task.table->schema), nothing, true);
    return;
  }
  reader.begin_rows(schema, marks_.at(schema.oid), task.pages);
  try {
    read_rows(reader, task);
  } catch (const std::exception&) {
    reader.give_up_rows();
    throw;
  }
}

void CopyGroup::read_rows(SnapshotReader& reader, const Task& task) {
  Table& table = *task.table;
  CopiedRows rows(table.schema, {limits_.row_bytes_max, raw_text_});
  std::string tuple;
  ReadSoFar read;
  while (const auto line = reader.next_row()) {
    tuple_of_copy_line(*line, table.schema->columns.size(), tuple);
    if (auto problem = rows.add(tuple)) [[unlikely]] {
      throw Error(ErrorKind::Fatal, *std::move(problem));
    }
    read.text_bytes += line->size();
    if (++read.rows % kLookEvery == 0) {
      check_worth(table);
    }
    if (fills_layer(rows)) {
      hand_in(task, rows.take(), read, false);
    }
  }
  hand_in(task, rows.take(), read, true);
}

/// A layer that is smaller than it may be has the target's number of rows that stay together, or a
/// half, a quarter or an eighth of it, so that a batch of some layers can end behind it.
bool CopyGroup::fills_layer(const CopiedRows& rows) const {
  const std::size_t memory = rows.memory_bytes();
  if (memory >= limits_.layer_bytes) {
    return true;
  }
  const std::size_t together = limits_.rows_together;
  if (together == 1 || rows.rows() % (together / 8) != 0) {
    return false;
  }
  return rows.rows() == together ||
         (together % rows.rows() == 0 && 2 * memory > limits_.layer_bytes);
}

bool CopyGroup::fills_batch() const {
  const bool ends_well = limits_.rows_together > 1 && batch_rows_ % limits_.rows_together == 0;
  return batch_bytes_ >= (ends_well ? limits_.batch_bytes / 3 * 2 : limits_.batch_bytes) ||
         batch_tables_ >= limits_.batch_tables;
}

/// Throws Transient where the rest need not be read.
void CopyGroup::check_worth(const Table& table) const {
  if (gives_way_) {
    throw Error(ErrorKind::Transient, "somebody waits behind the copy");
  }
  if (unwatched_) {
    throw Error(ErrorKind::Transient, "nobody sees any more who waits behind the copy");
  }
  if (wiring_.state.journal_full) {
    throw Error(ErrorKind::Transient,
                "the journal is full, and the copy holds what comes meanwhile: raise "
                "journal.max_bytes");
  }
  if (!wiring_.state.tables.is_current(table.size.oid, table.attempt)) {
    throw Error(ErrorKind::Transient, "the table left while it was copied");
  }
}

void CopyGroup::hand_in(const Task& task, Layer layer, ReadSoFar& read, bool ends_range) {
  const std::lock_guard lock(mutex_);
  Table& table = *task.table;
  if (!table.reason.empty() || table.done) {
    return;
  }
  check_worth(table);
  if (table.steps == 0) {
    layer.changes = {CreateTable{}};
  }
  table.rows += layer.rows.size();
  const std::uint64_t bytes =
      ends_range ? task.bytes : bytes_read_of(table.size, task.bytes, read.rows, read.text_bytes);
  table.bytes_read += bytes - std::exchange(read.bytes_handed_in, bytes);
  const bool last = ends_range && --table.ranges_left == 0;
  if (layer.rows.empty() && !last) {
    return;
  }
  if (last && table.rows == 0 && table.initial_copy != InitialCopy::Never) {
    TableSchema schema = *table.schema;
    schema.history.empty = true;
    layer.table = std::make_shared<const TableSchema>(std::move(schema));
  }
  wait_for_room();
  layer.copy = CopyStep{.number = ++table.steps,
                        .last = last,
                        .position = position_,
                        .bytes = std::exchange(table.bytes_read, 0),
                        .initial_copy = table.initial_copy,
                        .attempt = table.attempt};
  ++batch_layers_;
  batch_bytes_ += layer.memory_bytes();
  batch_rows_ += layer.rows.size();
  batch_tables_ += last ? 1 : 0;
  table.done = last;
  wiring_.room.layer(std::move(layer));
  if (fills_batch()) {
    seal();
  }
}

/// All workers wait behind the one that waits here.
void CopyGroup::wait_for_room() {
  const SteadyTime last = real_clock().steady() + limits_.patience;
  while (!wiring_.room.has_free_slot()) {
    if (gives_way_) {
      throw Error(ErrorKind::Transient, "somebody waits behind the copy");
    }
    if (wiring_.state.journal_full) {
      throw Error(ErrorKind::Transient,
                  "the journal is full, and the copy's snapshot holds back VACUUM in the source");
    }
    if (real_clock().steady() > last) {
      throw Error(ErrorKind::Transient,
                  fmt::format("the target has taken nothing for {} min, and the copy's snapshot "
                              "holds back VACUUM in the source",
                              limits_.patience.count()));
    }
    if (!wait_for(kLookForSlot, stop_)) {
      throw Stopped();
    }
  }
}

void CopyGroup::seal() {
  if (batch_layers_ > 0 || !refused_.empty()) {
    wiring_.room.seal({}, std::exchange(refused_, {}));
  }
  batch_layers_ = 0;
  batch_bytes_ = 0;
  batch_rows_ = 0;
  batch_tables_ = 0;
}

}  // namespace re_dms
