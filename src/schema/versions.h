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

namespace re_dms {

/// Why a table cannot be followed any further; a sentence for people.
struct Refusal {
  std::string reason;
};

/// Completes `relation` by the catalog's answer for the place of the stream where it stands. The
/// catalog may be ahead of the stream (it speaks of now): a column counts as found when the catalog
/// has a live one of the same name and type, else when `previous` (may be null) has one of the same
/// name and type. Refuses where a column of the stream is not found, and where the catalog has one
/// between them that the stream does not have (renames). Key flags are the relation's; the history
/// is the catalog's, or `previous`'s without one. `catalog` may be null.
std::variant<TableSchema, Refusal> complete_schema(const Relation& relation,
                                                   const TableSchema* catalog,
                                                   const TableSchema* previous);

/// What the target needs to go from `before` to `after`, a version completed by a catalog's answer.
/// Columns are the same when their attribute numbers are. Equal versions give an empty list.
///
/// `history` is the newest known of the time when the table had the columns of `before`. By it a
/// new column is told whose older rows hold values that are not in the stream: it refuses where the
/// table was rewritten since and the column has no stored missing value (not where the table is
/// known to be empty: it has no older rows), and where a column was dropped again that was added
/// since and before the new one, so that rows may be of the one or the other. Both may be harmless
/// (VACUUM FULL, a column nobody wrote to); the answer is the one that makes nobody guess.
std::variant<std::vector<SchemaChange>, Refusal> compare_schemas(const TableSchema& before,
                                                                 const TableHistory& history,
                                                                 const TableSchema& after);

/// Why rows of `table` may be those of other columns: `known` is the table as it was before them,
/// `now` as the catalog had it when they were read, and in between a column was dropped, whose rows
/// look like those of a new one of its name and type. Nothing: they are not.
std::optional<Refusal> ambiguous_columns(const TableSchema& table, const TableSchema& known,
                                         const TableSchema& now);

/// Why changes of the table may be missing in the stream: it is not in the publication any more, or
/// this is not how it was in it when `known` was asked for. Changes that were made in between are
/// nowhere, and a Relation message that follows is the same as before. Nothing where that is not
/// known of one of the two times.
std::optional<Refusal> unpublished_in_between(const std::optional<Publishing>& known,
                                              const CatalogTable& answer);

/// Whether `a` and `b` have the same columns by attribute number.
bool same_columns(const TableSchema& a, const TableSchema& b);

/// Whether `table` has all columns of `other`, by attribute number.
bool includes_columns(const TableSchema& table, const TableSchema& other);

/// Whether the catalog's answer may be of a later time than `table`, of which `known` is
/// remembered: it has other columns, or tells of columns that came and went.
bool is_ahead(const TableSchema& table, const TableHistory& known, const TableSchema& catalog);

/// What to remember with `table`, a version that follows one of which `known` was remembered and
/// that was completed by `catalog` (may be null). Of an answer that is ahead, only what holds for
/// the time of `table` too.
TableHistory history_to_keep(const TableSchema& table, const TableHistory& known,
                             const TableSchema* catalog);

}  // namespace re_dms
