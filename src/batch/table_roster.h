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

#include "batch/roster_entry.h"
#include "model/journal_unit.h"

namespace re_dms {

/// What becomes of tables that are not known.
enum class Unknown {
  Meet,  ///< they are created or asked to be copied when the stream first tells of them
  Skip,  ///< others care for them
};

/// What one record says of one table's shape.
using ToldShape = std::variant<Relation, CatalogTable>;

/// Adds what `record` says when it is a Relation or Catalog record. Throws Fatal when it is
/// malformed.
void read_shapes(const RecordView& record, std::vector<ToldShape>& told);

/// Entries in the order in which their tables were first met, which is the same in every run.
class TableRoster {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  /// `start`: where reading starts. `types`: of tables that are created; null: the usual ones.
  TableRoster(Lsn start, const std::vector<KnownTable>& known, Unknown unknown = Unknown::Meet,
              const WantedTypes* types = nullptr);

  std::size_t size() const { return entries_.size(); }

  RosterEntry& at(std::size_t index) { return entries_[index]; }

  const RosterEntry& at(std::size_t index) const { return entries_[index]; }

  /// Every change of an entry's `schema` goes through here.
  void set_schema(std::size_t index, TablePtr schema);

  /// kNone for a table never heard of.
  std::size_t find(Oid oid) const;
  std::size_t find_or_add(Oid oid);

  /// Remembers what was said at `at`; unknown: before the positions of all tables.
  void note(std::vector<ToldShape> told, Lsn at);

  /// Entries with unsettled facts, oldest first; they are forgotten here, not settled.
  std::vector<std::size_t> take_unsettled();

  /// What the facts of an entry mean for it, where the transaction that commits at `at` begins.
  Verdict judge(const RosterEntry& entry, Lsn at, Cause cause) const;

  /// A table that another reader of the same journal followed up to here goes on with what is known
  /// of it there. Gives its index.
  std::size_t join(RosterEntry entry);

  /// Whether what is said would change the shape of a live table, or end its replication but for a
  /// copy.
  bool would_change(const std::vector<ToldShape>& told, Lsn at) const;

  /// Keeps the entries for undo(), until then or forget().
  void remember();

  /// Goes back to where remember() was called, except for what the catalog said since: that is true
  /// whatever becomes of a transaction, and what it means is to be decided again.
  void undo();

  void forget() { start_of_transaction_.reset(); }

 private:
  struct Start {
    std::vector<RosterEntry> entries;
    std::vector<std::size_t> unsettled;
    std::vector<std::pair<std::size_t, Fact<CatalogTable>>> answers;  ///< that came since
  };

  RosterEntry unmet(Oid oid) const;
  Verdict judge_unmet(const RosterEntry& entry, Lsn at) const;
  Verdict judge_row(const RosterEntry& entry, Lsn at) const;
  void note(std::size_t index, Fact<CatalogTable> answer);
  void forget_name(std::size_t index);
  void note_name(std::size_t index);

  const Lsn from_;
  const Unknown unknown_;
  const WantedTypes* const types_;
  absl::flat_hash_map<Oid, std::size_t> by_oid_;
  std::vector<RosterEntry> entries_;
  std::vector<std::size_t> unsettled_;
  std::optional<Start> start_of_transaction_;
  /// By schema and name of `schema`: the entries that have or had that table in the target.
  absl::flat_hash_map<std::pair<std::string, std::string>, std::set<std::size_t>> by_name_;
};

}  // namespace re_dms
