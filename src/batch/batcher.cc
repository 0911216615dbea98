#include "batch/batcher.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/error.h"
#include "batch/batch_fold.h"
#include "pgoutput/messages.h"

namespace re_dms {

namespace {

[[noreturn]] void contradiction(const std::string& what) {
  throw Error(ErrorKind::Fatal, "the journal contradicts itself: " + what);
}

bool is_message(const RecordView& record, char type) {
  return record.kind == RecordKind::Message && !record.body.empty() && record.body[0] == type;
}

Lsn idle_position(std::string_view records) {
  RecordCursor cursor(records);
  if (cursor.at_end()) {
    contradiction("an idle unit is empty");
  }
  const RecordView record = cursor.next();
  if (record.kind != RecordKind::Idle || record.body.size() < sizeof(std::uint64_t)) {
    contradiction("an idle unit holds no idle position");
  }
  return Lsn{load_be<std::uint64_t>(record.body.data())};
}

}  // namespace

struct Batcher::State {
  State(BatchLimits bounds, Lsn from, const std::vector<KnownTable>& known, BatchSink& out,
        Unknown unknown)
      : limits(bounds),
        sink(out),
        fold(bounds, from, known, unknown, out),
        start(from),
        position(from) {
    span.from = from;
  }

  /// A transaction that is read in parts.
  struct LargeTransaction {
    pgoutput::Begin begin;
    bool passing = false;
  };

  void consume(const JournalUnit& unit);
  void facts(std::string_view records);
  void idle(Lsn at);
  void transaction(std::string_view records);
  void first_part(std::string_view records);
  void next_part(std::string_view records, UnitKind kind);
  void abort();
  pgoutput::Begin begin_of(RecordCursor& cursor) const;
  void walk(RecordCursor cursor, const pgoutput::Begin& begin, bool passing, bool ends);
  void commit(const pgoutput::Begin& begin, const pgoutput::Commit& commit, bool passing);
  void reach(Lsn at);
  void seal();

