#include "source/silence.h"

#include <fmt/format.h>

#include "base/error.h"

namespace re_dms {

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
                fmt::format("the source has said nothing for {} s and does not answer",
                            std::chrono::duration_cast<std::chrono::seconds>(now - since_).count()),
                "Its walsender hangs, or a proxy or firewall in between has lost the server");
  }
}

}  // namespace re_dms
