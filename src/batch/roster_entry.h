// One table in the roster: what the stream and the catalog say of it, and what follows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/relation.h"
#include "model/schema_change.h"
#include "model/table_schema.h"
#include "schema/versions.h"

namespace re_dms {

/// A table as the target has it.
struct KnownTable {
  TableSchema schema;
  bool live = true;  ///< false: set aside earlier, its rows are skipped
  /// The target holds its changes in transactions with a smaller commit_lsn, and `schema` is how
  /// they left it; unknown: where reading starts.
  Lsn position{};
};

enum class Standing {
  Unmet,    ///< not in the target; nothing decided yet
  Live,     ///< its rows are folded
  NotLive,  ///< its rows are skipped
};

/// One table, by OID.
struct RosterEntry {
  Oid oid = 0;
  Standing standing = Standing::Unmet;
  Lsn position;     ///< changes in transactions with a smaller commit_lsn are skipped
  TablePtr schema;  ///< of the rows being folded, or as it was when it left; null when Unmet
  /// The newest one known from the time when the table had the columns of `schema`. Its `empty` is
  /// about where the layer began; rows that came in the layer are not counted yet.
  TableHistory history;

  /// At `since`, attribute numbers up to `last_attnum` had been given, and no column outside
  /// `schema` was left. Any writer to such a column committed before it was dropped.
  struct {
    std::int16_t last_attnum = 0;
    Lsn since;
  } dropped_attnums;

  /// How it was published when that was first known; every change since is in the stream if it is
  /// published like this now.
  std::optional<Publishing> publication;
  // The latest facts. Shared with the copy that an aborted transaction is undone from.
  std::shared_ptr<const Relation> relation;
  std::shared_ptr<const CatalogTable> catalog;
  std::shared_ptr<const CatalogTable> oldest;  ///< the first answer, of a table that was unmet then
  std::optional<CertainKey> certain_key;       ///< as the latest answer that counts has it
  bool unsettled = true;                       ///< facts came that `schema` was not compared with
  bool passed_over = true;                     ///< they all stood before `position`
  bool answer_passed_over = true;              ///< the catalog's did
  bool relation_passed_over = true;            ///< the Relation did
  /// The open batch creates the table as the catalog says, which may be ahead of the stream: a
  /// Relation that comes before the layer is handed on corrects it.
  bool assumed = false;
};

/// The table gets a new layer of this shape, beginning with these changes.
struct NewShape {
  TableSchema schema;
  std::vector<SchemaChange> changes;
};

/// Nothing to do, a new layer, or the reason why the table cannot be followed.
using Verdict = std::variant<std::monostate, NewShape, Refusal>;

/// The latest answer that counts says this of keys, of columns added and dropped, and of the file.
void note_key(RosterEntry& entry, const CatalogTable& answer);
void note_history(RosterEntry& entry, const CatalogTable& answer);

/// Names and values without encoding cannot be written to any target.
std::optional<Refusal> check_names(const RosterEntry& entry);

/// What the latest answer says against the replica identity, and against how it is published.
std::optional<Refusal> check_key(const RosterEntry& entry);
std::optional<Refusal> check_publication(const RosterEntry& entry);
std::optional<Refusal> check_identity(const TableSchema& table);

/// Under REPLICA IDENTITY FULL the identity does not decide what tells rows apart.
void set_key(TableSchema& table, const RosterEntry& entry, Lsn at);

/// What the facts of a live table mean where the transaction that commits at `at` begins.
Verdict judge_live(const RosterEntry& entry, Lsn at);

/// Of a table whose replication did not begin with its first row.
Verdict judge_new(const CatalogTable& table);

/// Whether the table's version is newer than its Relation, which describes other rows: PostgreSQL
/// sends another one before the next row (pgoutput.c, rel_sync_cache_relation_cb). A row that comes
/// nevertheless is one of the Relation's.
bool is_outdated(const RosterEntry& entry);

/// Whether the Relation message of a table that was created as the catalog says describes it so.
bool is_as_assumed(const RosterEntry& entry);

/// Where the rows of a table that is folded as a multiset can be told apart by its primary key;
/// nothing where they never can.
std::optional<Lsn> keyed_from(const RosterEntry& entry);

/// What is known of the table's name; may be empty of everything but the OID.
QualifiedName name_of(const RosterEntry& entry);

}  // namespace re_dms
