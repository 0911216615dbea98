#include "schema/versions.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace re_dms {

namespace {

const Column* find_column(const TableSchema* table, const RelationColumn& wanted) {
  if (table == nullptr) {
    return nullptr;
  }
  for (const Column& column : table->columns) {
    // A domain shows typmod -1 in the Relation and in the catalog's atttypmod alike (PostgreSQL 15,
    // pgoutput sends atttypmod).
    if (column.name == wanted.name && column.type.oid == wanted.type_oid &&
        column.type.typmod == wanted.typmod) {
      return &column;
    }
  }
  return nullptr;
}

/// The highest attribute number that was given when the table had these columns.
std::int16_t last_given(const TableSchema& table, const TableHistory& known) {
  return std::max(known.last_attnum,
                  table.columns.empty() ? std::int16_t{0} : table.columns.back().attnum);
}

/// The first column whose rows may be those of another of its name: one that is not the next after
/// `last_known`, the highest number given before, or after others that are, and before which a
/// number belongs to a dropped column. Of columns that follow one another without a gap all were
/// there when the last was. Null: there is none.
const Column* ambiguous_column(const TableSchema& table, std::int16_t last_known,
                               std::int16_t last_dropped) {
  int next = last_known + 1;
  for (const Column& column : table.columns) {
    if (column.attnum > next && last_dropped >= next) {
      return &column;
    }
    next = std::max(next, column.attnum + 1);
  }
  return nullptr;
}

/// Null where there is none of this number.
const Column* column_of(const TableSchema* table, std::int16_t attnum) {
  if (table == nullptr) {
    return nullptr;
  }
  const auto found = std::ranges::find(table->columns, attnum, &Column::attnum);
  return found == table->columns.end() ? nullptr : &*found;
}

bool has_column(const TableSchema& table, std::int16_t attnum) {
  return column_of(&table, attnum) != nullptr;
}

/// Whether rows that have a column of this name may be those of a later one: it is gone from the
/// catalog, where numbers above `last_known`, the highest given before, were given since. A later
/// column may have had its name, and have been renamed or dropped.
bool may_be_another(const Column& column, std::int16_t last_known, const TableSchema& catalog) {
  return !has_column(catalog, column.attnum) && last_given(catalog, catalog.history) > last_known;
}

std::string ambiguity(const Column& column) {
  return fmt::format(
      "column \"{}\" was added, and before re_dms read that, another column was dropped; re_dms "
      "cannot tell which values belong to which",
      column.name);
}

/// Why the values that older rows have in a new column cannot be known; nothing when they can.
/// PostgreSQL 15: ADD COLUMN with a constant default stores it as attmissingval, any other default
/// writes the table into a new file (tablecmds.c, ATExecAddColumn); a table's first file has its
/// OID for a number (heap.c, heap_create).
std::optional<std::string> unknown_values(const Column& column, const TableHistory& before,
                                          const TableSchema& after) {
  const TableHistory& now = after.history;
  if (before.empty) {
    return std::nullopt;
  }
  if (column.attnum <= before.last_attnum) {
    return fmt::format(
        "column \"{}\" is new in the stream but not in the table (it was a generated one before); "
        "the values of existing rows are not in the stream",
        column.name);
  }
  const bool rewritten = now.file_node != before.file_node && now.file_node != after.oid;
  if (!column.missing && (rewritten || now.file_node == 0)) {
    return fmt::format(
        "column \"{}\" was added and the table was rewritten (a default that is not constant, "
        "VACUUM FULL, TRUNCATE); the values of existing rows in it are not in the stream",
        column.name);
  }
  return std::nullopt;
}

std::optional<std::string> forbidden_difference(const Column& before, const Column& after) {
  if (before.name != after.name) {
    return fmt::format("column \"{}\" was renamed to \"{}\"", before.name, after.name);
  }
  if (before.type.oid != after.type.oid || before.type.typmod != after.type.typmod ||
      before.type.base_oid != after.type.base_oid) {
    return fmt::format("the type of column \"{}\" changed from {} to {}", before.name,
                       before.type.name, after.type.name);
  }
  return std::nullopt;
}

/// A column of the catalog that the stream would have to have too, as numbers are given in order:
/// it has another name there, perhaps that of a column added later. Null: there is none.
const Column* overlooked_column(const TableSchema& table, const TableSchema& catalog) {
  for (const Column& column : catalog.columns) {
    if (!table.columns.empty() && column.attnum < table.columns.back().attnum &&
        !has_column(table, column.attnum)) {
      return &column;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<Refusal> ambiguous_columns(const TableSchema& table, const TableSchema& known,
                                         const TableSchema& now) {
  const std::int16_t last_known = last_given(known, known.history);
  const Column* ambiguous = ambiguous_column(table, last_known, now.history.last_dropped);
  if (ambiguous == nullptr && !includes_columns(now, known) && !table.columns.empty() &&
      table.columns.back().attnum > last_known) {
    ambiguous = &table.columns.back();
  }
  return ambiguous != nullptr ? std::optional(Refusal{ambiguity(*ambiguous), Remedy::Copy})
                              : std::nullopt;
}

std::variant<TableSchema, Refusal> complete_schema(const Relation& relation,
                                                   const TableSchema* catalog,
                                                   const TableSchema* previous) {
  TableSchema table;
  table.oid = relation.oid;
  table.name = relation.name;
  table.identity = relation.identity;
  for (const RelationColumn& wanted : relation.columns) {
    const Column* found = find_column(catalog, wanted);
    if (found == nullptr) {
      found = find_column(previous, wanted);
    }
    if (found == nullptr) {
      return Refusal{
          fmt::format(
              "column \"{}\" of the stream is no longer in the catalog: the table was changed "
              "again "
              "before its first change was read, so re_dms cannot tell which column became which",
              wanted.name),
          Remedy::Copy};
    }
    Column column = *found;
    if (const Column* before = column_of(previous, column.attnum)) {
      column.type.target = before->type.target;
      column.type.parts = before->type.parts;
    } else if (previous != nullptr) {
      // It gets its usual type, which has none.
      column.type.parts.reset();
    }
    // Under REPLICA IDENTITY FULL the relation marks every column.
    column.key = wanted.key && relation.identity != ReplicaIdentity::Full;
    table.columns.push_back(std::move(column));
  }
  const bool in_order =
      std::is_sorted(table.columns.begin(), table.columns.end(),
                     [](const Column& a, const Column& b) { return a.attnum < b.attnum; });
  if (!in_order) {
    return Refusal{"the catalog's columns and the stream's columns do not match", Remedy::Copy};
  }
  if (const Column* missed = catalog != nullptr ? overlooked_column(table, *catalog) : nullptr) {
    return Refusal{fmt::format("column \"{}\" is older than column \"{}\", but the stream does not "
                               "have it yet: it was "
                               "renamed or changed before that was read, so re_dms cannot tell "
                               "which column became which",
                               missed->name, table.columns.back().name),
                   Remedy::Copy};
  }
  if (const TableSchema* told = catalog != nullptr ? catalog : previous) {
    table.history = told->history;
  }
  return table;
}

std::optional<Refusal> unpublished_in_between(const std::optional<Publishing>& known,
                                              const CatalogTable& answer) {
  if (!answer.asked_at.known()) {
    return std::nullopt;
  }
  const std::optional<Publishing>& now = answer.schema.publication;
  std::string_view what;
  if (!now && answer.schema.columns.empty() && answer.schema.history.file_node == 0) {
    return Refusal{
        fmt::format("it was dropped in the source before {}. The target's table stays as it was: "
                    "drop it there too if nobody needs it",
                    answer.asked_at),
        Remedy::Nothing};
  }
  if (!now) {
    what = "it is no longer in the publication";
  } else if (!known || *known == *now) {
    return std::nullopt;
  } else if (known->publication.oid != now->publication.oid) {
    what = "the publication was dropped and recreated";
  } else if (known->publication != now->publication) {
    what = "the publication was altered (which changes it publishes, its owner or its options)";
  } else {
    what =
        "it was taken out of the publication and put back, or its row filter, its column list or "
        "the partition that it is published by was altered";
  }
  return Refusal{
      fmt::format("{}; changes made in the meantime may not be in the stream (seen in the "
                  "source before {})",
                  what, answer.asked_at),
      Remedy::Copy};
}

std::optional<Refusal> altered_types(const TableSchema& version, const TableSchema& answer) {
  for (const Column& column : version.columns) {
    if (!column.type.parts) {
      continue;
    }
    const Column* now = column_of(&answer, column.attnum);
    if (now != nullptr && now->type.oid == column.type.oid &&
        now->type.parts != column.type.parts) {
      return Refusal{
          fmt::format("the type of column \"{}\" ({}), or one that it is made of, {} (ALTER TYPE)",
                      column.name, column.type.name,
                      now->type.parts ? "has other attributes now"
                                      : "has too many attributes now, alone or with other columns"),
          Remedy::Copy};
    }
  }
  return std::nullopt;
}

std::optional<Refusal> unknown_types(const TableSchema& version, const TableSchema& first) {
  for (const Column& column : version.columns) {
    if (!column.type.parts && (column.type.target != kSuper || !may_have_parts(column.type))) {
      continue;
    }
    const Column* then = column_of(&first, column.attnum);
    if (!column.type.parts || then == nullptr || then->type.parts != column.type.parts) {
      return Refusal{fmt::format("of which attributes the first values of column \"{}\" ({}) are "
                                 "made is not known",
                                 column.name, column.type.name),
                     Remedy::Copy};
    }
  }
  return std::nullopt;
}

bool same_columns(const TableSchema& a, const TableSchema& b) {
  return std::ranges::equal(a.columns, b.columns, {}, &Column::attnum, &Column::attnum);
}

bool includes_columns(const TableSchema& table, const TableSchema& other) {
  return std::ranges::all_of(
      other.columns, [&](const Column& column) { return has_column(table, column.attnum); });
}

bool is_ahead(const TableSchema& table, const TableHistory& known, const TableSchema& catalog) {
  return !same_columns(table, catalog) || catalog.history.last_dropped > last_given(table, known);
}

TableHistory history_to_keep(const TableSchema& table, const TableHistory& known,
                             const TableSchema* catalog) {
  if (catalog == nullptr) {
    return known;
  }
  if (!is_ahead(table, known, *catalog)) {
    TableHistory told = catalog->history;
    told.empty = known.empty;
    return told;
  }
  TableHistory kept;
  kept.empty = known.empty;
  if (catalog->history.file_node == known.file_node) {
    kept.file_node = known.file_node;
  }
  kept.last_attnum = last_given(table, known);
  return kept;
}

TableSchema version_at(const CatalogTable& answer, Lsn position) {
  TableSchema table = answer.schema;
  if (table.identity != ReplicaIdentity::Full || !answer.primary_key) {
    return table;
  }
  // The key is in force where the snapshot was taken: whoever made it ended before that.
  const std::vector<std::int16_t>& key = answer.primary_key->columns;
  if (std::ranges::all_of(key, [&](std::int16_t attnum) { return has_column(table, attnum); })) {
    table.certain_key = CertainKey{*answer.primary_key, position};
    for (Column& column : table.columns) {
      column.key = std::ranges::find(key, column.attnum) != key.end();
    }
  }
  return table;
}

std::variant<std::vector<SchemaChange>, Refusal> compare_schemas(const TableSchema& before,
                                                                 const TableHistory& history,
                                                                 const TableSchema& after,
                                                                 const TableSchema* catalog) {
  if (before.name != after.name) {
    return Refusal{fmt::format("the table was renamed from {} to {}", to_string(before.name),
                               to_string(after.name)),
                   Remedy::Copy};
  }
  TableHistory known = history;
  known.last_attnum = last_given(before, history);
  const Column* ambiguous = ambiguous_column(after, known.last_attnum, after.history.last_dropped);
  std::vector<SchemaChange> changes;
  std::size_t next = 0;
  // Numbers are given in order, and both lists are sorted by them.
  const auto drop_below = [&](std::int16_t attnum) -> std::optional<Refusal> {
    for (; next < before.columns.size() && before.columns[next].attnum < attnum; ++next) {
      const Column& column = before.columns[next];
      if (catalog == nullptr || has_column(*catalog, column.attnum)) {
        return Refusal{fmt::format("column \"{}\" is no longer in the stream", column.name),
                       Remedy::Copy};
      }
      changes.emplace_back(DropColumn{column.name});
    }
    return std::nullopt;
  };
  for (const Column& column : after.columns) {
    if (auto refusal = drop_below(column.attnum)) {
      return *std::move(refusal);
    }
    if (next < before.columns.size() && before.columns[next].attnum == column.attnum) {
      if (catalog != nullptr && may_be_another(column, known.last_attnum, *catalog)) {
        return Refusal{ambiguity(column), Remedy::Copy};
      }
      if (auto difference = forbidden_difference(before.columns[next], column)) {
        return Refusal{*difference, Remedy::Copy};
      }
      ++next;
      continue;
    }
    if (!changes.empty() && std::holds_alternative<DropColumn>(changes.front())) {
      return Refusal{ambiguity(column), Remedy::Copy};
    }
    // Before the question of older rows: it is the next ones whose column cannot be told.
    if (&column == ambiguous) {
      return Refusal{ambiguity(column), Remedy::Copy};
    }
    if (auto problem = unknown_values(column, known, after)) {
      return Refusal{*std::move(problem), Remedy::Copy};
    }
    changes.emplace_back(AddColumn{column});
  }
  if (auto refusal = drop_below(std::numeric_limits<std::int16_t>::max())) {
    return *std::move(refusal);
  }
  return changes;
}

}  // namespace re_dms
