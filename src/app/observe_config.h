// The [observe] section: where the daemon shows itself, and whom it tells about metrics and errors.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "app/config_reader.h"
#include "observe/listen_address.h"
#include "observe/log.h"

namespace re_dms {

struct ReportSettings {
  std::string rollbar_token;  ///< empty: Rollbar is told nothing
  std::string rollbar_url;
  std::string sentry_dsn;  ///< empty: Sentry is told nothing
  std::string environment = "production";
  LogLevel least = LogLevel::Warn;
  bool values = false;    ///< row values may be in reports
  std::string directory;  ///< reports that wait

  bool wanted() const { return !rollbar_token.empty() || !sentry_dsn.empty(); }
};

struct ObserveSettings {
  std::optional<ListenAddress> listen;  ///< empty: no status page
  std::optional<LogFormat> log_format;  ///< empty: text on a terminal, else JSON
  std::size_t table_metrics = 100;      ///< tables with series of their own
  std::chrono::milliseconds slot_interval{30'000};
  std::string statsd;  ///< HOST:PORT; empty: none
  bool statsd_tags = true;
  std::chrono::milliseconds statsd_interval{10'000};
  std::string cloudwatch_namespace;  ///< empty: CloudWatch gets nothing
  std::string cloudwatch_region;     ///< empty: what the surroundings say
  std::chrono::milliseconds cloudwatch_interval{60'000};
  ReportSettings reports;
};

/// `journal` is the journal's directory, beside which reports wait.
ObserveSettings read_observe(ConfigReader& reader, const std::string& journal);

/// The password in a connection URL or a key=value text; empty: none. As it stands there and, where
/// that differs, without its escapes.
std::vector<std::string> passwords_in(const std::string& url);

}  // namespace re_dms
