#include "journal/table_facts.h"

#include <algorithm>

#include "pgoutput/messages.h"
#include "schema/catalog_json.h"

namespace re_dms {

void TableFacts::note_relation(std::string_view message) {
  Entry& entry = entries_[pgoutput::decode_relation(message).oid];
  entry.relation = message;
  entry.relation_written = segment_;
}

void TableFacts::note_catalog(std::string_view json) {
  for (const CatalogTable& table : catalog_from_json(json)) {
    Entry& entry = entries_[table.schema.oid];
    entry.catalog = catalog_to_json({table});
    entry.catalog_written = segment_;
  }
}

void TableFacts::forget_written() {
  ++segment_;
  last_written_ = 0;
}

bool TableFacts::all_written(const std::vector<Oid>& tables) {
  return std::ranges::all_of(tables, [this](Oid table) { return written(table); });
}

JournalBlock TableFacts::repeat_for(std::string_view message) {
  JournalBlock block;
  if (message[0] == 'T') {
    for (const Oid table : pgoutput::decode_truncate(message).relations) {
      repeat(table, block);
    }
  } else {
    repeat(pgoutput::row_relation(message), block);
  }
  return block;
}

bool TableFacts::look_up(Oid table) {
  const auto found = entries_.find(table);
  if (found == entries_.end()) {
    return true;  // nothing known to repeat; readers refuse a row without its relation
  }
  const bool all = !missing_relation(found->second) && !missing_catalog(found->second);
  if (all) {
    last_written_ = table;
  }
  return all;
}

void TableFacts::repeat(Oid table, JournalBlock& block) {
  Entry& entry = entries_[table];
  if (missing_catalog(entry)) {
    block.add(RecordKind::Catalog, entry.catalog);
    entry.catalog_written = segment_;
  }
  if (missing_relation(entry)) {
    block.add(RecordKind::Relation, entry.relation);
    entry.relation_written = segment_;
  }
}

bool TableFacts::missing_relation(const Entry& entry) const {
  return entry.relation_written != segment_ && !entry.relation.empty();
}

bool TableFacts::missing_catalog(const Entry& entry) const {
  return entry.catalog_written != segment_ && !entry.catalog.empty();
}

}  // namespace re_dms
