#include "batch/batch_fold.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "pgoutput/messages.h"

namespace re_dms {

namespace {

bool is_raw(const RosterEntry& entry) {
  return entry.facts.answer && entry.facts.answer->raw_text;
}

/// The index of a column for which a row of the change has a value that is not UTF-8.
std::optional<std::size_t> unreadable_column(const TextProof& proof, std::string_view message) {
  switch (message[0]) {
    case 'I':
      return proof.unreadable_column(pgoutput::decode_insert(message).tuple);
    case 'D':
      return proof.unreadable_column(pgoutput::decode_delete(message).old_tuple);
    default: {
      const pgoutput::Update update = pgoutput::decode_update(message);
      const auto old = proof.unreadable_column(update.old_tuple);
      return old ? old : proof.unreadable_column(update.tuple);
    }
  }
}

}  // namespace

void BatchFold::fold(const RecordView& record, Lsn commit_lsn) {
  at_ = commit_lsn;
  if (record.kind != RecordKind::Message) {
    if (record.kind != RecordKind::Catalog && record.kind != RecordKind::Relation) {
      throw Error(ErrorKind::Fatal,
                  fmt::format("a journal record of kind '{}' is inside the transaction at {}",
                              static_cast<char>(record.kind), commit_lsn));
    }
    note(record, commit_lsn);
    return;
  }
  switch (record.body.empty() ? '\0' : record.body[0]) {
    case 'I':
    case 'U':
    case 'D':
      fold_row(record.body, commit_lsn);
      return;
    case 'R':
      note(record, commit_lsn);
      return;
    case 'T':
      truncate(pgoutput::decode_truncate(record.body));
      return;
    case 'M':
    case 'O':
    case 'Y':
      return;
    default:
      throw Error(
          ErrorKind::Fatal,
          fmt::format("a message that does not belong to a transaction is inside the one at {}",
                      commit_lsn));
  }
}

void BatchFold::note(const RecordView& record, Lsn at) {
  std::vector<ToldShape> told;
  read_shapes(record, told);
  if (!told.empty()) {
    roster_.note(std::move(told), at);
    add_tables();
  }
}

void BatchFold::add_tables() {
  current_.resize(roster_.size());
}

void BatchFold::check_has_relation(const RosterEntry& entry) const {
  if (!entry.facts.relation) {
    throw Error(ErrorKind::Fatal,
                fmt::format("a change of {} (OID {}) came before its Relation message",
                            to_string(name_of(entry)), entry.oid));
  }
}

/// Where changes of this table go; null when they are skipped.
TableFold* BatchFold::fold_of(Oid oid) {
  const std::size_t table = roster_.find(oid);
  if (table == TableRoster::kNone) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("a change of the table with OID {} came before its Relation message", oid));
  }
  if (roster_.at(table).standing == Standing::NotLive || at_ < roster_.at(table).position) {
    return nullptr;
  }
  if (at_ >= roster_.at(table).settled_below) {
    check_has_relation(roster_.at(table));
    settle(table, Cause::Row);
    if (roster_.at(table).standing == Standing::Unmet) {
      set_aside(table, "the journal holds no catalog entry for it", Remedy::Copy);
    }
    if (roster_.at(table).standing == Standing::NotLive) {
      return nullptr;
    }
  }
  TableFold* fold = current_[table];
  return fold != nullptr ? fold : &start_layer(table, roster_.at(table).schema, {});
}

void BatchFold::fold_row(std::string_view message, Lsn commit_lsn) {
  const Oid oid = pgoutput::row_relation(message);
  TableFold* fold = fold_of(oid);
  if (fold == nullptr) {
    return;
  }
  if (!fold->proof().empty() && !prove(*fold, message)) [[unlikely]] {
    return;
  }
  ++changes_;
  fold->count_change();
  const std::size_t before = fold->memory_bytes();
  const RowFault fault = message[0] == 'I'   ? fold->insert(pgoutput::decode_insert(message))
                         : message[0] == 'U' ? fold->update(pgoutput::decode_update(message))
                                             : fold->erase(pgoutput::decode_delete(message));
  count_memory(before, fold->memory_bytes());
  if (fault == RowFault::None) {
    return;
  }
  std::string reason = fmt::format("{} (transaction at {}", describe(fault), commit_lsn);
  if (fault == RowFault::RowTooLarge) {
    reason += fmt::format(
        ", {} bytes). Raise it, and batch.memory if that is too small for it, before the table is "
        "copied again",
        fold->refused_bytes());
  } else {
    reason += ')';
  }
  set_aside(roster_.find(oid), std::move(reason), remedy_of(fault));
}

