#include "warehouse/duckdb/layer_load.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "warehouse/duckdb/faults.h"
#include "warehouse/duckdb/kept_table.h"
#include "warehouse/duckdb/row_update.h"
#include "warehouse/duckdb/staged_rows.h"
#include "warehouse/duckdb/types.h"
#include "warehouse/staged_file_check.h"

namespace re_dms::duckdb {

namespace {

// A temporary table of the connection: of the layer's types and made here, never LIKE the target,
// whose shape may be another one by the time a later layer runs.
Sql staged_table() {
  return sql("temp.main.re_dms_staged");
}

/// What rows that are deleted and inserted again hold in columns that the source dropped.
Sql held() {
  return sql("temp.main.re_dms_held");
}

Sql held_name(std::size_t column) {
  return sql("h{}", column);
}

/// Distinct rows to delete that the target has: how many copies to delete, and how many it has.
Sql gone() {
  return sql("temp.main.re_dms_gone");
}

void expect(std::string_view done, std::uint64_t touched, std::uint64_t wanted) {
  if (touched != wanted) {
    throw NotTheCopy(
        fmt::format("{} {} rows where {} were staged; the target is not the copy it should "
                    "be, or somebody changed it",
                    done, touched, wanted));
  }
}

/// Whether a staged row carries the column: a replaced one carries all, and has no mask.
Sql carries(std::size_t column) {
  return sql("(s.op = 'R' OR substr(s.mask, {}, 1) = '1')", column + 1);
}

}  // namespace

LayerLoad::LayerLoad(Session& session, TargetCatalog& catalog, const StagedLayer& layer,
                     StoredTable& table, EarlierChanges earlier)
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
    insert_files(target_for_rows());
    return;
  }
  merge_files();
}

void LayerLoad::change_shape() {
  bool created = false;
  ColumnChanges columns;
  for (const SchemaChange& change : layer_.changes) {
    if (std::holds_alternative<CreateTable>(change)) {
      create_target(session_, table_.target, *layer_.table);
      created = true;
    } else if (const auto* drop = std::get_if<DropColumn>(&change);
               drop != nullptr && !drop->kept) {
      columns.dropped.push_back(drop->name);
    } else if (const auto* add = std::get_if<AddColumn>(&change); add != nullptr && !created) {
      // A table made by this layer has all its columns from the start.
      columns.added.push_back(add->column);
    }
  }
  if (!columns.empty()) {
    changes_ = change_columns(session_, catalog_, table_, columns, changes_);
  }
  table_.schema = *layer_.table;
  if (created || !columns.empty()) {
    catalog_.changed(table_.target);
  }
  if (created) {
    return;
  }
  // Rows are put in by position; a column more or less, or in another place, must not go unnoticed.
  if (const auto difference = catalog_.difference(table_)) {
    if (difference->remedy == Remedy::Copy) {
      throw NotTheCopy(difference->text);
    }
    throw Error(ErrorKind::Table, difference->text);
  }
}

/// Of a table that may lack rows, less is counted.
void LayerLoad::expect_found(std::string_view done, std::uint64_t touched, std::uint64_t wanted) {
  if (table_.may_lack_rows() && touched < wanted) {
    not_there_ += wanted - touched;
    return;
  }
  expect(done, touched, wanted);
}

Sql LayerLoad::target_for_rows() const {
  return table_.is_kept() || !table_.kept_columns.empty()
             ? written_columns(session_, table_)
             : qualified(session_.catalog(), table_.target);
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
  update_replaced_ = layer_.shape == LayerShape::Changes && is_cheap_to_update();
  if (is_read_each_time()) {
    reading_ = layer_.files.data();
    check_staged_file(*reading_);
    if (is_update_of_one_row()) {
      changes_ = EarlierChanges::Some;
      expect_found("UPDATE found", update_row(session_, table_.target, layer_, *reading_), 1);
      return;
    }
    staged_ = read_converted(layer_, *reading_);
  } else {
    staged_ = staged_table();
    session_.execute(
        sql("CREATE TEMPORARY TABLE re_dms_staged ({})", joined(column_definitions(layer_))),
        Blame::Table);
    insert_files(staged_);
  }
  check_staged_counts();
  if (layer_.shape == LayerShape::Multiset) {
    take_equal_rows();
  } else {
    hold_kept_columns();
    delete_rows();
    update_rows();
  }
  insert_rows();
  if (!is_read_each_time()) {
    session_.execute(sql("DROP TABLE {}", staged_), Blame::Table);
  }
}

std::uint64_t LayerLoad::csv_bytes() const {
  std::uint64_t bytes = 0;
  for (const StagedFile& file : layer_.files) {
    bytes += file.csv_bytes;
  }
  return bytes;
}

/// A temporary table keeps its memory until COMMIT, also when it is dropped: half a megabyte for
/// one row of a table of 14 columns. A little file is read by each statement instead.
bool LayerLoad::is_read_each_time() const {
  constexpr std::uint64_t kBytesMax = 64U << 10;
  return layer_.files.size() == 1 && csv_bytes() <= kBytesMax;
}

