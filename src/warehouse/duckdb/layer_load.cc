#include "warehouse/duckdb/layer_load.h"

#include <fmt/format.h>

#include "base/error.h"
#include "warehouse/duckdb/staged_rows.h"
#include "warehouse/staged_file_check.h"

namespace re_dms::duckdb {

namespace {

// A temporary table of the connection: of the layer's types and made here, never LIKE the target,
// whose shape may be another one by the time a later layer runs.
Sql staged() {
  return sql("temp.main.re_dms_staged");
}

/// Different rows to take away that the target has: how many times, and how many times it has them.
Sql gone() {
  return sql("temp.main.re_dms_gone");
}

void expect(std::string_view done, std::uint64_t touched, std::uint64_t wanted) {
  if (touched != wanted) {
    throw Error(ErrorKind::Table,
                fmt::format("{} {} rows where {} were staged; the target is not the copy it should "
                            "be, or somebody changed it",
                            done, touched, wanted));
  }
}

/// Facts of a layer's update rows that shorten the statement.
struct UpdateFacts {
  std::vector<bool> carried_by_all;  ///< per table column
  std::vector<bool> moved;           ///< per key column: some row gets another value
};

UpdateFacts update_facts(Session& session, std::size_t columns,
                         const std::vector<std::size_t>& keys) {
  std::vector<Sql> facts;
  facts.reserve(columns + keys.size());
  for (std::size_t i = 0; i < columns; ++i) {
    facts.push_back(sql("bool_and(substr(mask, {}, 1) = '1') AS a{}", i + 1, i));
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    facts.push_back(sql("bool_or(substr(mask, {}, 1) = '1' AND {} IS DISTINCT FROM {}) AS m{}",
                        keys[i] + 1, column_name(keys[i]), key_name(i), i));
  }
  const auto rows =
      session.query(sql("SELECT {} FROM {} WHERE op = 'U'", joined(facts), staged()), Blame::Table);
  UpdateFacts found;
  for (std::size_t i = 0; i < columns + keys.size(); ++i) {
    (i < columns ? found.carried_by_all : found.moved).push_back(rows.at(0).at(i) == "true");
  }
  return found;
}

}  // namespace

LayerLoad::LayerLoad(Session& session, const TargetCatalog& catalog, const StagedLayer& layer,
                     KnownTable& table, EarlierChanges earlier)
    : session_(session),
      catalog_(catalog),
      layer_(layer),
      table_(table),
      keys_(key_columns(*layer.table)),
      changes_(earlier) {}

void LayerLoad::apply() {
  change_shape();
  if (layer_.truncate) {
    session_.execute(sql("DELETE FROM {}", qualified(session_.catalog(), table_.target)),
                     Blame::Table);
    changes_ = EarlierChanges::Some;
  }
  if (layer_.files.empty()) {
    expect("the stage holds", 0, layer_.counts.rows());
    return;
  }
  if (layer_.shape == LayerShape::Inserts) {
    expect("a layer of inserts holds", layer_.counts.rows(), layer_.counts.inserts);
    insert_files(qualified(session_.catalog(), table_.target));
    return;
  }
  merge_files();
}

void LayerLoad::change_shape() {
  bool created = false;
  std::vector<Column> added;
  for (const SchemaChange& change : layer_.changes) {
    if (std::holds_alternative<CreateTable>(change)) {
      create_target(session_, table_.target, *layer_.table);
      created = true;
    } else if (const auto* add = std::get_if<AddColumn>(&change); add != nullptr && !created) {
      // A table made by this layer has all its columns from the start.
      added.push_back(add->column);
    }
  }
  if (!added.empty()) {
    changes_ = add_columns(session_, catalog_, table_, added, changes_);
  }
  table_.schema = *layer_.table;
  if (created) {
    return;
  }
  // Rows are put in by position; a column more or less, or in another place, must not go unnoticed.
  if (const auto difference = catalog_.difference(table_)) {
    throw Error(ErrorKind::Table, *difference);
  }
}

void LayerLoad::insert_files(const Sql& into) {
  const Sql values = joined(converted_columns(layer_));
  std::uint64_t inserted = 0;
  for (const StagedFile& file : layer_.files) {
    check_staged_file(file);
    // One statement per file: its rows can be counted, and the memory it needs has a bound.
    reading_ = &file;
    const std::uint64_t rows = session_.execute(
        sql("INSERT INTO {} SELECT {} FROM {}", into, values, read_file(layer_, file)),
        Blame::Table);
    expect("a staged file gave", rows, file.rows);
    reading_ = nullptr;
    inserted += rows;
  }
  expect("the staged files gave", inserted, layer_.counts.rows());
}

void LayerLoad::merge_files() {
  if (layer_.shape == LayerShape::Changes && keys_.empty()) {
    throw Error(ErrorKind::Table, "rows were changed, but the table has no key to find them by");
  }
  session_.execute(
      sql("CREATE TEMPORARY TABLE re_dms_staged ({})", joined(column_definitions(layer_))),
      Blame::Table);
  insert_files(staged());
  check_staged_counts();
  if (layer_.shape == LayerShape::Multiset) {
    take_equal_rows();
  } else {
    delete_rows();
    update_rows();
  }
  insert_rows();
  session_.execute(sql("DROP TABLE {}", staged()), Blame::Table);
}

void LayerLoad::check_staged_counts() {
  const auto counts =
      session_.query(sql("SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), "
                         "count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM {}",
                         staged()),
                     Blame::Table);
  const LayerCounts& wanted = layer_.counts;
  std::size_t at = 0;
  for (const std::uint64_t count :
       {wanted.inserts, wanted.replaces, wanted.updates, wanted.deletes}) {
    if (counts.at(0).at(at++) != std::to_string(count)) {
      throw Error(ErrorKind::Table, "the staged files hold other operations than the layer counts");
    }
  }
}

Sql LayerLoad::on_origin_key() const {
  std::vector<Sql> conditions;
  conditions.reserve(keys_.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    conditions.push_back(
        sql("t.{} = s.{}", identifier(layer_.table->columns[keys_[i]].name), key_name(i)));
  }
  return joined(conditions, " AND ");
}

void LayerLoad::delete_rows() {
  const std::uint64_t wanted = layer_.counts.deletes + layer_.counts.replaces;
  if (wanted == 0) {
    return;
  }
  const std::uint64_t deleted =
      session_.execute(sql("DELETE FROM {} AS t USING {} AS s WHERE s.op IN ('D', 'R') AND {}",
                           qualified(session_.catalog(), table_.target), staged(), on_origin_key()),
                       Blame::Table);
  changes_ = EarlierChanges::Some;
  expect("DELETE found", deleted, wanted);
}

/// Of each different row to take away, all copies go and those that are left come back: a DELETE
/// cannot be told how many of some equal rows to take.
void LayerLoad::take_equal_rows() {
  if (layer_.counts.deletes == 0) {
    return;
  }
  const Sql target = qualified(session_.catalog(), table_.target);
  const std::vector<Column>& columns = layer_.table->columns;
  std::vector<Sql> names;
  std::vector<Sql> equal;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names.push_back(column_name(i));
    equal.push_back(
        sql("t.{} IS NOT DISTINCT FROM g.{}", identifier(columns[i].name), column_name(i)));
  }
  const Sql row = joined(names);
  const Sql same = joined(equal, " AND ");
  session_.execute(
      sql("CREATE TEMPORARY TABLE re_dms_gone AS SELECT g.*, count(*) AS found FROM (SELECT {0}, "
          "count(*) AS copies FROM {1} WHERE op = 'D' GROUP BY {0}) AS g JOIN {2} AS t ON {3} "
          "GROUP BY ALL",
          row, staged(), target, same),
      Blame::Table);
  const auto sums = session_.query(
      sql("SELECT coalesce(sum(least(copies, found)), 0), coalesce(sum(found), 0) FROM {}", gone()),
      Blame::Table);
  expect("DELETE found", std::stoull(sums.at(0).at(0).value_or("")), layer_.counts.deletes);
  const std::uint64_t found = std::stoull(sums.at(0).at(1).value_or(""));
  const std::uint64_t deleted = session_.execute(
      sql("DELETE FROM {} AS t USING {} AS g WHERE {}", target, gone(), same), Blame::Table);
  changes_ = EarlierChanges::Some;
  expect("DELETE found", deleted, found);
  if (found > layer_.counts.deletes) {
    const std::uint64_t kept =
        session_.execute(sql("INSERT INTO {} SELECT {} FROM {} AS g, range(g.found - g.copies)",
                             target, row, gone()),
                         Blame::Table);
    expect("INSERT brought back", kept, found - layer_.counts.deletes);
  }
  session_.execute(sql("DROP TABLE {}", gone()), Blame::Table);
}

