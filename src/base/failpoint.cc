#include "base/failpoint.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string>

namespace re_dms {

namespace {

struct Armed {
  std::string name;
  std::atomic<int> left{0};

  Armed() {
    const char* wanted = std::getenv("RE_DMS_FAILPOINT");
    if (wanted == nullptr) {
      return;
    }
    const std::string_view text(wanted);
    const std::size_t colon = text.rfind(':');
    int count = 1;
    if (colon != std::string_view::npos) {
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), count);
    }
    name = text.substr(0, colon);
    left = count;
  }
};

Armed& armed() {
  static Armed instance;
  return instance;
}

}  // namespace

void failpoint(std::string_view name) {
  Armed& target = armed();
  if (target.name.empty() || target.name != name) [[likely]] {
    return;
  }
  if (target.left.fetch_sub(1) == 1) {
    ::kill(::getpid(), SIGKILL);
  }
}

}  // namespace re_dms