  BatchLimits limits;
  BatchSink& sink;
  BatchFold fold;
  Lsn start;             // transactions below are passed over
  bool reached = false;  // whether anything at or beyond it came
  Lsn position;
  BatchSpan span;            // of the open batch; `number` and `to` are filled by the seal
  std::uint64_t sealed = 0;  // number of the last batch
  std::optional<LargeTransaction> large;
};

void Batcher::State::consume(const JournalUnit& unit) {
  const bool continues = unit.kind == UnitKind::NextPart || unit.kind == UnitKind::LastPart ||
                         unit.kind == UnitKind::Abort;
  if (continues != large.has_value()) {
    contradiction(continues ? "a part of a transaction came without its beginning"
                            : "something came between the parts of a transaction");
  }
  switch (unit.kind) {
    case UnitKind::Transaction:
      return transaction(unit.records);
    case UnitKind::FirstPart:
      return first_part(unit.records);
    case UnitKind::NextPart:
    case UnitKind::LastPart:
      return next_part(unit.records, unit.kind);
    case UnitKind::Abort:
      return abort();
    case UnitKind::Idle:
      return idle(idle_position(unit.records));
    case UnitKind::Facts:
      return facts(unit.records);
  }
}

void Batcher::State::facts(std::string_view records) {
  // A table that cannot be followed further loses the open batch: where no copy makes up for it,
  // what is complete goes first.
  if (reached && fold.has_work() && fold.would_change(records, position)) {
    seal();
  }
  for (RecordCursor cursor(records); !cursor.at_end();) {
    const RecordView record = cursor.next();
    if (record.kind == RecordKind::Message && !is_message(record, 'M')) {
      contradiction("a message that belongs in a transaction is outside of one");
    }
    if (reached) {
      fold.fold(record, position);
    } else {
      fold.pass(record);
    }
  }
  if (reached) {
    fold.settle();
  }
}

/// The stream is at or beyond `at`.
void Batcher::State::reach(Lsn at) {
  if (!reached && at >= start) {
    reached = true;
    fold.settle();
  }
}

void Batcher::State::idle(Lsn at) {
  reach(at);
  position = std::max(position, at);
}

/// The Begin that a transaction starts with.
pgoutput::Begin Batcher::State::begin_of(RecordCursor& cursor) const {
  if (cursor.at_end()) {
    contradiction("a transaction without records");
  }
  const RecordView record = cursor.next();
  if (!is_message(record, 'B')) {
    contradiction("a transaction does not start with a Begin message");
  }
  const pgoutput::Begin begin = pgoutput::decode_begin(record.body);
  if (begin.commit_lsn >= start && begin.commit_lsn < position) {
    contradiction(fmt::format("the transaction at {} came although {} was reached before it",
                              begin.commit_lsn, position));
  }
  return begin;
}

void Batcher::State::transaction(std::string_view records) {
  RecordCursor cursor(records);
  const pgoutput::Begin begin = begin_of(cursor);
  const bool passing = begin.commit_lsn < start;
  reach(begin.commit_lsn);
  // So that in the target the schema changes come first.
  if (!passing && fold.has_work() && fold.would_change(records, begin.commit_lsn)) {
    seal();
  }
  walk(cursor, begin, passing, true);
}

void Batcher::State::first_part(std::string_view records) {
  RecordCursor cursor(records);
  const pgoutput::Begin begin = begin_of(cursor);
  large = LargeTransaction{begin, begin.commit_lsn < start};
  if (!large->passing) {
    reach(begin.commit_lsn);
    // What comes is folded before its end is known and may turn out void, so it starts a batch.
    if (fold.has_work()) {
      seal();
    }
    fold.remember();
  }
  walk(cursor, begin, large->passing, false);
}

void Batcher::State::next_part(std::string_view records, UnitKind kind) {
  const LargeTransaction part = *large;
  const bool ends = kind == UnitKind::LastPart;
  walk(RecordCursor(records), part.begin, part.passing, ends);
}

/// Folds the records of a transaction from the cursor on; `ends`: the last one is its Commit.
void Batcher::State::walk(RecordCursor cursor, const pgoutput::Begin& begin, bool passing,
                          bool ends) {
  while (!cursor.at_end()) {
    const RecordView record = cursor.next();
    if (is_message(record, 'C')) {
      if (!ends || !cursor.at_end()) {
        contradiction(
            fmt::format("the transaction at {} has a Commit before its end", begin.commit_lsn));
      }
      return commit(begin, pgoutput::decode_commit(record.body), passing);
    }
    if (passing) {
      fold.pass(record);
      continue;
    }
    fold.fold(record, begin.commit_lsn);
    if (large && fold.memory_bytes() > limits.memory_bytes) {
      sink.cut_transaction(begin.xid, begin.commit_lsn);
      fold.hand_on();
    }
  }
  if (ends) {
    contradiction(fmt::format("the transaction at {} has no Commit", begin.commit_lsn));
  }
}

void Batcher::State::commit(const pgoutput::Begin& begin, const pgoutput::Commit& commit,
                            bool passing) {
  if (commit.commit_lsn != begin.commit_lsn || commit.end_lsn <= commit.commit_lsn) {
    contradiction(fmt::format("the transaction at {} ends with a Commit for {} that reaches to {}",
                              begin.commit_lsn, commit.commit_lsn, commit.end_lsn));
  }
  large.reset();
  if (passing) {
    return reach(commit.end_lsn);
  }
  fold.forget();
  fold.settle();
  position = commit.end_lsn;
  if (span.transactions == 0) {
    span.first_commit = commit.commit_time;
  }
  span.last_commit = commit.commit_time;
  ++span.transactions;
  if (fold.memory_bytes() >= limits.memory_bytes) {
    seal();
  }
}

void Batcher::State::abort() {
  if (!large->passing) {
    sink.drop();
    fold.undo();
  }
  large.reset();
}

void Batcher::State::seal() {
  if (position == span.from) {
    return;
  }
  span.number = ++sealed;
  span.to = position;
  span.changes = fold.changes();
  fold.hand_on();
  std::vector<SetAside> set_aside = fold.end_batch();
  for (SetAside& table : set_aside) {
    table.position = std::max(table.position, span.from);
  }
  const BatchSpan done = std::exchange(span, BatchSpan{});
  span.from = position;
  span.joins = done.joins;
  sink.seal(done, std::move(set_aside));
}

Batcher::Batcher(BatchLimits limits, Lsn from, const std::vector<KnownTable>& known,
                 BatchSink& sink, Unknown unknown)
    : state_(std::make_unique<State>(limits, from, known, sink, unknown)) {}

Batcher::~Batcher() = default;

void Batcher::begin_at(Lsn position) {
  state_->reach(position);
}

void Batcher::consume(const JournalUnit& unit) {
  state_->consume(unit);
}

bool Batcher::has_work() const {
  return state_->fold.has_work();
}

bool Batcher::in_transaction() const {
  return state_->large && !state_->large->passing;
}

bool Batcher::has_begun() const {
  return state_->reached;
}

Lsn Batcher::position() const {
  return state_->position;
}

void Batcher::seal() {
  RE_DMS_CHECK(!in_transaction());
  state_->seal();
}

void Batcher::set_aside(Oid table) {
  state_->fold.skip(table);
}

void Batcher::join(std::vector<RosterEntry> tables) {
  RE_DMS_CHECK(has_begun() && !in_transaction() && !has_work());
  for (RosterEntry& table : tables) {
    state_->fold.join(std::move(table));
  }
  ++state_->span.joins;
}

std::vector<RosterEntry> Batcher::hand_over(const std::vector<Oid>& tables) const {
  RE_DMS_CHECK(!in_transaction() && !has_work());
  std::vector<RosterEntry> entries;
  for (const Oid oid : tables) {
    if (auto entry = state_->fold.entry(oid)) {
      entries.push_back(*std::move(entry));
    }
  }
  return entries;
}

std::uint64_t Batcher::changes() const {
  return state_->fold.changes();
}

std::size_t Batcher::memory_bytes() const {
  return state_->fold.memory_bytes();
}

}  // namespace re_dms
