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

/// Whether the target's table changes by it, or is not followed any further but for a copy: one
/// that is copied anew may lose what the batch has of it.
bool takes_effect(const Verdict& verdict) {
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
    return refusal->remedy != Remedy::Copy;
  }
  const auto* shape = std::get_if<NewShape>(&verdict);
  return shape != nullptr && std::ranges::any_of(shape->changes, [](const SchemaChange& change) {
           return !std::holds_alternative<StoreSchema>(change);
         });
}

}  // namespace

void read_shapes(const RecordView& record, std::vector<ToldShape>& told) {
  switch (record.kind) {
    case RecordKind::Catalog:
      for (CatalogTable& table : catalog_from_json(record.body)) {
        told.emplace_back(std::move(table));
      }
      return;
    case RecordKind::Relation:
      told.emplace_back(pgoutput::decode_relation(record.body));
      return;
    case RecordKind::Message:
      if (!record.body.empty() && record.body[0] == 'R') {
        told.emplace_back(pgoutput::decode_relation(record.body));
      }
      return;
    case RecordKind::Idle:
    case RecordKind::Abort:
      return;
  }
}

TableRoster::TableRoster(Lsn start, const std::vector<KnownTable>& known, Unknown unknown,
                         const WantedTypes* types)
    : from_(start), unknown_(unknown), types_(types) {
  for (const KnownTable& table : known) {
    const std::size_t index = find_or_add(table.schema.oid);
    set_schema(index, std::make_shared<const TableSchema>(table.schema));
    RosterEntry& entry = entries_[index];
    entry.standing = table.live ? Standing::Live : Standing::NotLive;
    entry.position = std::max(start, table.position);
    entry.empty = table.schema.history.empty;
    entry.facts = Timeline::of(table.schema);
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
    entries_.push_back(unmet(oid));
  }
  return found->second;
}

RosterEntry TableRoster::unmet(Oid oid) const {
  RosterEntry entry;
  entry.oid = oid;
  entry.position = from_;
  entry.standing = unknown_ == Unknown::Skip ? Standing::NotLive : Standing::Unmet;
  return entry;
}

void TableRoster::note(std::vector<ToldShape> told, Lsn at) {
  for (ToldShape& shape : told) {
    if (auto* relation = std::get_if<Relation>(&shape)) {
      const std::size_t index = find_or_add(relation->oid);
      re_dms::note(entries_[index],
                   Fact<Relation>{at, std::make_shared<const Relation>(std::move(*relation))});
      unsettled_.push_back(index);
    } else {
      auto& answer = std::get<CatalogTable>(shape);
      const std::size_t index = find_or_add(answer.schema.oid);
      note(index, {at, std::make_shared<const CatalogTable>(std::move(answer))});
    }
  }
}

void TableRoster::note(std::size_t index, Fact<CatalogTable> answer) {
  if (start_of_transaction_) {
    start_of_transaction_->answers.emplace_back(index, answer);
  }
  re_dms::note(entries_[index], std::move(answer));
  unsettled_.push_back(index);
}

std::vector<std::size_t> TableRoster::take_unsettled() {
  return std::exchange(unsettled_, {});
}

Verdict TableRoster::judge(const RosterEntry& entry, Lsn at, Cause cause) const {
  if (cause == Cause::Row || !is_outdated(entry)) {
    return judge_row(entry, at);
  }
  // An answer alone says nothing of rows that came before what the target has.
  RosterEntry told = entry;
  told.facts.relation = {};
  return judge_row(told, at);
}

Verdict TableRoster::judge_row(const RosterEntry& entry, Lsn at) const {
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
  const Fact<CatalogTable>& answer = entry.facts.answer;
  const Fact<Relation>& relation = entry.facts.relation;
  // Without a name: dropped before anything was heard of it.
  if (!answer || answer->schema.name.name.empty()) {
    return {};
  }
  if (auto refusal = check_key(entry)) {
    return std::move(*refusal);
  }
  if (!answer->admitted) {
    return judge_new(*answer);
  }
  if (auto refusal = check_publication(entry)) {
    return std::move(*refusal);
  }
  TableSchema schema = answer->schema;
  if (relation) {
    auto completed = complete_schema(*relation, &answer->schema, nullptr);
    if (auto* refusal = std::get_if<Refusal>(&completed)) {
      return std::move(*refusal);
    }
    schema = std::move(std::get<TableSchema>(completed));
  }
  const TableSchema& first = entry.facts.first->schema;
  if (auto refusal = ambiguous_columns(schema, first, answer->schema)) {
    // Without rows nothing is lost yet, and a table created as the catalog describes it now would
    // fit both.
    return relation ? Verdict{std::move(*refusal)} : Verdict{};
  }
  if (relation) {
    // The first answer may be ahead of the stream too.
    schema.history = history_to_keep(
        schema, includes_columns(schema, first) ? first.history : TableHistory{}, &answer->schema);
    schema.publication = entry.facts.publication;
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
  const WantedTypes usual = [](const QualifiedName&, const std::string&) { return ""; };
  set_target_types(schema, types_ != nullptr && *types_ ? *types_ : usual);
  if (auto refusal = unknown_types(schema, first)) {
    return std::move(*refusal);
  }
  return NewShape{std::move(schema), {CreateTable{}}};
}

bool TableRoster::would_change(const std::vector<ToldShape>& told, Lsn at) const {
  absl::flat_hash_map<Oid, RosterEntry> probes;
  return std::ranges::any_of(told, [&](const ToldShape& shape) {
    const auto* relation = std::get_if<Relation>(&shape);
    const auto* answer = std::get_if<CatalogTable>(&shape);
    const std::size_t index = find(relation != nullptr ? relation->oid : answer->schema.oid);
    if (index == kNone) {
      return false;
    }
    const RosterEntry& entry = entries_[index];
    if (entry.standing != Standing::Live || entry.assumed || at < entry.position) {
      return false;
    }
    RosterEntry& probe = probes.try_emplace(entry.oid, entry).first->second;
    if (relation != nullptr) {
      re_dms::note(probe, Fact<Relation>{at, std::make_shared<const Relation>(*relation)});
    } else {
      re_dms::note(probe, Fact<CatalogTable>{at, std::make_shared<const CatalogTable>(*answer)});
    }
    return takes_effect(judge(probe, at, Cause::Facts));
  });
}

std::size_t TableRoster::join(RosterEntry entry) {
  const std::size_t index = find_or_add(entry.oid);
  forget_name(index);
  entries_[index] = std::move(entry);
  note_name(index);
  if (!entries_[index].settled_below.known()) {
    unsettled_.push_back(index);
  }
  return index;
}

void TableRoster::remember() {
  start_of_transaction_ = Start{entries_, unsettled_, {}};
}

void TableRoster::undo() {
  Start start = std::move(start_of_transaction_).value();
  start_of_transaction_.reset();
  // Entries are never removed, so those before come first and the indexes stay right.
  for (std::size_t met = start.entries.size(); met < entries_.size(); ++met) {
    start.entries.push_back(unmet(entries_[met].oid));
  }
  entries_ = std::move(start.entries);
  unsettled_ = std::move(start.unsettled);
  by_name_.clear();
  for (std::size_t index = 0; index < entries_.size(); ++index) {
    note_name(index);
  }
  for (auto& [index, answer] : start.answers) {
    note(index, std::move(answer));
  }
}

}  // namespace re_dms
