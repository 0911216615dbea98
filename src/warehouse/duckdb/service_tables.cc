#include "warehouse/duckdb/service_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "schema/catalog_json.h"
#include "warehouse/duckdb/service_schema.h"

namespace re_dms::duckdb {

namespace {

std::uint64_t number(const std::optional<std::string>& value) {
  std::uint64_t result = 0;
  const std::string text = value.value_or("");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("a service table of the warehouse holds \"{}\" where a number belongs", text),
        "Somebody wrote to schema re_dms_internal: restore the file or start over with another "
        "one");
  }
  return result;
}

Sql nullable(SystemTime time) {
  return time == SystemTime{} ? sql("NULL") : literal(time);
}

Error lost() {
  return {
      ErrorKind::Fatal, "the warehouse file no longer holds re_dms's service tables",
      "It was replaced or emptied while re_dms ran. Put it back, or restart re_dms to begin with "
      "what is there"};
}

}  // namespace

bool ServiceTables::exist() {
  return session_.named({"re_dms_internal", "source"}) == Named::Table;
}

void ServiceTables::create(const Origin& origin, SystemTime now) {
  for (const Sql& statement : service_schema()) {
    session_.execute(statement);
  }
  session_.execute(sql("INSERT INTO re_dms_internal.source VALUES ({}, {}, {}, {}, {}, {}, {})",
                       kServiceFormat, literal(origin.system_identifier), origin.timeline,
                       literal(origin.database), literal(origin.slot), literal(origin.publication),
                       literal(now)));
  session_.execute(sql("INSERT INTO re_dms_internal.fence VALUES (0, 0, {})", literal(now)));
  session_.execute(sql("INSERT INTO re_dms_internal.position VALUES (0, {}, 0, NULL, {})",
                       literal(origin.consistent_point), literal(now)));
}

void ServiceTables::check_belongs_to(const Origin& origin) {
  const auto rows = session_.query(
      sql("SELECT format, system_identifier, database, slot FROM re_dms_internal.source"));
  if (rows.size() != 1) {
    throw lost();
  }
  const Row& row = rows[0];
  if (number(row[0]) > static_cast<std::uint64_t>(kServiceFormat)) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the warehouse file was written by a newer re_dms (format {}, this one "
                            "knows up to {})",
                            *row[0], kServiceFormat),
                "Run that version or a later one");
  }
  if (row[1] != origin.system_identifier || row[2] != origin.database || row[3] != origin.slot) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format(
            "the warehouse file belongs to slot \"{}\" of database \"{}\" of cluster {}, not "
            "to slot \"{}\" of database \"{}\" of cluster {}",
            row[3].value_or(""), row[2].value_or(""), row[1].value_or(""), origin.slot,
            origin.database, origin.system_identifier),
        "Give each slot a warehouse file of its own: change warehouse.url, or source.slot if it is "
        "the wrong one");
  }
}

void ServiceTables::migrate() {
  const auto rows = session_.query(sql("SELECT format FROM re_dms_internal.source"));
  if (number(rows.at(0).at(0)) < static_cast<std::uint64_t>(kServiceFormat)) {
    for (const Sql& statement : migration()) {
      session_.execute(statement);
    }
  }
}

std::uint64_t ServiceTables::raise_epoch(SystemTime now) {
  session_.execute(
      sql("UPDATE re_dms_internal.fence SET epoch = epoch + 1, taken_at = {}", literal(now)));
  return stored_position().epoch;
}

StoredPosition ServiceTables::stored_position() {
  if (!exist()) {
    throw lost();
  }
  const auto rows =
      session_.query(sql("SELECT f.epoch, p.loaded, p.loads FROM re_dms_internal.fence f "
                         "JOIN re_dms_internal.position p USING (bucket)"));
  if (rows.size() != 1) {
    throw lost();
  }
  return {number(rows[0][0]), Lsn{number(rows[0][1])}, number(rows[0][2])};
}

