#include "base/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <string>

namespace re_dms {

namespace {

struct Place {
  explicit Place(std::string_view text) {
    constexpr std::string_view kStop = "=stop";
    if (text.ends_with(kStop)) {
      text.remove_suffix(kStop.size());
      signal = SIGSTOP;
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
  int signal = SIGKILL;
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

void reach(Place& place) {
  if (place.left.fetch_sub(1) != 1) {
    return;
  }
  const std::string line = "failpoint " + place.name + "\n";
  // There is nobody to report a failure to.
  [[maybe_unused]] const ssize_t wrote = ::write(STDERR_FILENO, line.data(), line.size());
  // To this thread, so that it stops right here. A signal to the process may stop another thread
  // first.
  ::raise(place.signal);
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
