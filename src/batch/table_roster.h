// What the stream and the catalog say of each table, and what follows for the fold.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "model/journal_unit.h"
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

/// The facts of one record or of several.
struct Facts {
  std::vector<Relation> relations;
  std::vector<CatalogTable> tables;

  bool empty() const { return relations.empty() && tables.empty(); }

  /// Adds what `record` says when it is a Relation or Catalog record. Throws Fatal when it is
  /// malformed.
  void read(const RecordView& record);
};

/// Entries in the order in which their tables were first met, which is the same in every run.
class TableRoster {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  /// `start`: where reading starts.
  TableRoster(Lsn start, const std::vector<KnownTable>& known);

  std::size_t size() const { return entries_.size(); }

  RosterEntry& at(std::size_t index) { return entries_[index]; }

  const RosterEntry& at(std::size_t index) const { return entries_[index]; }

  /// Every change of an entry's `schema` goes through here.
  void set_schema(std::size_t index, TablePtr schema);

  /// kNone for a table never heard of.
  std::size_t find(Oid oid) const;
  std::size_t find_or_add(Oid oid);

  /// Remembers facts that stand at `at`; unknown: before the positions of all tables.
  void note(Facts&& facts, Lsn at);

  /// Entries with unsettled facts, oldest first; they are forgotten here, not settled.
  std::vector<std::size_t> take_unsettled();

  /// What the facts of an entry mean for it, where the transaction that commits at `at` begins.
  Verdict judge(const RosterEntry& entry, Lsn at) const;

  /// Whether facts would change the shape of a live table, or end its replication.
  bool would_change(const Facts& facts, Lsn at) const;

  /// A copy to go back to.
  std::vector<RosterEntry> entries() const { return entries_; }

  /// Goes back to a copy, except for what the catalog said since: that is true whatever becomes of
  /// a transaction, and what it means is decided again. Tables met since are unmet again.
  void restore(std::vector<RosterEntry> entries);

 private:
  Verdict judge_unmet(const RosterEntry& entry, Lsn at) const;
  static bool is_passing(const RosterEntry& entry, Lsn at);
  void mark(std::size_t index, bool passing);
  void forget_name(std::size_t index);
  void note_name(std::size_t index);

  const Lsn start_;
  absl::flat_hash_map<Oid, std::size_t> by_oid_;
  std::vector<RosterEntry> entries_;
  std::vector<std::size_t> unsettled_;
  /// By schema and name of `schema`: the entries that have or had that table in the target.
  absl::flat_hash_map<std::pair<std::string, std::string>, std::set<std::size_t>> by_name_;
};

/// Whether the Relation message of a table that was created as the catalog says describes it so.
bool is_as_assumed(const RosterEntry& entry);

/// Where the rows of a table that is folded as a multiset can be told apart by its primary key;
/// nothing where they never can.
std::optional<Lsn> keyed_from(const RosterEntry& entry);

/// What is known of the table's name; may be empty of everything but the OID.
QualifiedName name_of(const RosterEntry& entry);

}  // namespace re_dms
