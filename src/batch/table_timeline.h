// What the stream and the catalog said of one table's shape, each where it stands in the journal.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "model/relation.h"
#include "model/table_schema.h"

namespace re_dms {

/// What was said, and where: `at` is the commit_lsn of its transaction, or the position reached
/// between two; unknown: before the positions of all tables.
template <typename T>
struct Fact {
  Lsn at;
  std::shared_ptr<const T> what;

  explicit operator bool() const { return what != nullptr; }

  const T* operator->() const { return what.get(); }

  const T& operator*() const { return *what; }
};

/// The target's version of a table at `position` is newer than a fact that stands before it.
template <typename T>
bool stands_before(const Fact<T>& fact, Lsn position) {
  return !fact.at.known() || fact.at < position;
}

/// Of the facts about a table, what can still matter: the newest of each kind, and what older
/// answers of the catalog showed. So its size does not grow with their number.
struct Timeline {
  Fact<Relation> relation;
  Fact<CatalogTable> answer;
  Fact<CatalogTable> first;  ///< the first answer, where the table had no version then

  /// The newest one known from the time when the table had the columns of its version. `empty` is
  /// not the catalog's to say.
  TableHistory history;

  /// At `since`, attribute numbers up to `last_attnum` had been given, and no column outside the
  /// version was left. Any writer to such a column committed before it was dropped.
  struct {
    std::int16_t last_attnum = 0;
    Lsn since;
  } dropped_attnums;

  /// How the table was published when that was first known; every change since is in the stream if
  /// it is published like this now.
  std::optional<Publishing> publication;
  std::optional<CertainKey> certain_key;  ///< as the newest answer that counts has it

  /// Nothing was said since the table got this version.
  static Timeline of(const TableSchema& version);

  void note(Fact<Relation> told) { relation = std::move(told); }

  /// `version`: which the table has, null when it has none; all before `position` led to it.
  void note(Fact<CatalogTable> told, const TableSchema* version, Lsn position);

  /// What is known of a table of the version before the rows of the transaction that commits at
  /// `commit_lsn`.
  TableHistory history_at(Lsn commit_lsn) const;

  /// Whether all facts do.
  bool stand_before(Lsn position) const;

 private:
  void note_key(const CatalogTable& told);
  void note_history(const CatalogTable& told, const TableSchema& version);
};

}  // namespace re_dms
