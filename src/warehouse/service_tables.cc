#include "warehouse/service_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

constexpr const char* kForeignText =
    "Somebody wrote to schema re_dms_internal: restore the file or start over with another one";

std::uint64_t number(const std::optional<std::string>& value) {
  std::uint64_t result = 0;
  const std::string text = value.value_or("");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), result);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("a service table of the warehouse holds \"{}\" where a number belongs", text),
        kForeignText);
  }
  return result;
}

Sql numbers(const std::vector<Oid>& oids) {
  std::vector<Sql> texts;
  texts.reserve(oids.size());
  for (const Oid oid : oids) {
    texts.push_back(sql("{}", oid));
  }
  return joined(texts);
}

Sql nullable(SystemTime time) {
  return time == SystemTime{} ? sql("NULL") : literal(time);
}

/// What of a text fits into so many bytes, without a piece of a character at its end; 0: all.
std::string_view beginning(std::string_view text, std::size_t bytes_max) {
  if (bytes_max == 0 || text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end);
}

Error lost() {
  return {
      ErrorKind::Fatal, "the warehouse no longer holds re_dms's service tables",
      "It was replaced or emptied while re_dms ran. Put it back, or restart re_dms to begin with "
      "what is there"};
}

}  // namespace

Sql lane_loads(int lane) {
  return sql("loads_{}", lane);
}

void insert_rows(SqlSession& session, const Sql& table, const std::vector<Sql>& rows) {
  constexpr std::size_t kRowsMax = 256;
  constexpr std::size_t kBytesMax = 4 << 20;
  std::vector<Sql> some;
  std::size_t bytes = 0;
  for (const Sql& row : rows) {
    some.push_back(row);
    bytes += row.text().size();
    if (some.size() == kRowsMax || bytes >= kBytesMax || &row == &rows.back()) {
      session.execute(sql("INSERT INTO re_dms_internal.{} VALUES {}", table, joined(some)));
      some.clear();
      bytes = 0;
    }
  }
}

bool ServiceTables::exist() {
  return session_.named({"re_dms_internal", "source"}) == Named::Table;
}

void ServiceTables::create(const std::vector<Sql>& schema, const Origin& origin, SystemTime now) {
  for (const Sql& statement : schema) {
    session_.execute(statement);
  }
  session_.execute(sql("INSERT INTO re_dms_internal.source VALUES ({}, {}, {}, {}, {}, {}, {})",
                       kServiceFormat, text(origin.system_identifier), origin.timeline,
                       text(origin.database), text(origin.slot), text(origin.publication),
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
                fmt::format("the warehouse was written by a newer re_dms (format {}, this one "
                            "knows up to {})",
                            *row[0], kServiceFormat),
                "Run that version or a later one");
  }
  if (row[1] != origin.system_identifier || row[2] != origin.database || row[3] != origin.slot) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the warehouse belongs to slot \"{}\" of database \"{}\" of cluster {}, not "
                    "to slot \"{}\" of database \"{}\" of cluster {}",
                    row[3].value_or(""), row[2].value_or(""), row[1].value_or(""), origin.slot,
                    origin.database, origin.system_identifier),
        "Give each slot a warehouse of its own: change warehouse.url, or source.slot if it is "
        "the wrong one");
  }
}

