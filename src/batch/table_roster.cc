#include "batch/table_roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "pgoutput/messages.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

/// Whether rows that the relation describes are rows of this shape.
bool fits(const TableSchema& schema, const Relation& relation) {
  // Under FULL the relation marks every column and does not say what tells rows apart.
  const bool full = relation.identity == ReplicaIdentity::Full;
  return schema.name == relation.name && schema.identity == relation.identity &&
         std::equal(schema.columns.begin(), schema.columns.end(), relation.columns.begin(),
                    relation.columns.end(), [&](const Column& column, const RelationColumn& other) {
                      return column.name == other.name && column.type.oid == other.type_oid &&
                             column.type.typmod == other.typmod &&
                             (full || column.key == other.key);
                    });
}

std::optional<Refusal> check_identity(const TableSchema& table) {
  const bool full = table.identity == ReplicaIdentity::Full;
  if (table.identity == ReplicaIdentity::Nothing || (!full && key_columns(table).empty())) {
    return Refusal{
        "it has no replica identity that tells its rows apart; give it a primary key, or a unique "
        "index over NOT NULL columns and ALTER TABLE … REPLICA IDENTITY USING INDEX, or ALTER "
        "TABLE … REPLICA IDENTITY FULL"};
  }
  return std::nullopt;
}

const TableSchema* schema_of(const std::shared_ptr<const CatalogTable>& catalog) {
  return catalog ? &catalog->schema : nullptr;
}

/// Whether the rows of the transaction that commits at `at` can be told apart by the primary key.
/// They can from the position at which the catalog was asked and showed the key: any writer to the
/// table before it had the key committed before the key did (ADD PRIMARY KEY waits for them). This
/// holds until the next answer: when the key is dropped, a Relation message comes before the next
/// row and the catalog is asked again. Earlier in the stream the table may have held equal rows.
bool is_keyed(const TableSchema& table, const RosterEntry& entry, Lsn at) {
  return entry.certain_key && at >= entry.certain_key->since &&
         std::ranges::all_of(entry.certain_key->key.columns, [&](std::int16_t attnum) {
           return std::ranges::find(table.columns, attnum, &Column::attnum) != table.columns.end();
         });
}

/// The key counts from the first answer that names it with the replica identity FULL.
void note_key(RosterEntry& entry, const CatalogTable& answer) {
  if (!answer.primary_key || !answer.asked_at.known() ||
      answer.schema.identity != ReplicaIdentity::Full) {
    entry.certain_key.reset();
  } else if (!entry.certain_key || entry.certain_key->key != *answer.primary_key) {
    entry.certain_key = CertainKey{*answer.primary_key, answer.asked_at};
  }
}

/// The answer has the columns of the table's version.
void note_history(RosterEntry& entry, const CatalogTable& answer) {
  const TableHistory& told = answer.schema.history;
  entry.history.file_node = told.file_node;
  // An answer ahead of the stream counts columns too that were dropped again and are still to come
  // in it. Without such, the numbers that are not in the stream are generated columns.
  if (!is_ahead(*entry.schema, entry.history, answer.schema)) {
    entry.history.last_attnum = told.last_attnum;
  } else if (answer.asked_at.known()) {
    entry.dropped_attnums = {told.last_attnum, answer.asked_at};
  }
}

/// What is known before the rows of the transaction that commits at `at`.
TableHistory history_at(const RosterEntry& entry, Lsn at) {
  TableHistory history = entry.history;
  if (entry.dropped_attnums.since.known() && at >= entry.dropped_attnums.since) {
    history.last_attnum = std::max(history.last_attnum, entry.dropped_attnums.last_attnum);
  }
  return history;
}

/// Under REPLICA IDENTITY FULL the identity does not decide what tells rows apart.
void set_key(TableSchema& table, const RosterEntry& entry, Lsn at) {
  table.certain_key.reset();
  if (table.identity != ReplicaIdentity::Full) {
    return;
  }
  table.certain_key = entry.certain_key;
  const bool keyed = is_keyed(table, entry, at);
  for (Column& column : table.columns) {
    column.key = keyed && std::ranges::find(entry.certain_key->key.columns, column.attnum) !=
                              entry.certain_key->key.columns.end();
  }
}

/// The version that the facts make of a live table.
std::variant<TableSchema, Refusal> next_version(const RosterEntry& entry) {
  // The target's version of a table is newer than facts passed over on the way to its position.
  if (!entry.relation || (entry.passed_over && fits(*entry.schema, *entry.relation))) {
    return *entry.schema;
  }
  return complete_schema(*entry.relation, schema_of(entry.catalog), entry.schema.get());
}

