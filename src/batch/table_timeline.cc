#include "batch/table_timeline.h"

#include <algorithm>
#include <utility>

#include "schema/versions.h"

namespace re_dms {

Timeline Timeline::of(const TableSchema& version) {
  Timeline timeline;
  timeline.history = version.history;
  timeline.publication = version.publication;
  timeline.certain_key = version.certain_key;
  return timeline;
}

void Timeline::note(Fact<CatalogTable> told, const TableSchema* version, Lsn position) {
  // What is stored with the version is newer than answers that stand before it.
  if (version == nullptr || !stands_before(told, position)) {
    note_key(*told);
    if (version != nullptr && same_columns(*version, told->schema)) {
      note_history(*told, *version);
    }
  }
  if (!publication) {
    publication = told->schema.publication;
  }
  if (version == nullptr && !first) {
    first = told;
  }
  answer = std::move(told);
}

/// The key counts from the first answer that names it with the replica identity FULL.
void Timeline::note_key(const CatalogTable& told) {
  if (!told.primary_key || !told.asked_at.known() ||
      told.schema.identity != ReplicaIdentity::Full) {
    certain_key.reset();
  } else if (!certain_key || certain_key->key != *told.primary_key) {
    certain_key = CertainKey{*told.primary_key, told.asked_at};
  }
}

/// The answer has the columns of the version.
void Timeline::note_history(const CatalogTable& told, const TableSchema& version) {
  history.file_node = told.schema.history.file_node;
  // An answer ahead of the stream counts columns too that were dropped again and are still to come
  // in it. Without such, the numbers that are not in the stream are generated columns.
  if (!is_ahead(version, history, told.schema)) {
    history.last_attnum = told.schema.history.last_attnum;
  } else if (told.asked_at.known()) {
    dropped_attnums = {told.schema.history.last_attnum, told.asked_at};
  }
}

TableHistory Timeline::history_at(Lsn commit_lsn) const {
  TableHistory known = history;
  if (dropped_attnums.since.known() && commit_lsn >= dropped_attnums.since) {
    known.last_attnum = std::max(known.last_attnum, dropped_attnums.last_attnum);
  }
  return known;
}

bool Timeline::stand_before(Lsn position) const {
  return (!relation || stands_before(relation, position)) &&
         (!answer || stands_before(answer, position));
}

}  // namespace re_dms
