#include "source/stream/stop_signal.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace re_dms {

namespace {

int new_eventfd() {
  const int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (descriptor < 0) {
    throw Error(ErrorKind::Transient, fmt::format("eventfd: {}", std::strerror(errno)));
  }
  return descriptor;
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
  close(number_);
}

StopSignal::StopSignal(const std::stop_token& stop)
    : descriptor_(new_eventfd()), callback_(stop, Ring{descriptor_.number()}) {}

void StopSignal::Ring::operator()() const {
  eventfd_write(descriptor, 1);
}

}  // namespace re_dms
