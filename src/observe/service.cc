#include "observe/service.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "base/utf8.h"

namespace re_dms {

namespace {

constexpr std::size_t kStatusBytesMax = 1000;
constexpr int kKeepEnvironment = 0;

}  // namespace

bool service_is_watched() {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  return socket != nullptr && *socket != 0;
}

std::optional<std::chrono::microseconds> service_watchdog() {
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(kKeepEnvironment, &microseconds) <= 0) {
    return std::nullopt;
  }
  return std::chrono::microseconds(microseconds);
}

void tell_service(const std::string& lines) {
  ::sd_notify(kKeepEnvironment, lines.c_str());
}

std::string service_status_line(std::string_view text) {
  std::string value = readable(text);
  std::ranges::replace(value, '\n', ' ');
  if (value.size() > kStatusBytesMax) {
    value.resize(kStatusBytesMax);
    // Not in the middle of a character.
    while (!is_utf8(value)) {
      value.pop_back();
    }
    value += "...";
  }
  return "STATUS=" + value + "\n";
}

}  // namespace re_dms
