#include "warehouse/redshift/layer_merge.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "warehouse/redshift/staged_columns.h"
#include "warehouse/redshift/target_shape.h"
#include "warehouse/redshift/types.h"

namespace re_dms::redshift {

namespace {

/// Rows of the target that equal one to delete, each with its number among its equals.
Sql equals_table() {
  return sql("re_dms_equals");
}

void expect(std::string_view done, std::uint64_t touched, std::uint64_t wanted) {
  if (touched != wanted) {
    throw NotTheCopy(
        fmt::format("{} {} rows where {} were staged; the target is not the copy it should "
                    "be, or somebody changed it",
                    done, touched, wanted));
  }
}

// The aliases of temporary tables are names that no table of the source is expected to have: the
// target's table stands under its own beside them.

/// Trailing blanks do not count when Redshift compares texts.
Sql equal(const ColumnType& type, const Sql& left, const Sql& right) {
  return ignores_trailing_blanks(type)
             ? sql("{0} = {1} AND octet_length({0}) = octet_length({1})", left, right)
             : sql("{} = {}", left, right);
}

}  // namespace

LayerMerge::LayerMerge(Session& session, const StagedLayer& layer, const StoredTable& table,
                       Sql staged)
    : session_(session),
      layer_(layer),
      table_(table),
      staged_(std::move(staged)),
      target_(qualified(table.target)),
      name_(identifier(table.target.name)),
      keys_(key_columns(*layer.table)) {}

std::uint64_t LayerMerge::apply() {
  if (layer_.shape == LayerShape::Multiset) {
    take_equal_rows();
  } else {
    if (keys_.empty()) {
      throw Error(ErrorKind::Table, "rows were changed, but the table has no key to find them by");
    }
    delete_rows();
    update_rows();
  }
  insert_rows();
  return not_there_;
}

void LayerMerge::expect_found(std::string_view done, std::uint64_t touched, std::uint64_t wanted) {
  if (table_.may_lack_rows() && touched < wanted) {
    not_there_ += wanted - touched;
    return;
  }
  expect(done, touched, wanted);
}

Sql LayerMerge::on_origin_key() const {
  std::vector<Sql> conditions;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const Column& column = layer_.table->columns[keys_[i]];
    conditions.push_back(equal(column.type, sql("{}.{}", name_, identifier(column.name)),
                               sql("re_dms_s.{}", key_name(i))));
  }
  return joined(conditions, " AND ");
}

/// Of a row that is deleted and inserted, what stands in columns of its own would go.
bool LayerMerge::updates_replaced() const {
  return !table_.kept_columns.empty();
}

void LayerMerge::delete_rows() {
  const std::uint64_t wanted =
      layer_.counts.deletes + (updates_replaced() ? 0 : layer_.counts.replaces);
  if (wanted > 0) {
    const std::uint64_t deleted = session_.execute(
        sql("DELETE FROM {} USING {} re_dms_s WHERE re_dms_s.op IN ({}) AND {}", target_, staged_,
            updates_replaced() ? sql("'D'") : sql("'D', 'R'"), on_origin_key()),
        Blame::Table);
    expect_found("DELETE found", deleted, wanted);
  }
}

/// One statement for all updates: keys that swap or move in a circle change at the same moment. It
/// names only columns that some row carries.
void LayerMerge::update_rows() {
  const std::uint64_t replaced = updates_replaced() ? layer_.counts.replaces : 0;
  const std::uint64_t wanted = layer_.counts.updates + replaced;
  if (wanted == 0) {
    return;
  }
  const std::vector<Column>& columns = layer_.table->columns;
  RE_DMS_CHECK(layer_.counts.updates == 0 || layer_.updated_columns.size() == columns.size());
  // A replaced row carries all columns.
  const Sql carries_all = replaced > 0 ? sql("re_dms_s.op = 'R' OR ") : Sql();
  std::vector<Sql> set;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Sql name = identifier(columns[i].name);
    if (layer_.counts.updates == 0) {
      set.push_back(sql("{} = re_dms_s.{}", name, column_name(i)));
    } else if (replaced > 0 || layer_.updated_columns[i]) {
      set.push_back(
          sql("{0} = CASE WHEN {4}substring(re_dms_s.mask, {1}, 1) = '1' THEN "
              "re_dms_s.{2} ELSE {3}.{0} END",
              name, i + 1, column_name(i), name_, carries_all));
    }
  }
  const std::uint64_t updated = session_.execute(
      sql("UPDATE {} SET {} FROM {} re_dms_s WHERE re_dms_s.op IN ({}) AND {}", target_,
          joined(set), staged_, replaced > 0 ? sql("'U', 'R'") : sql("'U'"), on_origin_key()),
      Blame::Table);
  expect_found("UPDATE found", updated, wanted);
}

