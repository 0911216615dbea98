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

bool changes_target(const SchemaChange& change) {
  return !std::holds_alternative<StoreSchema>(change);
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

TableRoster::TableRoster(Lsn start, const std::vector<KnownTable>& known, Unknown unknown,
                         const WantedTypes* types)
    : start_(start), unknown_(unknown), types_(types) {
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
    entry.standing = unknown_ == Unknown::Skip ? Standing::NotLive : Standing::Unmet;
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
    RosterEntry& entry = entries_[index];
    entry.relation = std::make_shared<const Relation>(std::move(relation));
    entry.relation_passed_over = is_passing(entry, at);
    mark(index, entry.relation_passed_over);
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
    return judge_new(*entry.catalog);
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
  if (types_ != nullptr && *types_) {
    set_target_types(schema, *types_);
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
    if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
      // One that is copied anew may lose what the batch has of it.
      return refusal->remedy != Remedy::Copy;
    }
    const auto* shape = std::get_if<NewShape>(&verdict);
    return shape != nullptr && std::ranges::any_of(shape->changes, changes_target);
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

std::size_t TableRoster::join(RosterEntry entry) {
  const std::size_t index = find_or_add(entry.oid);
  forget_name(index);
  entries_[index] = std::move(entry);
  note_name(index);
  if (entries_[index].unsettled) {
    unsettled_.push_back(index);
  }
  return index;
}

void TableRoster::restore(std::vector<RosterEntry> entries) {
  unsettled_.clear();
  // Entries are never removed, so the copy is a prefix and the indexes stay right.
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    RosterEntry before;
    before.oid = entries_[i].oid;
    before.standing = unknown_ == Unknown::Skip ? Standing::NotLive : Standing::Unmet;
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

}  // namespace re_dms
