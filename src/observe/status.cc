#include "observe/status.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <utility>

#include "base/error.h"
#include "observe/copy_status_json.h"
#include "observe/json_fields.h"

namespace re_dms {

namespace {

using Json = OrderedJson;

constexpr std::array<std::pair<DaemonState, std::string_view>, 7> kStates = {
    {{DaemonState::Starting, "starting"},
     {DaemonState::Streaming, "streaming"},
     {DaemonState::Paused, "paused"},
     {DaemonState::Reconnecting, "reconnecting"},
     {DaemonState::StageAway, "stage away"},
     {DaemonState::WarehouseAway, "warehouse away"},
     {DaemonState::Stopping, "stopping"}}};

Json troubles_json(const std::vector<TableTrouble>& troubles) {
  Json list = Json::array();
  for (const TableTrouble& trouble : troubles) {
    list.push_back({{"table", trouble.table}, {"reason", trouble.reason}});
  }
  return list;
}

Json warehouse_json(const WarehouseStatus& warehouse) {
  Json last_load;
  if (warehouse.last_load) {
    last_load = {{"rows", warehouse.last_load->rows},
                 {"seconds", warehouse.last_load->seconds},
                 {"at", time_json(warehouse.last_load->at)}};
  }
  return {{"name", warehouse.name},
          {"loaded_lsn", warehouse.loaded_lsn},
          {"rows_loaded", warehouse.rows_loaded},
          {"batches_loaded", warehouse.batches_loaded},
          {"last_load", last_load}};
}

const Json& part(const Json& object, const char* key) {
  static const Json kEmpty = Json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : kEmpty;
}

std::vector<TableTrouble> take_troubles(const Json& tables, const char* key) {
  std::vector<TableTrouble> troubles;
  const auto list = tables.find(key);
  if (list != tables.end()) {
    for (const Json& one : *list) {
      take(one, "table", troubles.emplace_back().table);
      take(one, "reason", troubles.back().reason);
    }
  }
  return troubles;
}

SystemTime take_time(const Json& object, const char* key) {
  std::string text;
  take(object, key, text);
  return parse_time(text);
}

WarehouseStatus take_warehouse(const Json& json) {
  WarehouseStatus warehouse;
  take(json, "name", warehouse.name);
  take(json, "loaded_lsn", warehouse.loaded_lsn);
  take(json, "rows_loaded", warehouse.rows_loaded);
  take(json, "batches_loaded", warehouse.batches_loaded);
  if (const Json& load = part(json, "last_load"); !load.empty()) {
    LastLoad& last = warehouse.last_load.emplace();
    take(load, "rows", last.rows);
    take(load, "seconds", last.seconds);
    last.at = take_time(load, "at");
  }
  return warehouse;
}

DaemonStatus take_status(const Json& json) {
  DaemonStatus status;
  take(json, "version", status.version);
  take(json, "uptime_seconds", status.uptime_seconds);
  status.now = take_time(json, "now");
  std::string state;
  take(json, "state", state);
  for (const auto& [value, name] : kStates) {
    status.state = state == name ? value : status.state;
  }
  take(json, "reason", status.reason);
  const Json& source = part(json, "source");
  take(source, "connected", status.source.connected);
  take(source, "server_lsn", status.source.server_lsn);
  take(source, "received_lsn", status.source.received_lsn);
  take(source, "journaled_lsn", status.source.journaled_lsn);
  take(source, "rows_received", status.source.rows_received);
  take(part(json, "journal"), "bytes", status.journal.bytes);
  take(part(json, "journal"), "max_bytes", status.journal.max_bytes);
  take(part(json, "batch"), "memory_bytes", status.batch.memory_bytes);
  take(part(json, "batch"), "rows", status.batch.rows);
  take(part(json, "batch"), "staged_lsn", status.batch.staged_lsn);
  status.warehouse = take_warehouse(part(json, "warehouse"));
  take(part(json, "lag"), "bytes", status.lag.bytes);
  double seconds = -1;
  take(part(json, "lag"), "seconds", seconds);
  if (seconds >= 0) {
    status.lag.seconds = seconds;
  }
  take(part(json, "tables"), "live", status.tables.live);
  status.tables.copies = take_copies(part(json, "tables"));
  status.tables.coming = take_coming(part(json, "tables"));
  status.tables.not_live = take_troubles(part(json, "tables"), "not_live");
  status.tables.paused = take_troubles(part(json, "tables"), "paused");
  status.tables.removed = take_troubles(part(json, "tables"), "removed");
  status.tables.left_out = take_troubles(part(json, "tables"), "left_out");
  status.tables.not_copied = take_troubles(part(json, "tables"), "not_copied");
  if (const Json& error = part(json, "last_error"); !error.empty()) {
    take(error, "text", status.last_error.emplace().text);
    status.last_error->at = take_time(error, "at");
  }
  take(part(json, "log"), "lines_lost", status.log_lines_lost);
  return status;
}

}  // namespace

// to_text's "2026-01-31 12:00:00.123456+00" in another form.
std::string time_json(SystemTime time) {
  std::string text = to_text(time);
  text[10] = 'T';
  return text.substr(0, text.size() - 3) + "Z";
}

SystemTime parse_time(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int micros = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d.%6dZ", &year, &month, &day, &hour, &minute,
                  &second, &micros) != 7) {
    return {};
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::microseconds(micros);
}