bool LayerLoad::is_update_of_one_row() const {
  const LayerCounts& counts = layer_.counts;
  return counts.rows() == 1 && (counts.updates == 1 || (counts.replaces == 1 && update_replaced_));
}

void LayerLoad::check_staged_counts() {
  const auto counts =
      session_.query(sql("SELECT count(*) FILTER (op = 'I'), count(*) FILTER (op = 'R'), "
                         "count(*) FILTER (op = 'U'), count(*) FILTER (op = 'D') FROM {}",
                         staged_),
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

/// Where a table is small, an UPDATE writes only the
/// columns that changed; a row that is deleted and inserted costs a block of 256 KiB for each
/// column of the table in memory until COMMIT, and all its columns are written anew. In a large
/// table it is the other way round: an UPDATE writes a whole row group anew for each row it meets.
/// An UPDATE keeps what it writes in memory, so it has to be little. A whole row that is not there
/// is inserted, which no UPDATE does.
bool LayerLoad::is_cheap_to_update() {
  constexpr std::uint64_t kTableRowsMax = 2048;
  constexpr std::uint64_t kBytesMax = 1U << 20;
  if (layer_.counts.replaces == 0 || table_.may_lack_rows() ||
      layer_.counts.rows() > kTableRowsMax || csv_bytes() > kBytesMax) {
    return false;
  }
  return !catalog_.holds_more(table_.target, kTableRowsMax);
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

/// Those of the columns that somebody has not dropped there.
void LayerLoad::hold_kept_columns() {
  if (table_.kept_columns.empty() || update_replaced_ || layer_.counts.replaces == 0) {
    return;
  }
  std::vector<Sql> columns;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    columns.push_back(sql("s.{}", key_name(i)));
  }
  for (const Row& column : session_.columns(table_.target)) {
    const std::string name = column.at(0).value_or("");
    if (std::ranges::any_of(table_.kept_columns, [&](const std::string& kept) {
          return folded(kept) == folded(name);
        })) {
      columns.push_back(sql("t.{} AS {}", identifier(name), held_name(held_columns_.size())));
      held_columns_.push_back(identifier(name));
    }
  }
  if (!held_columns_.empty()) {
    session_.execute(
        sql("CREATE TEMPORARY TABLE re_dms_held AS SELECT {} FROM {} AS t JOIN {} AS s ON {} WHERE "
            "s.op = 'R'",
            joined(columns), qualified(session_.catalog(), table_.target), staged_,
            on_origin_key()),
        Blame::Table);
  }
}

void LayerLoad::delete_rows() {
  const std::uint64_t wanted =
      layer_.counts.deletes + (update_replaced_ ? 0 : layer_.counts.replaces);
  if (wanted == 0) {
    return;
  }
  const std::uint64_t deleted =
      session_.execute(sql("DELETE FROM {} AS t USING {} AS s WHERE s.op IN ({}) AND {}",
                           qualified(session_.catalog(), table_.target), staged_,
                           update_replaced_ ? sql("'D'") : sql("'D', 'R'"), on_origin_key()),
                       Blame::Table);
  changes_ = EarlierChanges::Some;
  expect_found("DELETE found", deleted, wanted);
}

/// Of each distinct row to delete, all copies are deleted and the surplus is inserted again: DELETE
/// cannot take only some of several equal rows.
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
          row, staged_, target, same),
      Blame::Table);
  const auto sums = session_.query(
      sql("SELECT coalesce(sum(least(copies, found)), 0), coalesce(sum(found), 0) FROM {}", gone()),
      Blame::Table);
  const std::uint64_t taken = std::stoull(sums.at(0).at(0).value_or(""));
  expect_found("DELETE found", taken, layer_.counts.deletes);
  const std::uint64_t found = std::stoull(sums.at(0).at(1).value_or(""));
  const std::uint64_t deleted = session_.execute(
      sql("DELETE FROM {} AS t USING {} AS g WHERE {}", target, gone(), same), Blame::Table);
  changes_ = EarlierChanges::Some;
  expect("DELETE found", deleted, found);
  if (found > taken) {
    const std::uint64_t kept =
        session_.execute(sql("INSERT INTO {} SELECT {} FROM {} AS g, range(g.found - g.copies)",
                             target_for_rows(), row, gone()),
                         Blame::Table);
    expect("INSERT brought back", kept, found - taken);
  }
  session_.execute(sql("DROP TABLE {}", gone()), Blame::Table);
}

Sql LayerLoad::updated_ops() const {
  return update_replaced_ ? sql("'U', 'R'") : sql("'U'");
}

