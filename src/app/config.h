// The configuration: read once, whole, before anything starts. Each stage gets its own settings
// from it; the Config itself never leaves app/. docs/configuration.md describes every key.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "app/observe_config.h"
#include "app/substitution.h"
#include "journal/journal_writer.h"
#include "observe/http_server.h"
#include "observe/log.h"
#include "pipeline/settings.h"
#include "source/source.h"
#include "stage/open_store.h"
#include "warehouse/warehouse.h"

namespace re_dms {

inline constexpr std::string_view kDefaultConfigPath = "/etc/re_dms/re_dms.toml";

/// Sound in itself: every path is absolute, every bound fits the others.
struct Config {
  std::string file;  ///< absolute path it was read from
  /// Every key that is given, with its value as it is written, by "section.name".
  std::map<std::string, std::string> given;
  SourceSettings source;
  JournalLimits journal;
  BatchSettings batch;
  StageSettings stage;
  SocketFile control;           ///< where verbs are asked for; without a path: nowhere
  WarehouseSettings warehouse;  ///< url and schema; memory and temporary directory are the caller's
  ObserveSettings observe;
};

/// Reads the file. Throws Error of kind Usage with every fault of it, one a line.
Config load_config(const std::string& path);

/// As load_config, from a text that stands in `file`.
Config parse_config(std::string_view text, const std::string& file,
                    const Surroundings& surroundings);

/// The configured format, or what suits where the log goes.
LogFormat log_format_for(const ObserveSettings& settings, bool terminal);

}  // namespace re_dms