/// Of rows that equal one to delete, all are deleted and the surplus is inserted again: DELETE
/// cannot take only some of several equal rows.
void LayerMerge::take_equal_rows() {
  if (layer_.counts.deletes == 0) {
    return;
  }
  const std::vector<Column>& columns = layer_.table->columns;
  std::vector<Sql> staged;  // what tells rows apart, of staged rows
  std::vector<Sql> target;  // of the target's
  std::vector<Sql> joins;
  std::vector<Sql> deletes;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Sql name = identifier(columns[i].name);
    const auto same = [&](const Sql& left, const Sql& right) {
      const Sql both = sql("(({0}) OR ({1} IS NULL AND {2} IS NULL))",
                           equal(columns[i].type, left, right), left, right);
      // What it says follows from the other, and a join hashes by nothing else.
      const auto constant = in_place_of_null(columns[i].type);
      return constant ? sql("coalesce({0}, {2}) = coalesce({1}, {2}) AND {3}", left, right,
                            *constant, both)
                      : both;
    };
    staged.push_back(column_name(i));
    target.push_back(sql("t.{}", name));
    if (ignores_trailing_blanks(columns[i].type)) {
      staged.push_back(sql("octet_length({})", column_name(i)));
      target.push_back(sql("octet_length(t.{})", name));
    }
    joins.push_back(same(sql("t.{}", name), sql("g.{}", column_name(i))));
    deletes.push_back(same(sql("{}.{}", name_, name), sql("re_dms_e.{}", column_name(i))));
  }
  std::vector<Sql> values;
  std::vector<Sql> renamed;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    values.push_back(column_name(i));
    renamed.push_back(sql("t.{} AS {}", identifier(columns[i].name), column_name(i)));
  }
  session_.execute(
      sql("CREATE TEMP TABLE {} AS SELECT {}, g.copies, row_number() OVER (PARTITION BY {}) AS "
          "number FROM {} t JOIN (SELECT {}, count(*) AS copies FROM {} WHERE op = 'D' GROUP BY "
          "{}) g ON {}",
          equals_table(), joined(renamed), joined(target), target_, joined(values), staged_,
          joined(staged), joined(joins, " AND ")),
      Blame::Table);
  const auto counts = session_.query(
      sql("SELECT count(*), coalesce(sum(CASE WHEN number <= copies THEN 1 ELSE 0 END), 0) FROM {}",
          equals_table()),
      Blame::Table);
  const std::uint64_t found = std::stoull(counts.at(0).at(0).value_or("0"));
  const std::uint64_t taken = std::stoull(counts.at(0).at(1).value_or("0"));
  expect_found("DELETE found", taken, layer_.counts.deletes);
  const std::uint64_t deleted =
      session_.execute(sql("DELETE FROM {} USING {} re_dms_e WHERE re_dms_e.number = 1 AND {}",
                           target_, equals_table(), joined(deletes, " AND ")),
                       Blame::Table);
  expect("DELETE found", deleted, found);
  if (found > taken) {
    const std::uint64_t kept =
        session_.execute(sql("INSERT INTO {} ({}) SELECT {} FROM {} WHERE number > copies", target_,
                             joined(column_list(*layer_.table)), joined(values), equals_table()),
                         Blame::Table);
    expect("INSERT brought back", kept, found - taken);
  }
  session_.execute(sql("DROP TABLE {}", equals_table()), Blame::Table);
}

void LayerMerge::insert_rows() {
  const std::uint64_t wanted =
      layer_.counts.inserts + (updates_replaced() ? 0 : layer_.counts.replaces);
  if (wanted == 0) {
    return;
  }
  std::vector<Sql> values;
  for (std::size_t i = 0; i < layer_.table->columns.size(); ++i) {
    values.push_back(column_name(i));
  }
  const std::uint64_t inserted =
      session_.execute(sql("INSERT INTO {} ({}) SELECT {} FROM {} WHERE op IN ({})", target_,
                           joined(column_list(*layer_.table)), joined(values), staged_,
                           updates_replaced() ? sql("'I'") : sql("'I', 'R'")),
                       Blame::Table);
  expect("INSERT made", inserted, wanted);
}

}  // namespace re_dms::redshift
