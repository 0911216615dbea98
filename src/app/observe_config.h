// The [observe] section: where the daemon shows itself.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "app/config_reader.h"
#include "observe/listen_address.h"
#include "observe/log.h"

namespace re_dms {

struct ObserveSettings {
  std::optional<ListenAddress> listen;  ///< empty: no status page
  std::optional<LogFormat> log_format;  ///< empty: text on a terminal, else JSON
  std::size_t table_metrics = 100;      ///< tables with series of their own
  std::chrono::milliseconds slot_interval{30'000};
};

ObserveSettings read_observe(ConfigReader& reader);

}  // namespace re_dms
