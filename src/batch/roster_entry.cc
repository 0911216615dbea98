#include "batch/roster_entry.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "base/utf8.h"

namespace re_dms {

namespace {

constexpr Lsn kNever{std::numeric_limits<std::uint64_t>::max()};

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

}  // namespace

void note(RosterEntry& entry, Fact<Relation> told) {
  entry.facts.note(std::move(told));
  entry.settled_below = {};
}

void note(RosterEntry& entry, Fact<CatalogTable> told) {
  entry.facts.note(std::move(told), entry.schema.get(), entry.position);
  entry.settled_below = {};
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

namespace {

const TableSchema* answered(const RosterEntry& entry) {
  return entry.facts.answer ? &entry.facts.answer->schema : nullptr;
}

/// Whether the rows of the transaction that commits at `at` can be told apart by the primary key.
/// They can from the position at which the catalog was asked and showed the key: any writer to the
/// table before it had the key committed before the key did (ADD PRIMARY KEY waits for them). This
/// holds until the next answer: when the key is dropped, a Relation message comes before the next
/// row and the catalog is asked again. Earlier in the stream the table may have held equal rows.
bool is_keyed(const TableSchema& table, const RosterEntry& entry, Lsn at) {
  const std::optional<CertainKey>& certain = entry.facts.certain_key;
  return certain && at >= certain->since &&
         std::ranges::all_of(certain->key.columns, [&](std::int16_t attnum) {
           return std::ranges::find(table.columns, attnum, &Column::attnum) != table.columns.end();
         });
}

}  // namespace

/// Under REPLICA IDENTITY FULL the identity does not decide what tells rows apart.
void set_key(TableSchema& table, const RosterEntry& entry, Lsn at) {
  table.certain_key.reset();
  if (table.identity != ReplicaIdentity::Full) {
    return;
  }
  table.certain_key = entry.facts.certain_key;
  const bool keyed = is_keyed(table, entry, at);
  for (Column& column : table.columns) {
    column.key = keyed && std::ranges::find(table.certain_key->key.columns, column.attnum) !=
                              table.certain_key->key.columns.end();
  }
}

namespace {

/// The version that the facts make of a live table.
std::variant<TableSchema, Refusal> next_version(const RosterEntry& entry) {
  const Fact<Relation>& relation = entry.facts.relation;
  if (!relation || (entry.facts.stand_before(entry.position) && fits(*entry.schema, *relation))) {
    return *entry.schema;
  }
  return complete_schema(*relation, answered(entry), entry.schema.get());
}

/// What the target does not know yet of a table whose shape stays. `history` and `certain_key` are
/// those of its next rows.
Verdict judge_same_shape(const RosterEntry& entry, const TableHistory& history,
                         const std::optional<CertainKey>& certain_key) {
  const bool new_publication = entry.facts.publication && !entry.schema->publication;
  const TableHistory& stored = entry.schema->history;
  // Without the newest file node a restart would conclude that the table was rewritten since.
  const bool new_file =
      history.file_node != stored.file_node || history.last_attnum != stored.last_attnum;
  if (!new_publication && !new_file && certain_key == entry.schema->certain_key) {
    return {};
  }
  TableSchema schema = *entry.schema;
  schema.history = history;
  schema.publication = entry.facts.publication;
  schema.certain_key = certain_key;
  return NewShape{std::move(schema), {StoreSchema{}}};
}

}  // namespace

std::optional<Refusal> check_publication(const RosterEntry& entry) {
  const Fact<CatalogTable>& answer = entry.facts.answer;
  return answer ? unpublished_in_between(entry.facts.publication, *answer) : std::nullopt;
}

std::optional<Refusal> check_key(const RosterEntry& entry) {
  if (entry.facts.answer && entry.facts.answer->unsent_key) {
    return Refusal{
        "its replica identity has a column that PostgreSQL does not send, so rows that differ only "
        "in it look the same; put it into the publication's column list or, if it is a generated "
        "column, ALTER TABLE … REPLICA IDENTITY USING INDEX, with a unique index over other "
        "columns, or REPLICA IDENTITY FULL"};
  }
  return std::nullopt;
}

namespace {

/// What the latest answer alone says against the table.
std::optional<Refusal> check_answer(const RosterEntry& entry) {
  if (auto refusal = check_key(entry)) {
    return refusal;
  }
  auto refusal = check_publication(entry);
  return refusal || !entry.facts.answer ? refusal
                                        : altered_types(*entry.schema, entry.facts.answer->schema);
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

}  // namespace

/// Names and values without encoding cannot be written to any target.
std::optional<Refusal> check_names(const RosterEntry& entry) {
  std::string unreadable;
  const Fact<Relation>& relation = entry.facts.relation;
  const Fact<CatalogTable>& answer = entry.facts.answer;
  // The version of a table that has one is newer than facts that stand before its position.
  if (answer && !(entry.schema && stands_before(answer, entry.position))) {
    unreadable = answer->unreadable;
  }
  if (relation && unreadable.empty() &&
      !(entry.schema && entry.facts.stand_before(entry.position))) {
    const std::string* name = unreadable_name(*relation);
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

/// Replication of the table did not begin with its first row. What the catalog says now decides
/// whether a copy would help.
Verdict judge_new(const CatalogTable& table) {
  const bool unpublished = table.asked_at.known() && !table.schema.publication;
  if (unpublished) {
    return {};
  }
  if (auto refusal = check_identity(table.schema)) {
    return std::move(*refusal);
  }
  return Refusal{"it is new here: its rows are to be copied", Remedy::Copy};
}

Verdict judge_live(const RosterEntry& entry, Lsn at) {
  // The table's version is newer than an answer that stands before its position.
  if (!stands_before(entry.facts.answer, entry.position)) {
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
  TableHistory history = entry.facts.history_at(at);
  history.empty = entry.empty;
  auto compared = compare_schemas(*entry.schema, history, schema, answered(entry));
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
  schema.publication = entry.facts.publication;
  schema.history = history_to_keep(schema, history, answered(entry));
  return NewShape{std::move(schema), std::move(changes)};
}

bool is_outdated(const RosterEntry& entry) {
  const Fact<Relation>& relation = entry.facts.relation;
  return entry.standing == Standing::Live && relation && stands_before(relation, entry.position) &&
         !fits(*entry.schema, *relation);
}

bool is_as_assumed(const RosterEntry& entry) {
  return fits(*entry.schema, *entry.facts.relation);
}

Lsn settled_below(const RosterEntry& entry) {
  // Without the Relation message of the next row nothing was compared yet.
  if (!entry.facts.relation || entry.standing == Standing::Unmet || is_outdated(entry)) {
    return Lsn{};
  }
  // From where on the rows of a multiset can be told apart by its primary key.
  const std::optional<CertainKey>& key = entry.facts.certain_key;
  const bool waits = entry.standing == Standing::Live && is_multiset(*entry.schema) && key &&
                     is_keyed(*entry.schema, entry, key->since);
  return waits ? key->since : kNever;
}

QualifiedName name_of(const RosterEntry& entry) {
  if (entry.schema) {
    return entry.schema->name;
  }
  if (const Fact<Relation>& relation = entry.facts.relation) {
    return {readable(relation->name.schema), readable(relation->name.name)};
  }
  return entry.facts.answer ? entry.facts.answer->schema.name : QualifiedName{};
}

}  // namespace re_dms
