#include "app/reload.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "observe/log.h"
#include "source/catalog/pattern.h"

namespace re_dms {

namespace {

constexpr std::array<std::string_view, 4> kLive = {"source.include", "source.exclude", "table",
                                                   "batch.interval"};

constexpr std::string_view kTableKeys =
    "what [[table]] sections say of match, initial_copy and types (of on_drop_column, bad_values, "
    "column_bad_values, "
    "diststyle, distkey and sortkey from the next start on)";

/// Keys whose values differ, those that were removed or added too.
std::vector<std::string> changed_keys(const std::map<std::string, std::string>& before,
                                      const std::map<std::string, std::string>& now) {
  std::vector<std::string> changed;
  for (const auto& [key, value] : before) {
    const auto found = now.find(key);
    if (found == now.end() || found->second != value) {
      changed.push_back(key);
    }
  }
  for (const auto& [key, value] : now) {
    if (!before.contains(key)) {
      changed.push_back(key);
    }
  }
  return changed;
}

}  // namespace

void forbid_copies(TableStates& tables, const TableChoice& choice) {
  tables.forbid_copies([rules = TableRules(choice.tables)](const QualifiedName& table) {
    return rules.initial_copy(table) == InitialCopy::Never;
  });
}

void Reload::read_again() {
  Config fresh;
  try {
    fresh = load_config(config_.file);
  } catch (const Error& error) {
    log(LogLevel::Error, "configuration_refused",
        fmt::format("{}. re_dms goes on with what it had", error.what()), {{"file", config_.file}});
    return;
  }
  for (const std::string& key : changed_keys(config_.given, fresh.given)) {
    const bool live = std::ranges::find(kLive, key) != kLive.end();
    const std::string name = key == "table" ? std::string(kTableKeys) : key;
    log(live ? LogLevel::Info : LogLevel::Warn, live ? "configuration_changed" : "restart_needed",
        live ? fmt::format("{} counts from now on", name)
             : fmt::format("{} was changed: that counts from the next start on", key),
        {{"file", config_.file}});
    if (live) {
      const auto found = fresh.given.find(key);
      if (found == fresh.given.end()) {
        config_.given.erase(key);
      } else {
        config_.given[key] = found->second;
      }
    }
  }
  state_.batch_interval = fresh.batch.interval;
  forbid_copies(state_.tables, fresh.source);
  state_.choose(fresh.source);
  log(LogLevel::Info, "configuration_read", "the configuration was read again",
      {{"file", config_.file}});
}

}  // namespace re_dms