/// What the target does not know yet of a table whose shape stays. `history` and `certain_key` are
/// those of its next rows.
Verdict judge_same_shape(const RosterEntry& entry, const TableHistory& history,
                         const std::optional<CertainKey>& certain_key) {
  const bool new_publication = entry.publication && !entry.schema->publication;
  const TableHistory& stored = entry.schema->history;
  // Without the newest file node a restart would conclude that the table was rewritten since.
  const bool new_file =
      history.file_node != stored.file_node || history.last_attnum != stored.last_attnum;
  if (!new_publication && !new_file && certain_key == entry.schema->certain_key) {
    return {};
  }
  TableSchema schema = *entry.schema;
  schema.history = history;
  schema.publication = entry.publication;
  schema.certain_key = certain_key;
  return NewShape{std::move(schema), {StoreSchema{}}};
}

bool changes_target(const SchemaChange& change) {
  return !std::holds_alternative<StoreSchema>(change);
}

std::optional<Refusal> check_publication(const RosterEntry& entry) {
  return entry.catalog ? unpublished_in_between(entry.publication, *entry.catalog) : std::nullopt;
}

std::optional<Refusal> check_key(const RosterEntry& entry) {
  if (entry.catalog && entry.catalog->unsent_key) {
    return Refusal{
        "its replica identity has a generated column, which PostgreSQL does not send, so rows that "
        "differ only in it look the same; ALTER TABLE … REPLICA IDENTITY USING INDEX, with a "
        "unique index over other columns, or REPLICA IDENTITY FULL"};
  }
  return std::nullopt;
}

/// What the latest answer alone says against the table.
std::optional<Refusal> check_answer(const RosterEntry& entry) {
  auto refusal = check_key(entry);
  return refusal ? refusal : check_publication(entry);
}

/// The first of the relation's names that is not UTF-8.
const std::string* unreadable_name(const Relation& relation) {
  for (const std::string* name : {&relation.name.schema, &relation.name.name}) {
    if (!is_utf8(*name)) {
      return name;
    }
  }
  const auto column = std::ranges::find_if_not(relation.columns, is_utf8, &RelationColumn::name);
  return column == relation.columns.end() ? nullptr : &column->name;
}

/// Names and values without encoding cannot be written to any target.
std::optional<Refusal> check_names(const RosterEntry& entry) {
  std::string unreadable;
  // The target's version of a table is newer than facts passed over on the way to its position.
  if (entry.catalog && !(entry.schema && entry.answer_passed_over)) {
    unreadable = entry.catalog->unreadable;
  }
  if (entry.relation && unreadable.empty() && !(entry.schema && entry.passed_over)) {
    const std::string* name = unreadable_name(*entry.relation);
    unreadable = name != nullptr ? readable(*name) : "";
  }
  if (unreadable.empty()) {
    return std::nullopt;
  }
  return Refusal{fmt::format(
      "{} is not UTF-8, and the target accepts nothing else: rename it, or correct the value, "
      "before the table is copied again",
      unreadable)};
}

Verdict judge_live(const RosterEntry& entry, Lsn at) {
  // The target's version of a table is newer than facts passed over on the way to its position.
  if (!entry.answer_passed_over) {
    if (auto refusal = check_answer(entry)) {
      return std::move(*refusal);
    }
  }
  auto version = next_version(entry);
  if (auto* refusal = std::get_if<Refusal>(&version)) {
    return std::move(*refusal);
  }
  auto& schema = std::get<TableSchema>(version);
  set_key(schema, entry, at);
  if (auto refusal = check_identity(schema)) {
    return std::move(*refusal);
  }
  const TableHistory history = history_at(entry, at);
  auto compared = compare_schemas(*entry.schema, history, schema);
  if (auto* refusal = std::get_if<Refusal>(&compared)) {
    return std::move(*refusal);
  }
  auto& changes = std::get<std::vector<SchemaChange>>(compared);
  // Another way to tell rows apart: the layer so far ends, although the target's table stays as it
  // is. Stored also without a row, so that a restart begins with what is known here.
  if (changes.empty() && schema.identity == entry.schema->identity &&
      key_columns(schema) == key_columns(*entry.schema)) {
    return judge_same_shape(entry, history, schema.certain_key);
  }
  if (changes.empty()) {
    changes.emplace_back(StoreSchema{});
  }
  schema.publication = entry.publication;
  schema.history = history_to_keep(schema, history, schema_of(entry.catalog));
  return NewShape{std::move(schema), std::move(changes)};
}

}  // namespace

void Facts::read(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::Catalog:
      for (CatalogTable& table : catalog_from_json(record.body)) {
        tables.push_back(std::move(table));
      }
      return;
    case RecordKind::Relation:
      relations.push_back(pgoutput::decode_relation(record.body));
      return;
    case RecordKind::Message:
      if (!record.body.empty() && record.body[0] == 'R') {
        relations.push_back(pgoutput::decode_relation(record.body));
      }
      return;
    case RecordKind::Idle:
    case RecordKind::Abort:
      return;
  }
}

