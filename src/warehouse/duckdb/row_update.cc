#include "warehouse/duckdb/row_update.h"

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/check.h"
#include "warehouse/duckdb/staged_row.h"
#include "warehouse/duckdb/types.h"

namespace re_dms::duckdb {

namespace {

using Text = std::optional<std::string>;

Sql value(const Column& column, const Text& text) {
  return text ? from_text(column.type, literal(*text)) : sql("NULL");
}

/// What tells whether the target's value is the staged one: its text, or 'true' or 'false'. A text
/// may be long; it stays in DuckDB, whose memory is bounded.
Sql question(const Column& column, const Text& staged) {
  const Sql name = identifier(column.name);
  return staged && has_telling_text(column.type)
             ? sql("CAST({} AS VARCHAR)", name)
             : sql("CAST({} IS NOT DISTINCT FROM {} AS VARCHAR)", name, value(column, staged));
}

bool is_equal(const Column& column, const Text& answer, const Text& staged) {
  return staged && has_telling_text(column.type)
             ? answer && is_written_as(column.type, *answer, *staged)
             : answer == "true";
}

/// A staged row of shape Changes, as stage/csv.h lays it out.
class StagedRow {
 public:
  StagedRow(const StagedLayer& layer, Row fields)
      : columns_(layer.table->columns),
        keys_(key_columns(*layer.table)),
        fields_(std::move(fields)) {}

  const Text& op() const { return fields_.at(0); }

  bool carries(std::size_t column) const { return op() == "R" || fields_.at(1)->at(column) == '1'; }

  const Text& column(std::size_t column) const { return fields_.at(2 + keys_.size() + column); }

  Sql has_origin_key() const {
    std::vector<Sql> conditions;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const Column& key = columns_[keys_[i]];
      conditions.push_back(sql("{} = {}", identifier(key.name), value(key, fields_.at(2 + i))));
    }
    return joined(conditions, " AND ");
  }

 private:
  const std::vector<Column>& columns_;
  const std::vector<std::size_t> keys_;
  const Row fields_;
};

StagedRow read_row(const StagedLayer& layer, const StagedFile& file) {
  const std::size_t columns = layer.table->columns.size();
  Row fields = read_staged_row(file);
  const bool whole = fields.size() == 2 + key_columns(*layer.table).size() + columns &&
                     (fields[0] == "R" || (fields[1] && fields[1]->size() == columns));
  StagedRow row(layer, std::move(fields));
  if (!whole || row.op() != (layer.counts.replaces == 1 ? "R" : "U")) {
    throw Error(ErrorKind::Table, "the staged files hold other operations than the layer counts");
  }
  return row;
}

}  // namespace

std::uint64_t update_row(Session& session, const QualifiedName& name, const StagedLayer& layer,
                         const StagedFile& file) {
  const std::vector<Column>& columns = layer.table->columns;
  const StagedRow row = read_row(layer, file);
  const Sql target = qualified(session.catalog(), name);
  const Sql condition = row.has_origin_key();
  std::vector<std::size_t> carried;
  std::vector<Sql> questions = {sql("''")};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (row.carries(i)) {
      carried.push_back(i);
      questions.push_back(question(columns[i], row.column(i)));
    }
  }
  const std::vector<Row> found = session.texts(
      sql("SELECT {} FROM {} WHERE {}", joined(questions), target, condition), Blame::Table);
  if (found.size() != 1) {
    return found.size();
  }
  std::vector<Sql> set;
  for (std::size_t at = 0; at < carried.size(); ++at) {
    const Column& column = columns[carried[at]];
    const Text& staged = row.column(carried[at]);
    if (!is_equal(column, found[0][1 + at], staged)) {
      set.push_back(sql("{} = {}", identifier(column.name), value(column, staged)));
    }
  }
  if (set.empty()) {
    return 1;
  }
  return session.execute(sql("UPDATE {} SET {} WHERE {}", target, joined(set), condition),
                         Blame::Table);
}

}  // namespace re_dms::duckdb