/// One statement for all updates: keys that swap or move in a circle change at the same moment.
void LayerLoad::update_rows() {
  const std::uint64_t wanted =
      layer_.counts.updates + (update_replaced_ ? layer_.counts.replaces : 0);
  if (wanted == 0) {
    return;
  }
  const std::vector<Sql> set = assignments();
  const Sql target = qualified(session_.catalog(), table_.target);
  std::uint64_t updated = 0;
  if (set.empty()) {
    const auto rows = session_.query(sql("SELECT count(*) FROM {} AS t JOIN {} AS s ON {} WHERE "
                                         "s.op IN ({})",
                                         target, staged_, on_origin_key(), updated_ops()),
                                     Blame::Table);
    updated = std::stoull(rows.at(0).at(0).value_or("0"));
  } else {
    updated = session_.execute(sql("UPDATE {} AS t SET {} FROM {} AS s WHERE s.op IN ({}) AND {}",
                                   target, joined(set), staged_, updated_ops(), on_origin_key()),
                               Blame::Table);
    changes_ = EarlierChanges::Some;
  }
  expect_found("UPDATE found", updated, wanted);
}

/// Whether some row of the layer writes the column: an expression over all of them.
Sql LayerLoad::is_written(std::size_t column) const {
  const Sql value = column_name(column);
  if (update_replaced_) {
    const Column& target = layer_.table->columns[column];
    const Sql compared = has_different_equals(target.type) ? sql("::VARCHAR") : Sql();
    const Sql differs =
        sql("t.{0}{2} IS DISTINCT FROM s.{1}{2}", identifier(target.name), value, compared);
    return layer_.counts.updates == 0 ? sql("bool_or({})", differs)
                                      : sql("bool_or({} AND {})", carries(column), differs);
  }
  if (const auto key = std::ranges::find(keys_, column); key != keys_.end()) {
    return sql("bool_or({} AND s.{} IS DISTINCT FROM s.{})", carries(column), value,
               key_name(static_cast<std::size_t>(key - keys_.begin())));
  }
  return layer_.updated_columns[column] ? sql("true") : sql("false");
}

/// Names only columns that some row writes, and key columns only when a row moves: DuckDB writes a
/// column anew, for every row group that has a changed row, when it is named, and keeps a block of
/// 256 KiB for each in memory until COMMIT.
std::vector<Sql> LayerLoad::assignments() {
  const std::vector<Column>& columns = layer_.table->columns;
  RE_DMS_CHECK(layer_.counts.updates == 0 || layer_.updated_columns.size() == columns.size());
  // A replaced row carries all columns. DuckDB takes longer to plan this than to run it.
  const bool some_carry_less = layer_.counts.updates > 0;
  std::vector<Sql> facts;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    facts.push_back(sql("{} AS w{}", is_written(i), i));
  }
  for (std::size_t i = 0; some_carry_less && i < columns.size(); ++i) {
    facts.push_back(sql("bool_and({}) AS a{}", carries(i), i));
  }
  const Sql target =
      sql("JOIN {} AS t ON {}", qualified(session_.catalog(), table_.target), on_origin_key());
  const auto rows =
      session_.query(sql("SELECT {} FROM {} AS s {} WHERE s.op IN ({})", joined(facts), staged_,
                         update_replaced_ ? target : Sql(), updated_ops()),
                     Blame::Table);
  std::vector<Sql> set;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (rows.at(0).at(i) != "true") {
      continue;
    }
    const Sql name = identifier(columns[i].name);
    const Sql value = column_name(i);
    const bool carried_by_all = !some_carry_less || rows.at(0).at(columns.size() + i) == "true";
    set.push_back(carried_by_all ? sql("{} = s.{}", name, value)
                                 : sql("{0} = CASE WHEN {1} THEN s.{2} ELSE t.{0} END", name,
                                       carries(i), value));
  }
  return set;
}

void LayerLoad::insert_rows() {
  std::vector<Sql> values;
  values.reserve(layer_.table->columns.size());
  for (std::size_t i = 0; i < layer_.table->columns.size(); ++i) {
    values.push_back(sql("s.{}", column_name(i)));
  }
  const bool holds = !held_columns_.empty();
  const bool with_replaced = !update_replaced_ && !holds;
  const Sql from = sql("{} AS s", staged_);
  insert_some(target_for_rows(), values, from, with_replaced ? sql("'I', 'R'") : sql("'I'"),
              layer_.counts.inserts + (with_replaced ? layer_.counts.replaces : 0));
  if (holds) {
    std::vector<Sql> same;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      same.push_back(sql("s.{0} = h.{0}", key_name(i)));
    }
    for (std::size_t i = 0; i < held_columns_.size(); ++i) {
      values.push_back(sql("h.{}", held_name(i)));
    }
    insert_some(written_columns(session_, table_, held_columns_), values,
                sql("{} JOIN {} AS h ON {}", from, held(), joined(same, " AND ")), sql("'R'"),
                layer_.counts.replaces);
    session_.execute(sql("DROP TABLE {}", held()), Blame::Table);
  }
}

/// Staged rows with these operations.
void LayerLoad::insert_some(const Sql& into, const std::vector<Sql>& values, const Sql& from,
                            const Sql& ops, std::uint64_t wanted) {
  if (wanted > 0) {
    const std::uint64_t inserted = session_.execute(
        sql("INSERT INTO {} SELECT {} FROM {} WHERE s.op IN ({})", into, joined(values), from, ops),
        Blame::Table);
    expect("INSERT made", inserted, wanted);
  }
}

}  // namespace re_dms::duckdb
