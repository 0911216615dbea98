#include "batch/table_roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pgoutput/messages.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

/// Whether rows that the relation describes are rows of this shape.
bool fits(const TableSchema& schema, const Relation& relation) {
  const bool full = schema.identity == ReplicaIdentity::Full;
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

Verdict judge_live(const RosterEntry& entry) {
  if (!entry.relation) {
    return {};
  }
  // The target's version of a table is newer than facts passed over on the way to its position.
  if (entry.passed_over && fits(*entry.schema, *entry.relation)) {
    return {};
  }
  auto completed = complete_schema(*entry.relation, schema_of(entry.catalog), entry.schema.get());
  if (auto* refusal = std::get_if<Refusal>(&completed)) {
    return std::move(*refusal);
  }
  auto& schema = std::get<TableSchema>(completed);
  if (auto refusal = check_identity(schema)) {
    return std::move(*refusal);
  }
  auto compared = compare_schemas(*entry.schema, entry.history, schema);
  if (auto* refusal = std::get_if<Refusal>(&compared)) {
    return std::move(*refusal);
  }
  auto& changes = std::get<std::vector<SchemaChange>>(compared);
  // Another key is another way to tell rows apart: the layer so far ends, although the target's
  // table stays as it is.
  if (changes.empty() && key_columns(schema) == key_columns(*entry.schema)) {
    return {};
  }
  schema.history = history_to_keep(schema, entry.history, schema_of(entry.catalog));
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

TableRoster::TableRoster(const std::vector<KnownTable>& known) {
  for (const KnownTable& table : known) {
    RosterEntry& entry = entries_[find_or_add(table.schema.oid)];
    entry.standing = table.live ? Standing::Live : Standing::NotLive;
    entry.schema = std::make_shared<const TableSchema>(table.schema);
    entry.history = table.schema.history;
  }
}

std::size_t TableRoster::find(Oid oid) const {
  const auto found = by_oid_.find(oid);
  return found == by_oid_.end() ? kNone : found->second;
}

std::size_t TableRoster::find_or_add(Oid oid) {
  const auto [found, added] = by_oid_.try_emplace(oid, entries_.size());
  if (added) {
    entries_.emplace_back().oid = oid;
  }
  return found->second;
}

void TableRoster::mark(std::size_t index, bool passing) {
  entries_[index].unsettled = true;
  entries_[index].passed_over = passing;
  unsettled_.push_back(index);
}

void TableRoster::note(Facts&& facts, bool passing) {
  for (Relation& relation : facts.relations) {
    const std::size_t index = find_or_add(relation.oid);
    entries_[index].relation = std::make_shared<const Relation>(std::move(relation));
    mark(index, passing);
  }
  for (CatalogTable& table : facts.tables) {
    const std::size_t index = find_or_add(table.schema.oid);
    RosterEntry& entry = entries_[index];
    if (entry.schema && same_columns(*entry.schema, table.schema)) {
      entry.history.file_node = table.schema.history.file_node;
      // An answer ahead of the stream counts columns too that were dropped again and are still to
      // come in it. Without such, the numbers that are not in the stream are generated columns.
      if (table.schema.history.last_dropped <= entry.history.last_attnum) {
        entry.history.last_attnum = table.schema.history.last_attnum;
      }
    }
    entry.catalog = std::make_shared<const CatalogTable>(std::move(table));
    mark(index, passing);
  }
}

std::vector<std::size_t> TableRoster::take_unsettled() {
  return std::exchange(unsettled_, {});
}

Verdict TableRoster::judge(const RosterEntry& entry) const {
  switch (entry.standing) {
    case Standing::Unmet:
      return judge_unmet(entry);
    case Standing::Live:
      return judge_live(entry);
    case Standing::NotLive:
      return {};
  }
  return {};
}

Verdict TableRoster::judge_unmet(const RosterEntry& entry) const {
  if (!entry.catalog) {
    return {};
  }
  if (!entry.catalog->admitted) {
    return Refusal{
        "it already held rows when it was first met, and this version cannot copy them; it has to "
        "be there and empty when replication begins"};
  }
  TableSchema schema = entry.catalog->schema;
  if (entry.relation) {
    auto completed = complete_schema(*entry.relation, &entry.catalog->schema, nullptr);
    if (auto* refusal = std::get_if<Refusal>(&completed)) {
      return std::move(*refusal);
    }
    schema = std::move(std::get<TableSchema>(completed));
    schema.history = history_to_keep(schema, {}, &entry.catalog->schema);
  }
  if (auto refusal = check_identity(schema)) {
    return std::move(*refusal);
  }
  for (const RosterEntry& other : entries_) {
    if (other.oid != entry.oid && other.schema && other.schema->name == schema.name) {
      return Refusal{
          fmt::format("the target holds another table of this name (OID {} in the source), which "
                      "was dropped or "
                      "renamed",
                      other.oid)};
    }
  }
  return NewShape{std::move(schema), {CreateTable{}}};
}

bool TableRoster::would_change(const Facts& facts) const {
  const auto changes = [this](RosterEntry probe) {
    probe.passed_over = false;
    return probe.standing == Standing::Live && !probe.assumed && judge(probe).index() != 0;
  };
  const auto with_catalog = [&](Oid oid) {
    const std::size_t index = find(oid);
    RosterEntry probe = index == kNone ? RosterEntry{} : entries_[index];
    for (const CatalogTable& table : facts.tables) {
      if (table.schema.oid == oid) {
        probe.catalog = std::make_shared<const CatalogTable>(table);
      }
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
    if (i < entries.size()) {
      before = std::move(entries[i]);
    }
    before.catalog = entries_[i].catalog;
    entries_[i] = std::move(before);
    if (entries_[i].standing == Standing::Unmet && entries_[i].catalog) {
      unsettled_.push_back(i);
    }
  }
}

QualifiedName name_of(const RosterEntry& entry) {
  if (entry.schema) {
    return entry.schema->name;
  }
  if (entry.relation) {
    return entry.relation->name;
  }
  return entry.catalog ? entry.catalog->schema.name : QualifiedName{};
}

}  // namespace re_dms
