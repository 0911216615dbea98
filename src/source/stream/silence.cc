#include "source/stream/silence.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace re_dms {

SilenceTimes SilenceBackoff::times() const {
  constexpr int kDoublingsMax = 8;
  SilenceTimes times;
  times.answer *= 1 << std::min(silences_, kDoublingsMax);
  return times;
}

void SilenceBackoff::stream_ended(bool in_silence, bool progressed) {
  if (progressed) {
    silences_ = 0;
  }
  silences_ += in_silence ? 1 : 0;
}

void Silence::end(SteadyTime now) {
  since_ = now;
  asked_at_ = {};
}

bool Silence::ask(SteadyTime now) {
  if (asked_at_ != SteadyTime{} || now - since_ < times_.ask) {
    return false;
  }
  asked_at_ = now;
  return true;
}

void Silence::leave_if_unanswered(SteadyTime now) {
  if (asked_at_ != SteadyTime{} && now - asked_at_ >= times_.answer) {
    left_ = true;
    throw Error(ErrorKind::Transient,
                fmt::format("the source has sent nothing for {} s and does not answer",
                            std::chrono::duration_cast<std::chrono::seconds>(now - since_).count()),
                "Its walsender hangs, or a proxy or firewall in between has lost its connection to "
                "the server");
  }
}

}  // namespace re_dms
