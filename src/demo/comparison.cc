#include "demo/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "base/error.h"

namespace re_dms::demo {

namespace {

constexpr std::uint64_t kPieceBytes = 32U << 20;
constexpr std::uint64_t kPieceRowsMin = 500;
constexpr std::uint64_t kPieceRowsMax = 50'000;
constexpr std::size_t kExamplesMax = 5;
constexpr std::size_t kShownBytes = 60;

enum class Equality { SameText, SameDouble };

/// One column as both sides are asked for it: expressions that give the same text for the same
/// value, whatever either side's own way to write it.
struct ComparedColumn {
  std::string name;
  std::string source_sql;
  std::string target_sql;
  Equality equality = Equality::SameText;
};

std::string quoted_name(std::string_view identifier) {
  std::string text = "\"";
  for (const char c : identifier) {
    text += c == '"' ? "\"\"" : std::string(1, c);
  }
  return text + '"';
}

std::string literal(std::string_view value) {
  std::string text = "'";
  for (const char c : value) {
    text += c == '\'' ? "''" : std::string(1, c);
  }
  return text + "'";
}

/// Of a column that is never NULL.
std::string text_of(const TextRow& row, std::size_t column) {
  return row.at(column).value_or("");
}

ComparedColumn compared_column(const std::string& name, std::string_view type) {
  const std::string column = quoted_name(name);
  const std::string text = fmt::format("CAST({} AS VARCHAR)", column);
  if (type == "bool") {
    return {name, fmt::format("CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END", column),
            text};
  }
  if (type == "timestamp" || type == "timestamptz") {
    return {name, fmt::format("(extract(epoch from {}) * 1000000)::bigint", column),
            fmt::format("CAST(epoch_us({}) AS VARCHAR)", column)};
  }
  if (type == "bytea") {
    return {name, fmt::format("encode({}, 'hex')", column), fmt::format("lower(hex({}))", column)};
  }
  if (type == "float4" || type == "float8") {
    return {name, column, text, Equality::SameDouble};
  }
  // As PostgreSQL writes it: a cast of char(n) to text would take its blanks away.
  return {name, column, text};
}

std::vector<ComparedColumn> columns_of(SqlSession& source, const ComparedTable& table) {
  std::vector<ComparedColumn> columns;
  for (const TextRow& row : source.query(fmt::format(
           "SELECT attname, typname FROM pg_attribute JOIN pg_type t ON t.oid = atttypid "
           "WHERE attrelid = {}::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
           literal("public." + quoted_name(table.name))))) {
    columns.push_back(compared_column(text_of(row, 0), text_of(row, 1)));
  }
  return columns;
}

/// What is wrong with the target's table as a whole; empty: nothing.
std::string shape_difference(const TargetQuery& target, const ComparedTable& table,
                             const std::vector<ComparedColumn>& columns) {
  std::vector<std::string> found;
  for (const TextRow& row : target(fmt::format(
           "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' "
           "AND table_name = {}",
           literal(table.name)))) {
    found.push_back(text_of(row, 0));
  }
  if (found.empty()) {
    return "is not in the warehouse";
  }
  for (const ComparedColumn& column : columns) {
    const auto place = std::ranges::find(found, column.name);
    if (place == found.end()) {
      return fmt::format("column {} is not in the warehouse", column.name);
    }
    found.erase(place);
  }
  return found.empty() ? std::string()
                       : fmt::format("column {} is in the warehouse only", found.front());
}

std::int64_t key_of(const TextRow& row) {
  const std::string text = text_of(row, 0);
  std::int64_t key = 0;
  std::from_chars(text.data(), text.data() + text.size(), key);
  return key;
}

/// Zeros of either sign are equal, and so are all NaN.
bool same_double(const std::string& left, const std::string& right) {
  const double a = std::strtod(left.c_str(), nullptr);
  const double b = std::strtod(right.c_str(), nullptr);
  return a == b || (std::isnan(a) && std::isnan(b));
}

bool same_value(const std::optional<std::string>& left, const std::optional<std::string>& right,
                Equality equality) {
  if (!left || !right) {
    return left.has_value() == right.has_value();
  }
  return *left == *right || (equality == Equality::SameDouble && same_double(*left, *right));
}

std::string shown(const std::optional<std::string>& value) {
  if (!value) {
    return "NULL";
  }
  if (value->size() <= kShownBytes) {
    return literal(*value);
  }
  return fmt::format("{}... ({} bytes)", literal(value->substr(0, kShownBytes)), value->size());
}

/// Merges the rows of both sides, each in the order of the key, its first column.
class RowMerge {
 public:
  RowMerge(const std::vector<ComparedColumn>& columns, TableComparison& comparison)
      : columns_(columns), comparison_(comparison) {}