/// Sets the table aside and returns false when a value of the row is not what its target can hold.
bool BatchFold::prove(const TableFold& fold, std::string_view message) {
  const std::optional<std::size_t> bad = unreadable_column(fold.proof(), message);
  if (!bad) {
    return true;
  }
  const std::size_t table = roster_.find(pgoutput::row_relation(message));
  const TableSchema& schema = *roster_.at(table).schema;
  set_aside(table,
            fmt::format("column {} got a value that is not UTF-8 (transaction at {}). {}",
                        schema.columns.at(*bad).name, at_,
                        is_raw(roster_.at(table))
                            ? "The source's database has the encoding SQL_ASCII, where PostgreSQL "
                              "does not check text: correct the value there, or move the database "
                              "to the encoding UTF8, before the table is copied again"
                            : "The type \"char\" can hold any byte: use text or smallint instead, "
                              "or correct the value, before the table is copied again"));
  return false;
}

void BatchFold::truncate(const pgoutput::Truncate& message) {
  for (const Oid oid : message.relations) {
    // First: then the values of older rows in a column that only now becomes known do not matter.
    if (const std::size_t table = roster_.find(oid);
        table != TableRoster::kNone && at_ >= roster_.at(table).position) {
      drop_rows(table);
    }
    if (fold_of(oid) == nullptr) {
      continue;
    }
    const std::size_t table = roster_.find(oid);
    start_layer(table, roster_.at(table).schema, {}).truncate_first();
    roster_.at(table).empty = true;
  }
}

/// What was folded so far would be deleted again; only its schema changes are still to be made.
void BatchFold::drop_rows(std::size_t table) {
  for (OpenLayer& layer : layers_) {
    if (layer.table == table) {
      const std::size_t before = layer.fold->memory_bytes();
      layer.fold->drop_rows();
      count_memory(before, layer.fold->memory_bytes());
    }
  }
  roster_.at(table).empty = true;
}

/// A table whose layer got a row, whatever became of it, is no longer known to be empty.
void BatchFold::note_rows(std::size_t table) {
  if (const TableFold* fold = current_[table]; fold != nullptr && fold->got_rows()) {
    roster_.at(table).empty = false;
  }
}

void BatchFold::settle() {
  for (const std::size_t table : roster_.take_unsettled()) {
    const RosterEntry& entry = roster_.at(table);
    const bool waits = entry.standing == Standing::Live && entry.facts.stand_before(entry.position);
    if (!entry.settled_below.known() && !waits) {
      settle(table, Cause::Facts);
    }
  }
}

void BatchFold::settle(std::size_t table, Cause cause) {
  if (RosterEntry& entry = roster_.at(table); entry.assumed && entry.facts.relation) {
    if (!is_as_assumed(entry)) {
      discard(table);
      entry.standing = Standing::Unmet;
      roster_.set_schema(table, nullptr);
    }
    entry.assumed = false;
  }
  note_rows(table);
  Verdict verdict = roster_.judge(roster_.at(table), at_, cause);
  if (auto* refusal = std::get_if<Refusal>(&verdict)) {
    set_aside(table, std::move(refusal->reason), refusal->remedy);
    return;
  }
  RosterEntry& entry = roster_.at(table);
  if (auto* shape = std::get_if<NewShape>(&verdict)) {
    entry.assumed = entry.standing == Standing::Unmet && !entry.facts.relation;
    entry.standing = Standing::Live;
    roster_.set_schema(table, std::make_shared<const TableSchema>(std::move(shape->schema)));
    entry.facts.history = entry.schema->history;
    entry.empty = entry.schema->history.empty;
    start_layer(table, entry.schema, std::move(shape->changes));
  }
  entry.settled_below = settled_below(entry);
}

TableFold& BatchFold::start_layer(std::size_t table, const TablePtr& shape,
                                  std::vector<SchemaChange> changes) {
  note_rows(table);
  if (TableFold* last = current_[table]; last != nullptr) {
    const std::size_t before = last->memory_bytes();
    last->close();
    count_memory(before, last->memory_bytes());
  }
  layers_.push_back(
      {table, make_fold(shape, std::move(changes), {row_bytes_max_, is_raw(roster_.at(table))})});
  TableFold& fold = *layers_.back().fold;
  current_[table] = &fold;
  count_memory(0, fold.memory_bytes());
  return fold;
}