TableRoster::TableRoster(Lsn start, const std::vector<KnownTable>& known) : start_(start) {
  for (const KnownTable& table : known) {
    const std::size_t index = find_or_add(table.schema.oid);
    set_schema(index, std::make_shared<const TableSchema>(table.schema));
    RosterEntry& entry = entries_[index];
    entry.standing = table.live ? Standing::Live : Standing::NotLive;
    entry.position = std::max(start, table.position);
    entry.history = table.schema.history;
    entry.certain_key = table.schema.certain_key;
    entry.publication = table.schema.publication;
  }
}

void TableRoster::set_schema(std::size_t index, TablePtr schema) {
  forget_name(index);
  entries_[index].schema = std::move(schema);
  note_name(index);
}

void TableRoster::forget_name(std::size_t index) {
  if (const TablePtr& schema = entries_[index].schema) {
    const auto named = by_name_.find(std::pair(schema->name.schema, schema->name.name));
    RE_DMS_CHECK(named != by_name_.end() && named->second.erase(index) == 1);
    if (named->second.empty()) {
      by_name_.erase(named);
    }
  }
}

void TableRoster::note_name(std::size_t index) {
  if (const TablePtr& schema = entries_[index].schema) {
    by_name_[std::pair(schema->name.schema, schema->name.name)].insert(index);
  }
}

std::size_t TableRoster::find(Oid oid) const {
  const auto found = by_oid_.find(oid);
  return found == by_oid_.end() ? kNone : found->second;
}

std::size_t TableRoster::find_or_add(Oid oid) {
  const auto [found, added] = by_oid_.try_emplace(oid, entries_.size());
  if (added) {
    RosterEntry& entry = entries_.emplace_back();
    entry.oid = oid;
    entry.position = start_;
  }
  return found->second;
}

void TableRoster::mark(std::size_t index, bool passing) {
  entries_[index].unsettled = true;
  entries_[index].passed_over = passing;
  unsettled_.push_back(index);
}

bool TableRoster::is_passing(const RosterEntry& entry, Lsn at) {
  return !at.known() || at < entry.position;
}

void TableRoster::note(Facts&& facts, Lsn at) {
  for (Relation& relation : facts.relations) {
    const std::size_t index = find_or_add(relation.oid);
    entries_[index].relation = std::make_shared<const Relation>(std::move(relation));
    mark(index, is_passing(entries_[index], at));
  }
  for (CatalogTable& table : facts.tables) {
    const std::size_t index = find_or_add(table.schema.oid);
    RosterEntry& entry = entries_[index];
    const bool passing = is_passing(entry, at);
    // What is stored with the target's version of a table is newer than answers passed over.
    if (!passing && entry.schema && same_columns(*entry.schema, table.schema)) {
      note_history(entry, table);
    }
    if (!passing || !entry.schema) {
      note_key(entry, table);
    }
    if (!entry.publication) {
      entry.publication = table.schema.publication;
    }
    entry.catalog = std::make_shared<const CatalogTable>(std::move(table));
    if (entry.standing == Standing::Unmet && !entry.oldest) {
      entry.oldest = entry.catalog;
    }
    entry.answer_passed_over = passing;
    mark(index, passing);
  }
}

std::vector<std::size_t> TableRoster::take_unsettled() {
  return std::exchange(unsettled_, {});
}

Verdict TableRoster::judge(const RosterEntry& entry, Lsn at) const {
  if (entry.standing == Standing::NotLive) {
    return {};
  }
  if (auto refusal = check_names(entry)) {
    return std::move(*refusal);
  }
  switch (entry.standing) {
    case Standing::Unmet:
      return judge_unmet(entry, at);
    case Standing::Live:
      return judge_live(entry, at);
    case Standing::NotLive:
      return {};
  }
  return {};
}