std::string_view to_string(DaemonState state) {
  for (const auto& [value, name] : kStates) {
    if (value == state) {
      return name;
    }
  }
  return "unknown";
}

std::string state_text(const DaemonStatus& status) {
  return status.reason.empty() ? std::string(to_string(status.state))
                               : fmt::format("{}: {}", to_string(status.state), status.reason);
}

std::string to_json(const DaemonStatus& status) {
  Json json = {
      {"version", status.version},
      {"uptime_seconds", status.uptime_seconds},
      {"now", time_json(status.now)},
      {"state", to_string(status.state)},
      {"reason", status.reason},
      {"source",
       {{"connected", status.source.connected},
        {"server_lsn", status.source.server_lsn},
        {"received_lsn", status.source.received_lsn},
        {"journaled_lsn", status.source.journaled_lsn},
        {"rows_received", status.source.rows_received}}},
      {"journal", {{"bytes", status.journal.bytes}, {"max_bytes", status.journal.max_bytes}}},
      {"batch",
       {{"memory_bytes", status.batch.memory_bytes},
        {"rows", status.batch.rows},
        {"staged_lsn", status.batch.staged_lsn}}},
      {"warehouse", warehouse_json(status.warehouse)},
      {"lag", {{"bytes", status.lag.bytes}, {"seconds", nullptr}}},
      {"tables",
       {{"live", status.tables.live},
        {"copies", copies_json(status.tables.copies)},
        {"coming", coming_json(status.tables.coming)},
        {"not_live", troubles_json(status.tables.not_live)},
        {"paused", troubles_json(status.tables.paused)},
        {"removed", troubles_json(status.tables.removed)},
        {"left_out", troubles_json(status.tables.left_out)},
        {"not_copied", troubles_json(status.tables.not_copied)}}},
      {"last_error", nullptr},
      {"log", {{"lines_lost", status.log_lines_lost}}}};
  if (status.lag.seconds) {
    json["lag"]["seconds"] = *status.lag.seconds;
  }
  if (status.last_error) {
    json["last_error"] = {{"text", status.last_error->text},
                          {"at", time_json(status.last_error->at)}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

DaemonStatus parse_status(std::string_view json) {
  try {
    return take_status(Json::parse(json));
  } catch (const nlohmann::json::exception& error) {
    throw Error(ErrorKind::Fatal, fmt::format("this is not re_dms's status: {}", error.what()));
  }
}

}  // namespace re_dms
