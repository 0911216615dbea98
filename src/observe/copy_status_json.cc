#include "observe/copy_status_json.h"

namespace re_dms {

namespace {

void add_pace(OrderedJson& json, const PaceStatus& pace) {
  json["rows_per_second"] = optional_json(pace.rows_per_second);
  json["bytes_per_second"] = optional_json(pace.bytes_per_second);
  json["seconds_left"] = optional_json(pace.seconds_left);
}

void take_pace(const OrderedJson& json, PaceStatus& pace) {
  take(json, "rows_per_second", pace.rows_per_second);
  take(json, "bytes_per_second", pace.bytes_per_second);
  take(json, "seconds_left", pace.seconds_left);
}

}  // namespace

OrderedJson coming_json(const std::vector<ComingTable>& coming) {
  OrderedJson list = OrderedJson::array();
  for (const ComingTable& table : coming) {
    OrderedJson one = {{"table", table.table},
                       {"state", table.state},
                       {"reason", table.reason},
                       {"rows", table.rows},
                       {"rows_estimated", table.rows_estimated},
                       {"bytes", table.bytes},
                       {"bytes_estimated", table.bytes_estimated},
                       {"journal_bytes_left", optional_json(table.journal_bytes_left)}};
    add_pace(one, table.pace);
    list.push_back(std::move(one));
  }
  return list;
}

OrderedJson copies_json(const CopiesStatus& copies) {
  OrderedJson json = {
      {"since", copies.since ? OrderedJson(time_json(*copies.since)) : OrderedJson()},
      {"waiting", copies.waiting},
      {"copying", copies.copying},
      {"catching_up", copies.catching_up},
      {"live", copies.live},
      {"rows", copies.rows},
      {"bytes", copies.bytes},
      {"bytes_estimated", copies.bytes_estimated},
      {"journal_bytes_left", copies.journal_bytes_left}};
  add_pace(json, copies.pace);
  return json;
}

std::vector<ComingTable> take_coming(const OrderedJson& tables) {
  std::vector<ComingTable> coming;
  if (const auto list = tables.find("coming"); list != tables.end()) {
    for (const OrderedJson& one : *list) {
      ComingTable& table = coming.emplace_back();
      take(one, "table", table.table);
      take(one, "state", table.state);
      take(one, "reason", table.reason);
      take(one, "rows", table.rows);
      take(one, "rows_estimated", table.rows_estimated);
      take(one, "bytes", table.bytes);
      take(one, "bytes_estimated", table.bytes_estimated);
      take(one, "journal_bytes_left", table.journal_bytes_left);
      take_pace(one, table.pace);
    }
  }
  return coming;
}

CopiesStatus take_copies(const OrderedJson& tables) {
  CopiesStatus copies;
  const auto found = tables.find("copies");
  if (found == tables.end()) {
    return copies;
  }
  std::optional<std::string> since;
  take(*found, "since", since);
  if (since) {
    copies.since = parse_time(*since);
  }
  take(*found, "waiting", copies.waiting);
  take(*found, "copying", copies.copying);
  take(*found, "catching_up", copies.catching_up);
  take(*found, "live", copies.live);
  take(*found, "rows", copies.rows);
  take(*found, "bytes", copies.bytes);
  take(*found, "bytes_estimated", copies.bytes_estimated);
  take(*found, "journal_bytes_left", copies.journal_bytes_left);
  take_pace(*found, copies.pace);
  return copies;
}

}  // namespace re_dms