StoredTables ServiceTables::tables() {
  StoredTables known;
  const auto rows = session_.query(
      sql("SELECT schema_json, target_schema, target_table, state, reason, position, "
          "set_aside_load FROM re_dms_internal.tables"));
  for (const Row& row : rows) {
    StoredTable table;
    table.schema = table_schema_from_json(row[0].value_or(""));
    table.target = {row[1].value_or(""), row[2].value_or("")};
    table.live = row[3] == "live";
    table.reason = row[4].value_or("");
    table.position = Lsn{number(row[5])};
    table.set_aside_load = number(row[6]);
    known.emplace(table.schema.oid, std::move(table));
  }
  return known;
}

/// Rows of a few hundred tables fit into one text.
void ServiceTables::insert(const Sql& table, const std::vector<Sql>& rows) {
  constexpr std::size_t kRowsMax = 256;
  for (std::size_t at = 0; at < rows.size(); at += kRowsMax) {
    const std::vector<Sql> some(
        rows.begin() + static_cast<std::ptrdiff_t>(at),
        rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), at + kRowsMax)));
    session_.execute(sql("INSERT INTO re_dms_internal.{} VALUES {}", table, joined(some)));
  }
}

void ServiceTables::write(const std::vector<const StoredTable*>& tables, SystemTime now) {
  std::vector<Sql> numbers;
  std::vector<Sql> rows;
  for (const StoredTable* table : tables) {
    const TableSchema& schema = table->schema;
    numbers.push_back(sql("{}", schema.oid));
    rows.push_back(sql(
        "({}, 0, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", schema.oid, literal(schema.name.schema),
        literal(schema.name.name), literal(table->target.schema), literal(table->target.name),
        literal(to_json(schema)), table->live ? sql("'live'") : sql("'needs_resync'"),
        table->live ? sql("NULL") : literal(table->reason), literal(table->position),
        table->set_aside_load, literal(now)));
  }
  if (!rows.empty()) {
    session_.execute(sql("DELETE FROM re_dms_internal.tables WHERE oid IN ({})", joined(numbers)));
    insert(sql("tables"), rows);
  }
}

void ServiceTables::write(const LoadRun& run, const std::vector<AppliedLoad>& loads,
                          SystemTime applied) {
  std::vector<Sql> rows;
  for (const AppliedLoad& applied_load : loads) {
    const TableSchema& table = *applied_load.table;
    const LayerCounts& counts = applied_load.load->counts;
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(applied_load.load->duration).count();
    rows.push_back(
        sql("({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, NULL, {})",
            run.number, run.span.number, run.epoch, table.oid, literal(table.name.schema),
            literal(table.name.name), literal(run.span.from), literal(run.span.to),
            nullable(run.span.first_commit), nullable(run.span.last_commit), counts.inserts,
            counts.replaces, counts.updates, counts.deletes, applied_load.load->stored_bytes,
            literal(run.started), literal(applied), milliseconds));
  }
  insert(sql("loads"), rows);
}

void ServiceTables::advance(const LoadRun& run, SystemTime now) {
  session_.execute(
      sql("UPDATE re_dms_internal.position SET loaded = {}, loads = {}, "
          "last_commit = coalesce({}, last_commit), loaded_at = {}",
          literal(run.span.to), run.number, nullable(run.span.last_commit), literal(now)));
}

void ServiceTables::advance(const std::vector<Oid>& tables, Lsn to) {
  std::vector<Sql> numbers;
  numbers.reserve(tables.size());
  for (const Oid oid : tables) {
    numbers.push_back(sql("{}", oid));
  }
  session_.execute(sql("UPDATE re_dms_internal.tables SET position = {} WHERE oid IN ({})",
                       literal(to), joined(numbers)));
}

void ServiceTables::mark_visible(std::uint64_t last, SystemTime when) {
  session_.execute(
      sql("UPDATE re_dms_internal.loads SET visible_at = {} WHERE load <= {} AND "
          "visible_at IS NULL",
          literal(when), last));
}

void ServiceTables::forget_loads_before(SystemTime when) {
  session_.execute(sql("DELETE FROM re_dms_internal.loads WHERE applied_at < {}", literal(when)));
}

}  // namespace re_dms::duckdb
