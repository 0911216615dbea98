#include "warehouse/adjusted_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "warehouse/service_tables.h"
#include "warehouse/sql.h"
#include "warehouse/stored_table.h"

namespace re_dms {

namespace {

constexpr std::size_t kExamplesADay = 1000;  // of each table

struct ColumnReason {
  Oid oid = 0;
  std::string column;
  std::string reason;

  auto operator<=>(const ColumnReason&) const = default;
};

std::uint64_t count_in(const std::optional<std::string>& field) {
  std::uint64_t count = 0;
  const std::string text = field.value_or("");
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

/// Of its older rows and of its files.
std::vector<const AdjustedValues*> adjusted_in(const StagedLayer& layer) {
  std::vector<const AdjustedValues*> all = {&layer.adjusted};
  for (const StagedFile& file : layer.files) {
    all.push_back(&file.adjusted);
  }
  return all;
}

void write_counts(SqlSession& session, const std::vector<AppliedLoad>& loads, const Sql& oids,
                  SystemTime now) {
  std::map<ColumnReason, std::uint64_t> before;
  for (const Row& row :
       session.query(sql("SELECT source_oid, source_column, reason, adjusted FROM "
                         "re_dms_internal.adjusted_counts WHERE source_oid IN ({})",
                         oids))) {
    const auto oid = static_cast<Oid>(count_in(row.at(0)));
    before[{oid, row.at(1).value_or(""), row.at(2).value_or("")}] = count_in(row.at(3));
  }
  for (const AppliedLoad& load : loads) {
    const TableSchema& table = *load.table;
    for (const AdjustedTotal& total : load.load->adjusted.totals) {
      const ColumnReason key{table.oid, total.column, total.reason};
      const auto known = before.find(key);
      const std::uint64_t sum =
          total.values + (known == before.end() ? std::uint64_t{0} : known->second);
      if (known != before.end()) {
        session.execute(
            sql("UPDATE re_dms_internal.adjusted_counts SET adjusted = {}, last_at = {}, "
                "source_schema = {}, source_table = {} WHERE source_oid = {} AND "
                "source_column = {} AND reason = {}",
                sum, literal(now), session.text(table.name.schema), session.text(table.name.name),
                table.oid, session.text(total.column), session.text(total.reason)));
      } else {
        session.execute(
            sql("INSERT INTO re_dms_internal.adjusted_counts VALUES ({}, {}, {}, {}, {}, {}, {})",
                table.oid, session.text(table.name.schema), session.text(table.name.name),
                session.text(total.column), session.text(total.reason), sum, literal(now)));
      }
    }
  }
}

void write_examples(SqlSession& session, const LoadRun& run, const std::vector<AppliedLoad>& loads,
                    const Sql& oids, SystemTime now) {
  std::map<Oid, std::size_t> today;
  for (const Row& row :
       session.query(sql("SELECT source_oid, count(*) FROM re_dms_internal.adjusted_values WHERE "
                         "source_oid IN ({}) AND applied_at > {} GROUP BY source_oid",
                         oids, literal(now - std::chrono::days(1))))) {
    today[static_cast<Oid>(count_in(row.at(0)))] = count_in(row.at(1));
  }
  std::vector<Sql> rows;
  for (const AppliedLoad& load : loads) {
    const TableSchema& table = *load.table;
    std::size_t& there = today[table.oid];
    for (const AdjustedExample& example : load.load->adjusted.examples) {
      if (there++ >= kExamplesADay) {
        break;
      }
      const AdjustedValue& value = example.value;
      rows.push_back(sql("({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", run.number, table.oid,
                         session.text(table.name.schema), session.text(table.name.name),
                         session.text(example.column),
                         value.key.empty() ? sql("NULL") : session.text(value.key),
                         literal(example.below), session.text(value.reason),
                         session.text(value.became), session.text(value.original), literal(now)));
    }
  }
  insert_rows(session, sql("adjusted_values"), rows);
}

}  // namespace

void add(TableAdjusted& sum, const StagedLayer& layer, Lsn below) {
  const std::vector<Column>& columns = layer.table->columns;
  for (const AdjustedValues* adjusted : adjusted_in(layer)) {
    for (const AdjustedCount& count : adjusted->counts) {
      const std::string& column = columns[count.column].name;
      const auto same = std::ranges::find_if(sum.totals, [&](const AdjustedTotal& total) {
        return total.column == column && total.reason == count.reason;
      });
      if (same == sum.totals.end()) {
        sum.totals.push_back({column, std::string(count.reason), count.values});
      } else {
        same->values += count.values;
      }
    }
    for (const AdjustedValue& value : adjusted->examples) {
      if (sum.examples.size() < kAdjustedExamplesMax) {
        sum.examples.push_back({value, columns[value.column].name, below});
      }
    }
  }
}

void write_adjusted(SqlSession& session, const LoadRun& run, const std::vector<AppliedLoad>& loads,
                    SystemTime now) {
  std::vector<Sql> oids;
  for (const AppliedLoad& load : loads) {
    if (!load.load->adjusted.totals.empty()) {
      oids.push_back(sql("{}", load.table->oid));
    }
  }
  if (!oids.empty()) {
    write_counts(session, loads, joined(oids), now);
    write_examples(session, run, loads, joined(oids), now);
  }
}

std::optional<LayerRefusal> refusal(const StagedLayer& layer) {
  for (const AdjustedValues* adjusted : adjusted_in(layer)) {
    if (const auto& refused = adjusted->refused) {
      const Column& column = layer.table->columns[refused->column];
      if (refused->remedy == Remedy::Copy) {
        return LayerRefusal{
            fmt::format("column \"{}\" ({}) holds a value that is {}: a type was altered since the "
                        "table was copied",
                        column.name, column.type.name, refused->reason),
            Remedy::Copy};
      }
      return LayerRefusal{
          fmt::format(
              "column \"{}\" ({}) holds a value that the target cannot hold: it is {}. {}",
              column.name, column.type.name, refused->reason,
              refused->tells_rows_apart
                  ? "Rows are told apart by this column, so the value is not changed on its way: "
                    "change it in the source"
                  : "bad_values of the table does not let it be changed on its way: change it in "
                    "the source, or give the table another bad_values"),
          refused->remedy};
    }
  }
  return std::nullopt;
}

}  // namespace re_dms
