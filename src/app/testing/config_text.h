// Configurations as texts, for tests.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "app/config.h"
#include "base/error.h"

namespace re_dms::config_text {

/// A complete one.
constexpr const char* kFourLines =
    "[source]\n"
    "url = \"postgresql://re_dms@db:5432/app\"\n"
    "[warehouse]\n"
    "url = \"duckdb:///var/lib/re_dms/warehouse.duckdb\"\n";

/// What the texts may refer to.
inline Surroundings made_up() {
  return {[](const std::string& name) -> std::optional<std::string> {
            static const std::map<std::string, std::string> kVariables = {
                {"HOST", "db.internal"}, {"DOLLARS", "${HOST}$$"}, {"NOTHING", ""}};
            const auto found = kVariables.find(name);
            return found == kVariables.end() ? std::nullopt : std::optional(found->second);
          },
          [](const std::string& path) -> std::string {
            if (path == "/run/secret") {
              return "s3cr$t\r\n";
            }
            if (path == "/credentials/source_password") {
              return "hush\n";
            }
            throw Error(ErrorKind::Usage, "cannot read " + path + ": No such file or directory");
          },
          "/credentials/"};
}

inline Config parse(const std::string& text) {
  return parse_config(text, "/etc/x/re.toml", made_up());
}

/// The four lines with more behind them.
inline Config parse_more(const std::string& more) {
  return parse(kFourLines + more);
}

inline std::string faults(const std::string& text) {
  try {
    parse(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  ADD_FAILURE() << "was not refused: " << text;
  return {};
}

inline std::string more_faults(const std::string& more) {
  return faults(kFourLines + more);
}

}  // namespace re_dms::config_text