/// One statement for all updates: keys that swap or move in a circle change at the same moment.
void LayerLoad::update_rows() {
  if (layer_.counts.updates == 0) {
    return;
  }
  const std::vector<Sql> set = assignments();
  const Sql target = qualified(session_.catalog(), table_.target);
  std::uint64_t updated = 0;
  if (set.empty()) {
    const auto rows = session_.query(sql("SELECT count(*) FROM {} AS t JOIN {} AS s ON {} WHERE "
                                         "s.op = 'U'",
                                         target, staged(), on_origin_key()),
                                     Blame::Table);
    updated = std::stoull(rows.at(0).at(0).value_or("0"));
  } else {
    updated = session_.execute(sql("UPDATE {} AS t SET {} FROM {} AS s WHERE s.op = 'U' AND {}",
                                   target, joined(set), staged(), on_origin_key()),
                               Blame::Table);
    changes_ = EarlierChanges::Some;
  }
  expect("UPDATE found", updated, layer_.counts.updates);
}

/// Names only columns some row carries, and key columns only when a row moves: DuckDB writes a
/// column anew, for every row group that has a changed row, when it is named.
std::vector<Sql> LayerLoad::assignments() {
  const std::vector<Column>& columns = layer_.table->columns;
  RE_DMS_CHECK(layer_.updated_columns.size() == columns.size());
  const UpdateFacts facts = update_facts(session_, columns.size(), keys_);
  std::vector<bool> unmoved(columns.size());
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    unmoved[keys_[i]] = !facts.moved[i];
  }
  std::vector<Sql> set;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (unmoved[i] || !layer_.updated_columns[i]) {
      continue;
    }
    const Sql name = identifier(columns[i].name);
    const Sql value = column_name(i);
    set.push_back(
        facts.carried_by_all[i]
            ? sql("{} = s.{}", name, value)
            : sql("{0} = CASE WHEN substr(s.mask, {1}, 1) = '1' THEN s.{2} ELSE t.{0} END", name,
                  i + 1, value));
  }
  return set;
}

void LayerLoad::insert_rows() {
  const std::uint64_t wanted = layer_.counts.inserts + layer_.counts.replaces;
  if (wanted == 0) {
    return;
  }
  std::vector<Sql> values;
  values.reserve(layer_.table->columns.size());
  for (std::size_t i = 0; i < layer_.table->columns.size(); ++i) {
    values.push_back(column_name(i));
  }
  const std::uint64_t inserted =
      session_.execute(sql("INSERT INTO {} SELECT {} FROM {} WHERE op IN ('I', 'R')",
                           qualified(session_.catalog(), table_.target), joined(values), staged()),
                       Blame::Table);
  expect("INSERT made", inserted, wanted);
}

}  // namespace re_dms::duckdb
