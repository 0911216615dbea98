#include "base/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <string>

namespace re_dms {

namespace {

enum class Deed { Kill, Stop, Overflow };

struct Place {
  explicit Place(std::string_view text) {
    const std::size_t end = text.find('=');
    if (end != std::string_view::npos) {
      deed = text.substr(end + 1) == "stop" ? Deed::Stop : Deed::Overflow;
      text = text.substr(0, end);
    }
    const std::size_t colon = text.find(':');
    int count = 1;
    if (colon != std::string_view::npos) {
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
    }
    name = text.substr(0, colon);
    left = count;
  }

  std::string name;
  Deed deed = Deed::Kill;
  std::atomic<int> left{0};
};

std::deque<Place> places() {
  std::deque<Place> places;
  const char* const wanted = std::getenv("RE_DMS_FAILPOINT");
  std::string_view rest = wanted == nullptr ? "" : wanted;
  while (!rest.empty()) {
    const std::string_view place = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(place.size() + 1, rest.size()));
    places.emplace_back(place);
  }
  return places;
}

/// Ends by SIGSEGV, long before the number does.
// NOLINTNEXTLINE(misc-no-recursion)
std::size_t overflow(std::size_t depth) {
  volatile char block[4096];
  block[0] = static_cast<char>(depth);
  return depth == SIZE_MAX ? 0 : overflow(depth + 1) + static_cast<std::size_t>(block[0]);
}

void reach(Place& place) {
  if (place.left.fetch_sub(1) != 1) {
    return;
  }
  const std::string line = "failpoint " + place.name + "\n";
  // There is nobody to report a failure to.
  [[maybe_unused]] const ssize_t wrote = ::write(STDERR_FILENO, line.data(), line.size());
  if (place.deed == Deed::Overflow) {
    overflow(0);
  }
  // To this thread, so that it stops right here. A signal to the process may stop another thread
  // first.
  ::raise(place.deed == Deed::Stop ? SIGSTOP : SIGKILL);
}

}  // namespace

void failpoint(std::string_view name) {
  static std::deque<Place> wanted = places();
  if (wanted.empty()) [[likely]] {
    return;
  }
  for (Place& place : wanted) {
    if (place.name == name) {
      reach(place);
    }
  }
}

}  // namespace re_dms
