// One table in the roster: what the stream and the catalog say of it, and what follows.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "batch/table_timeline.h"
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
  /// The table had no rows where the layer began; those that came in the layer are not counted yet.
  bool empty = false;
  Timeline facts;  ///< shared with the copy that an aborted transaction is undone from
  /// What the facts say is in `schema`, for transactions that commit below; unknown: they were not
  /// compared with it.
  Lsn settled_below;
  /// The open batch creates the table as the catalog says, which may be ahead of the stream: a
  /// Relation that comes before the layer is handed on corrects it.
  bool assumed = false;
};

/// What a table's facts are judged for.
enum class Cause {
  Facts,  ///< an answer of the catalog, or a Relation
  Row,    ///< the next row, or TRUNCATE
};

/// The table gets a new layer of this shape, beginning with these changes.
struct NewShape {
  TableSchema schema;
  std::vector<SchemaChange> changes;
};

/// Nothing to do, a new layer, or the reason why the table cannot be followed.
using Verdict = std::variant<std::monostate, NewShape, Refusal>;

/// Adds a fact, which is settled later.
void note(RosterEntry& entry, Fact<Relation> told);
void note(RosterEntry& entry, Fact<CatalogTable> told);

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

/// Up to where what was just settled holds; unknown: it is to be settled again at the next row.
Lsn settled_below(const RosterEntry& entry);

/// What is known of the table's name; may be empty of everything but the OID.
QualifiedName name_of(const RosterEntry& entry);

}  // namespace re_dms