  void merge(const std::vector<TextRow>& source, const std::vector<TextRow>& target) {
    comparison_.source_rows += source.size();
    comparison_.target_rows += target.size();
    auto left = source.begin();
    auto right = target.begin();
    while (left != source.end() || right != target.end()) {
      if (right == target.end() || (left != source.end() && key_of(*left) < key_of(*right))) {
        differ(fmt::format("key {} is missing in the warehouse", key_of(*left++)));
      } else if (left == source.end() || key_of(*right) < key_of(*left)) {
        differ(fmt::format("key {} is in the warehouse only", key_of(*right++)));
      } else {
        // The same key twice on the target side is a surplus row the next time round.
        compare_rows(*left++, *right++);
      }
    }
  }

 private:
  void compare_rows(const TextRow& source, const TextRow& target) {
    comparison_.values += columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const auto& left = source[i + 1];
      const auto& right = target[i + 1];
      if (!same_value(left, right, columns_[i].equality)) {
        differ(fmt::format("key {}, column {}: PostgreSQL has {}, the warehouse {}", key_of(source),
                           columns_[i].name, shown(left), shown(right)));
        return;
      }
    }
  }

  void differ(std::string example) {
    ++comparison_.different_rows;
    if (comparison_.examples.size() < kExamplesMax) {
      comparison_.examples.push_back(std::move(example));
    }
  }

  const std::vector<ComparedColumn>& columns_;
  TableComparison& comparison_;
};

/// SELECT of the key and all columns for keys in (after, to], ordered by key.
std::string select_sql(const ComparedTable& table, const std::vector<std::string>& expressions,
                       std::optional<std::int64_t> after, std::optional<std::int64_t> to) {
  const std::string key = quoted_name(table.key);
  std::string sql = fmt::format("SELECT {}, {} FROM public.{} WHERE true", key,
                                fmt::join(expressions, ", "), quoted_name(table.name));
  if (after) {
    sql += fmt::format(" AND {} > {}", key, *after);
  }
  if (to) {
    sql += fmt::format(" AND {} <= {}", key, *to);
  }
  return sql + fmt::format(" ORDER BY {}", key);
}

std::uint64_t piece_rows(SqlSession& source, const ComparedTable& table) {
  const std::string name = "public." + quoted_name(table.name);
  const std::uint64_t row_bytes = source.number(fmt::format(
      "SELECT pg_table_size({}::regclass) / greatest(count(*), 1) FROM {}", literal(name), name));
  return std::clamp(kPieceBytes / std::max<std::uint64_t>(row_bytes, 1), kPieceRowsMin,
                    kPieceRowsMax);
}

}  // namespace

TableComparison compare_table(SqlSession& source, const TargetQuery& target,
                              const ComparedTable& table, const std::function<void()>& between) {
  TableComparison comparison{.table = table.name, .examples = {}};
  const std::vector<ComparedColumn> columns = columns_of(source, table);
  if (std::string difference = shape_difference(target, table, columns); !difference.empty()) {
    comparison.source_rows =
        source.number(fmt::format("SELECT count(*) FROM public.{}", quoted_name(table.name)));
    comparison.examples.push_back(std::move(difference));
    return comparison;
  }
  std::vector<std::string> source_sql;
  std::vector<std::string> target_sql;
  for (const ComparedColumn& column : columns) {
    source_sql.push_back(column.source_sql);
    target_sql.push_back(column.target_sql);
  }
  const std::uint64_t rows_max = piece_rows(source, table);
  RowMerge both(columns, comparison);
  std::optional<std::int64_t> after;
  bool last = false;
  while (!last) {
    const std::vector<TextRow> rows =
        source.query(select_sql(table, source_sql, after, {}) + fmt::format(" LIMIT {}", rows_max));
    // The last piece has no upper end, so that surplus rows of the target come to light.
    last = rows.size() < rows_max;
    const auto to = last ? std::nullopt : std::optional(key_of(rows.back()));
    both.merge(rows, target(select_sql(table, target_sql, after, to)));
    after = to;
    between();
  }
  return comparison;
}

}  // namespace re_dms::demo