bool BatchFold::would_change(std::string_view records, Lsn commit_lsn) const {
  std::vector<ToldShape> told;
  for (RecordCursor cursor(records); !cursor.at_end();) {
    read_shapes(cursor.next(), told);
  }
  return roster_.would_change(told, commit_lsn);
}

void BatchFold::skip(Oid oid) {
  const std::size_t table = roster_.find_or_add(oid);
  add_tables();
  roster_.at(table).standing = Standing::NotLive;
  discard(table);
  std::erase_if(set_aside_, [oid](const SetAside& entry) { return entry.oid == oid; });
  if (start_) {
    start_->skipped.push_back(oid);
  }
}

std::optional<RosterEntry> BatchFold::entry(Oid oid) const {
  const std::size_t table = roster_.find(oid);
  const bool followed = table != TableRoster::kNone && roster_.at(table).standing == Standing::Live;
  return followed ? std::optional(roster_.at(table)) : std::nullopt;
}

void BatchFold::join(RosterEntry entry) {
  const std::size_t table = roster_.join(std::move(entry));
  add_tables();
  RE_DMS_CHECK(current_[table] == nullptr && !start_);
}

void BatchFold::set_aside(std::size_t table, std::string reason, Remedy remedy) {
  RosterEntry& entry = roster_.at(table);
  entry.standing = Standing::NotLive;
  discard(table);
  set_aside_.push_back({entry.oid, name_of(entry), std::move(reason), entry.position, remedy});
}

void BatchFold::discard(std::size_t table) {
  if (std::exchange(current_[table], nullptr) == nullptr) {
    return;
  }
  std::erase_if(layers_, [&](const OpenLayer& layer) {
    if (layer.table != table) {
      return false;
    }
    count_memory(layer.fold->memory_bytes(), 0);
    return true;
  });
}

void BatchFold::discard_all() {
  for (const OpenLayer& layer : layers_) {
    current_[layer.table] = nullptr;
  }
  layers_.clear();
  memory_bytes_ = 0;
}

bool BatchFold::has_work() const {
  return handed_on_ || !set_aside_.empty() ||
         std::any_of(layers_.begin(), layers_.end(),
                     [](const OpenLayer& layer) { return layer.fold->has_work(); });
}

void BatchFold::hand_on() {
  for (OpenLayer& layer : layers_) {
    if (!layer.fold->has_work()) {
      continue;
    }
    handed_on_ = true;
    RosterEntry& entry = roster_.at(layer.table);
    entry.assumed = false;
    const bool last = current_[layer.table] == layer.fold.get();
    if (last) {
      note_rows(layer.table);
    }
    Layer done = layer.fold->take();
    // Stored with the rows that make it so, so that a restart knows it too.
    if (last && entry.empty != entry.schema->history.empty) {
      TableSchema schema = *entry.schema;
      schema.history.empty = entry.empty;
      roster_.set_schema(layer.table, std::make_shared<const TableSchema>(std::move(schema)));
      done.table = entry.schema;
    }
    sink_.layer(std::move(done));
  }
  discard_all();
}

std::vector<SetAside> BatchFold::end_batch() {
  changes_ = 0;
  handed_on_ = false;
  return std::exchange(set_aside_, {});
}

void BatchFold::remember() {
  Start start{{}, set_aside_, {}, changes_, handed_on_};
  for (const OpenLayer& layer : layers_) {
    const Layer& begun = layer.fold->layer();
    if (!begun.changes.empty()) {
      start.layers.push_back({layer.table, begun.table, begun.changes});
    }
  }
  start_ = std::move(start);
  roster_.remember();
}

void BatchFold::undo() {
  RE_DMS_CHECK(start_.has_value());
  Start start = std::move(*start_);
  start_.reset();
  discard_all();
  roster_.undo();
  set_aside_ = std::move(start.set_aside);
  changes_ = start.changes;
  handed_on_ = start.handed_on;
  for (Start::LayerStart& layer : start.layers) {
    start_layer(layer.table, layer.shape, std::move(layer.changes));
  }
  for (const Oid oid : start.skipped) {
    skip(oid);
  }
}

}  // namespace re_dms