void ServiceTables::migrate(const std::vector<Sql>& steps) {
  const auto rows = session_.query(sql("SELECT format FROM re_dms_internal.source"));
  if (number(rows.at(0).at(0)) < static_cast<std::uint64_t>(kServiceFormat)) {
    for (const Sql& statement : steps) {
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
  std::vector<Row> rows;
  try {
    rows =
        session_.query(sql("SELECT f.epoch, p.loaded, p.loads FROM re_dms_internal.fence f "
                           "JOIN re_dms_internal.position p USING (bucket)"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Fatal || !are_missing()) {
      throw;
    }
  }
  if (rows.size() != 1) {
    throw lost();
  }
  return {number(rows[0][0]), Lsn{number(rows[0][1])}, number(rows[0][2])};
}

StoredPosition ServiceTables::position(std::uint64_t epoch) {
  std::vector<Row> rows;
  try {
    rows = session_.query(sql("SELECT loaded, loads FROM re_dms_internal.position"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Fatal || !are_missing()) {
      throw;
    }
  }
  if (rows.size() != 1) {
    throw lost();
  }
  return {epoch, Lsn{number(rows[0][0])}, number(rows[0][1])};
}

/// Asked after an error only: each statement takes a cluster its time. A transaction that has
/// failed does not tell.
bool ServiceTables::are_missing() {
  try {
    return !exist();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Fatal) {
      throw;
    }
    return false;
  }
}

StoredTables ServiceTables::tables() {
  StoredTables known;
  const std::map<Oid, std::string> rest = schemas_rest();
  const auto rows = session_.query(
      sql("SELECT schema_json, target_schema, target_table, state, reason, position, "
          "set_aside_load, coalesce(copy_step, 0), coalesce(initial_copy, 'auto'), source_oid FROM "
          "re_dms_internal.tables"));
  for (const Row& row : rows) {
    StoredTable table;
    const auto more = rest.find(static_cast<Oid>(number(row[9])));
    const std::string json = row[0].value_or("") + (more == rest.end() ? "" : more->second);
    table.schema = table_schema_from_json(json);
    BesideSchema beside = beside_schema_from_json(json);
    table.kept_columns = std::move(beside.kept_columns);
    table.copy = std::move(beside.copy);
    table.asked = beside.asked;
    table.held_back = beside.held_back;
    table.target = {row[1].value_or(""), row[2].value_or("")};
    const auto state = table_state(row[3].value_or(""));
    if (!state) {
      throw Error(ErrorKind::Fatal,
                  fmt::format("the warehouse knows table {} in a state \"{}\", which there is not",
                              to_string(table.schema.name), row[3].value_or("")),
                  kForeignText);
    }
    table.state = table.held_back ? TableState::Waiting : *state;
    const auto began = initial_copy(row[8].value_or(""));
    if (!began) {
      throw Error(
          ErrorKind::Fatal,
          fmt::format("the warehouse says that table {} began by \"{}\", which there is not",
                      to_string(table.schema.name), row[8].value_or("")),
          kForeignText);
    }
    table.initial_copy = *began;
    table.reason = row[4].value_or("");
    table.position = Lsn{number(row[5])};
    table.set_aside_load = number(row[6]);
    table.copy_step = number(row[7]);
    known.emplace(table.schema.oid, std::move(table));
  }
  return known;
}

/// What the text of a table's schema is too long for.
std::map<Oid, std::string> ServiceTables::schemas_rest() {
  std::map<Oid, std::string> rest;
  if (session_.text_bytes_max() > 0) {
    for (const Row& row :
         session_.query(sql("SELECT source_oid, part FROM re_dms_internal.schema_parts ORDER BY "
                            "source_oid, number"))) {
      rest[static_cast<Oid>(number(row[0]))] += row[1].value_or("");
    }
  }
  return rest;
}

void ServiceTables::write_rest(Oid oid, std::string_view rest, std::vector<Sql>& parts) const {
  for (int count = 1; !rest.empty(); ++count) {
    const std::string_view part = beginning(rest, session_.text_bytes_max());
    parts.push_back(sql("({}, {}, {})", oid, count, text(part)));
    rest.remove_prefix(part.size());
  }
}

void ServiceTables::write(const std::vector<const StoredTable*>& tables, SystemTime now) {
  const std::size_t bytes_max = session_.text_bytes_max();
  std::vector<Oid> oids;
  std::vector<Sql> rows;
  std::vector<Sql> parts;
  for (const StoredTable* table : tables) {
    const TableSchema& schema = table->schema;
    oids.push_back(schema.oid);
    const std::string json =
        to_json(schema, {table->kept_columns, table->copy, table->asked, table->held_back});
    const TableState shown = table->held_back ? TableState::SetAside : table->state;
    const std::string_view first = beginning(json, bytes_max);
    write_rest(schema.oid, std::string_view(json).substr(first.size()), parts);
    rows.push_back(
        sql("({}, 0, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", schema.oid,
            text(schema.name.schema), text(schema.name.name), text(table->target.schema),
            text(table->target.name), text(first), text(to_string(shown)),
            table->reason.empty() ? sql("NULL") : text(beginning(table->reason, bytes_max)),
            literal(table->position), table->set_aside_load, literal(now), table->copy_step,
            text(to_string(table->initial_copy))));
  }
  if (!rows.empty()) {
    session_.execute(
        sql("DELETE FROM re_dms_internal.tables WHERE source_oid IN ({})", numbers(oids)));
    if (bytes_max > 0) {
      session_.execute(
          sql("DELETE FROM re_dms_internal.schema_parts WHERE source_oid IN ({})", numbers(oids)));
    }
    insert_rows(session_, sql("tables"), rows);
    insert_rows(session_, sql("schema_parts"), parts);
  }
}

void ServiceTables::write(const LoadRun& run, const std::vector<AppliedLoad>& loads,
                          SystemTime applied, const Sql& into) {
  std::vector<Sql> rows;
  for (const AppliedLoad& applied_load : loads) {
    const TableSchema& table = *applied_load.table;
    const LayerCounts& counts = applied_load.load->counts;
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(applied_load.load->duration).count();
    rows.push_back(
        sql("({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, NULL, {})",
            run.number, run.span.number, run.epoch, table.oid, text(table.name.schema),
            text(table.name.name), literal(run.span.from), literal(run.span.to),
            nullable(run.span.first_commit), nullable(run.span.last_commit), counts.inserts,
            counts.replaces, counts.updates, counts.deletes, applied_load.load->stored_bytes,
            literal(run.started), literal(applied), milliseconds));
  }
  insert_rows(session_, into, rows);
}

void ServiceTables::advance(const LoadRun& run, SystemTime now) {
  session_.execute(
      sql("UPDATE re_dms_internal.position SET loaded = {}, loads = {}, "
          "last_commit = coalesce({}, last_commit), loaded_at = {}",
          literal(run.span.to), run.number, nullable(run.span.last_commit), literal(now)));
}

void ServiceTables::touch() {
  session_.execute(sql("UPDATE re_dms_internal.position SET loads = loads"));
}

void ServiceTables::count(const LoadRun& run) {
  session_.execute(sql("UPDATE re_dms_internal.position SET loads = {}", run.number));
}

void ServiceTables::advance(const std::vector<Oid>& tables, Lsn to) {
  if (!tables.empty()) {
    session_.execute(sql("UPDATE re_dms_internal.tables SET position = {} WHERE source_oid IN ({})",
                         literal(to), numbers(tables)));
  }
}

void ServiceTables::settle_lanes() {
  std::map<Lsn, std::vector<Oid>> ahead;
  for (const Row& row :
       session_.query(sql("SELECT source_oid, position FROM re_dms_internal.ahead"))) {
    ahead[Lsn{number(row[1])}].push_back(static_cast<Oid>(number(row[0])));
  }
  for (const auto& [position, tables] : ahead) {
    advance(tables, position);
  }
  if (!ahead.empty()) {
    session_.execute(sql("UPDATE re_dms_internal.position SET loads = loads + 1"));
  }
}

void ServiceTables::forget_copy(Oid table) {
  session_.execute(
      sql("UPDATE re_dms_internal.tables SET copy_step = 0 WHERE source_oid = {}", table));
}

void ServiceTables::make_live(const std::vector<Oid>& tables, SystemTime now) {
  if (!tables.empty()) {
    session_.execute(
        sql("UPDATE re_dms_internal.tables SET state = {}, reason = NULL, "
            "changed_at = {} WHERE source_oid IN ({})",
            text(to_string(TableState::Live)), literal(now), numbers(tables)));
  }
}

void ServiceTables::mark_visible(std::uint64_t last, SystemTime when) {
  session_.execute(
      sql("UPDATE re_dms_internal.loads SET visible_at = {} WHERE load <= {} AND "
          "visible_at IS NULL",
          literal(when), last));
}

void ServiceTables::forget_loads_before(SystemTime when) {
  session_.execute(sql("DELETE FROM re_dms_internal.loads WHERE applied_at < {}", literal(when)));
  for (int lane = 1; lane <= session_.lanes(); ++lane) {
    session_.execute(sql("DELETE FROM re_dms_internal.{} WHERE applied_at < {}", lane_loads(lane),
                         literal(when)));
  }
  session_.execute(
      sql("DELETE FROM re_dms_internal.adjusted_values WHERE applied_at < {}", literal(when)));
}

}  // namespace re_dms