Verdict TableRoster::judge_unmet(const RosterEntry& entry, Lsn at) const {
  // Without a name: dropped before anything was heard of it.
  if (!entry.catalog || entry.catalog->schema.name.name.empty()) {
    return {};
  }
  if (auto refusal = check_key(entry)) {
    return std::move(*refusal);
  }
  if (!entry.catalog->admitted) {
    return Refusal{
        "it already held rows when re_dms first saw it, and this version cannot copy them; a table "
        "must exist and be empty when replication begins"};
  }
  if (auto refusal = check_publication(entry)) {
    return std::move(*refusal);
  }
  TableSchema schema = entry.catalog->schema;
  if (entry.relation) {
    auto completed = complete_schema(*entry.relation, &entry.catalog->schema, nullptr);
    if (auto* refusal = std::get_if<Refusal>(&completed)) {
      return std::move(*refusal);
    }
    schema = std::move(std::get<TableSchema>(completed));
  }
  const TableSchema& oldest = entry.oldest->schema;
  if (auto refusal = ambiguous_columns(schema, oldest, entry.catalog->schema)) {
    // Without rows nothing is lost yet, and a table created as the catalog describes it now would
    // fit both.
    return entry.relation ? Verdict{std::move(*refusal)} : Verdict{};
  }
  if (entry.relation) {
    // The oldest answer may be ahead of the stream too.
    schema.history =
        history_to_keep(schema, includes_columns(schema, oldest) ? oldest.history : TableHistory{},
                        &entry.catalog->schema);
    schema.publication = entry.publication;
  }
  schema.history.empty = true;
  set_key(schema, entry, at);
  if (auto refusal = check_identity(schema)) {
    return std::move(*refusal);
  }
  const auto named = by_name_.find(std::pair(schema.name.schema, schema.name.name));
  for (const std::size_t other :
       named == by_name_.end() ? std::set<std::size_t>() : named->second) {
    if (entries_[other].oid != entry.oid) {
      return Refusal{
          fmt::format("the target holds another table of this name (OID {} in the source), which "
                      "was dropped or renamed",
                      entries_[other].oid)};
    }
  }
  return NewShape{std::move(schema), {CreateTable{}}};
}

bool TableRoster::would_change(const Facts& facts, Lsn at) const {
  absl::flat_hash_map<Oid, const CatalogTable*> answers;
  for (const CatalogTable& table : facts.tables) {
    answers[table.schema.oid] = &table;
  }
  const auto changes = [&](RosterEntry probe) {
    probe.passed_over = false;
    if (probe.standing != Standing::Live || probe.assumed || at < probe.position) {
      return false;
    }
    const Verdict verdict = judge(probe, at);
    const auto* shape = std::get_if<NewShape>(&verdict);
    return shape != nullptr ? std::ranges::any_of(shape->changes, changes_target)
                            : std::holds_alternative<Refusal>(verdict);
  };
  const auto with_catalog = [&](Oid oid) {
    const std::size_t index = find(oid);
    RosterEntry probe = index == kNone ? RosterEntry{} : entries_[index];
    if (const auto answer = answers.find(oid); answer != answers.end()) {
      probe.catalog = std::make_shared<const CatalogTable>(*answer->second);
      probe.answer_passed_over = false;
    }
    return probe;
  };
  const bool relations =
      std::any_of(facts.relations.begin(), facts.relations.end(), [&](const Relation& relation) {
        RosterEntry probe = with_catalog(relation.oid);
        probe.relation = std::make_shared<const Relation>(relation);
        return changes(std::move(probe));
      });
  return relations ||
         std::any_of(facts.tables.begin(), facts.tables.end(), [&](const CatalogTable& table) {
           return changes(with_catalog(table.schema.oid));
         });
}

void TableRoster::restore(std::vector<RosterEntry> entries) {
  unsettled_.clear();
  // Entries are never removed, so the copy is a prefix and the indexes stay right.
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    RosterEntry before;
    before.oid = entries_[i].oid;
    before.position = entries_[i].position;
    if (i < entries.size()) {
      before = std::move(entries[i]);
    }
    const bool news = before.catalog != entries_[i].catalog;
    before.catalog = entries_[i].catalog;
    before.oldest = entries_[i].oldest;
    before.answer_passed_over = entries_[i].answer_passed_over;
    if (!before.publication) {
      before.publication = entries_[i].publication;
    }
    forget_name(i);
    entries_[i] = std::move(before);
    note_name(i);
    if (entries_[i].standing == Standing::Unmet && entries_[i].catalog) {
      unsettled_.push_back(i);
    } else if (news) {
      mark(i, entries_[i].answer_passed_over);
    }
  }
}

bool is_as_assumed(const RosterEntry& entry) {
  return fits(*entry.schema, *entry.relation);
}

std::optional<Lsn> keyed_from(const RosterEntry& entry) {
  const bool waits = entry.standing == Standing::Live && is_multiset(*entry.schema) &&
                     entry.certain_key && is_keyed(*entry.schema, entry, entry.certain_key->since);
  return waits ? std::optional(entry.certain_key->since) : std::nullopt;
}

QualifiedName name_of(const RosterEntry& entry) {
  if (entry.schema) {
    return entry.schema->name;
  }
  if (entry.relation) {
    return {readable(entry.relation->name.schema), readable(entry.relation->name.name)};
  }
  return entry.catalog ? entry.catalog->schema.name : QualifiedName{};
}

}  // namespace re_dms
