#include "app/observe_config.h"

#include <limits>
#include <string_view>

namespace re_dms {

namespace {

constexpr std::string_view kDefaultListen = "127.0.0.1:9847";

void read_interval(ConfigReader& reader, std::string_view key,
                   std::chrono::milliseconds& interval) {
  interval = reader.duration(key).value_or(interval);
  if (interval < std::chrono::milliseconds(100)) {
    reader.refuse(key, "100ms or more");
  }
}

void read_listen(ConfigReader& reader, ObserveSettings& observe) {
  const bool allow_remote = reader.flag("observe.allow_remote").value_or(false);
  const std::string listen = reader.text("observe.listen").value_or(std::string(kDefaultListen));
  observe.listen = parse_listen_address(listen);
  if (!observe.listen && listen != "off") {
    reader.refuse("observe.listen", R"(ADDRESS:PORT, such as "127.0.0.1:9847", or "off")");
  } else if (observe.listen && !observe.listen->is_loopback() && !allow_remote) {
    reader.refuse("observe.listen",
                  "an address of this machine only (127.0.0.1 or ::1); observe.allow_remote = true "
                  "opens it to others, without any password");
  }
}

void read_metrics(ConfigReader& reader, ObserveSettings& observe) {
  observe.table_metrics = static_cast<std::size_t>(
      reader.number("observe.table_metrics", 0, std::numeric_limits<int>::max())
          .value_or(static_cast<int>(observe.table_metrics)));
  read_interval(reader, "observe.slot_interval", observe.slot_interval);
}

}  // namespace

ObserveSettings read_observe(ConfigReader& reader) {
  ObserveSettings observe;
  read_listen(reader, observe);
  if (const auto format = reader.text("observe.log_format")) {
    if (*format == "text") {
      observe.log_format = LogFormat::Text;
    } else if (*format == "json") {
      observe.log_format = LogFormat::Json;
    } else {
      reader.refuse("observe.log_format",
                    R"("text", "json" or "" (text on a terminal, else json))");
    }
  }
  read_metrics(reader, observe);
  return observe;
}

}  // namespace re_dms
