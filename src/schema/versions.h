// From what the stream and the catalog say of a table to a schema version, and from two versions to
// what has to change in the target. Pure: no I/O, same input, same answer.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/relation.h"
#include "model/schema_change.h"
#include "model/table_schema.h"
#include "model/table_state.h"

namespace re_dms {

/// Why a table cannot be followed any further; a sentence for people.
struct Refusal {
  std::string reason;
  Remedy remedy = Remedy::Person;
};

/// Completes `relation` with the catalog's answer for its place in the stream. The catalog may be
/// ahead of the stream (it describes the present): a column counts as found when the catalog has a
/// live one of the same name and type, else when `previous` (may be null) has one of the same name
/// and type. Refuses where a column of the stream is not found, and where the catalog has one
/// between them that the stream does not have (renames). Key flags are the relation's; the history
/// is the catalog's, or `previous`'s without one; what columns are in the target, and of what
/// parts, is `previous`'s. `catalog` may be null.
std::variant<TableSchema, Refusal> complete_schema(const Relation& relation,
                                                   const TableSchema* catalog,
                                                   const TableSchema* previous);

/// The version of a table that a snapshot shows, whose catalog gave `answer`: of all transactions
/// whose commit_lsn is below `position`.
TableSchema version_at(const CatalogTable& answer, Lsn position);

/// What the target needs to go from `before` to `after`, a version completed by a catalog's answer.
/// Columns are the same when their attribute numbers are. Equal versions give an empty list.
///
/// `catalog` is what completed `after`; it may be ahead of it, and null. A column is dropped where
/// `after` lacks it and the catalog has its number no longer. Refuses where it cannot be told:
/// where a column is new as well, rows may belong to either; and where a column was added since
/// that may have had the name of one that `after` has and the catalog has no longer.
///
/// `history` is the newest one known from the time when the table had the columns of `before`. It
/// shows for which new columns older rows hold values that are not in the stream. Refuses where the
/// table was rewritten since and the column has no stored missing value (unless the table is known
/// to be empty: it has no older rows), and where another column was added since, before the new
/// one, and dropped again, so that rows may belong to either. Both may be harmless (VACUUM FULL, a
/// column nobody wrote to); refusing avoids a guess.
std::variant<std::vector<SchemaChange>, Refusal> compare_schemas(const TableSchema& before,
                                                                 const TableHistory& history,
                                                                 const TableSchema& after,
                                                                 const TableSchema* catalog);

/// Why rows of `table` may belong to other columns: `known` is the table as it was before them,
/// `now` is the table as the catalog had it when they were read, and in between a column was
/// dropped whose values look like those of a new column of the same name and type. Nothing when
/// they do not.
std::optional<Refusal> ambiguous_columns(const TableSchema& table, const TableSchema& known,
                                         const TableSchema& now);

/// Why changes of the table may be missing from the stream: it is no longer in the publication, or
/// is published differently than when `known` was asked for. Changes that were made in between are
/// nowhere, and a Relation message that follows is the same as before. Nothing where this is not
/// known for both times.
std::optional<Refusal> unpublished_in_between(const std::optional<Publishing>& known,
                                              const CatalogTable& answer);

/// Why values of `version` may have other texts in the source by now, and new ones other parts: a
/// type that a column's values are made of was altered before the catalog gave `answer`, which the
/// stream says nothing of. Only columns count whose parts `version` has.
std::optional<Refusal> altered_types(const TableSchema& version, const TableSchema& answer);

/// Why it is not known what rows of `version` are made of from the first one on: `first`, the
/// catalog's answer at that place, does not say so. Nor does any answer of a version of re_dms that
/// did not ask for it; a copy asks anew, and knows whether the type's parts can be known at all.
std::optional<Refusal> unknown_types(const TableSchema& version, const TableSchema& first);

/// Whether `a` and `b` have the same columns by attribute number.
bool same_columns(const TableSchema& a, const TableSchema& b);

/// Whether `table` has all columns of `other`, by attribute number.
bool includes_columns(const TableSchema& table, const TableSchema& other);

/// Whether the catalog's answer may be of a later time than `table`, for which `known` is
/// remembered: it has other columns, or shows that columns were added and dropped.
bool is_ahead(const TableSchema& table, const TableHistory& known, const TableSchema& catalog);

/// What to remember with `table`, a version that was completed by `catalog` (may be null) and
/// follows one for which `known` was remembered. From an answer that is ahead, only what also holds
/// for the time of `table`.
TableHistory history_to_keep(const TableSchema& table, const TableHistory& known,
                             const TableSchema* catalog);

}  // namespace re_dms
