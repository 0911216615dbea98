// The configuration parser takes any text: it gives a Config or throws Error of kind Usage, with a
// line for every fault, and nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "app/config.h"
#include "base/error.h"

namespace {

/// A made-up environment: what is fuzzed must not read files of the machine.
re_dms::Surroundings made_up() {
  return {[](const std::string& name) -> std::optional<std::string> {
            return name.size() % 2 == 0 ? std::nullopt : std::optional<std::string>(name);
          },
          [](const std::string& path) { return path + "\n"; }};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    const re_dms::Config config = re_dms::parse_config(text, "/etc/re_dms/fuzz.toml", made_up());
    if (!config.journal.directory.starts_with('/') || !config.stage.directory.starts_with('/') ||
        !config.warehouse.url.starts_with("duckdb:///") || config.source.url.empty()) {
      std::abort();
    }
  } catch (const re_dms::Error& error) {
    if (error.kind() != re_dms::ErrorKind::Usage || error.message().empty()) {
      std::abort();
    }
  }
  return 0;
}
