// When and what the server is told about our progress. Pure: no I/O, the caller brings the time.
#pragma once

#include <chrono>
#include <string>

#include "base/clock.h"
#include "model/lsn.h"

namespace re_dms {

struct FeedbackTimes {
  std::chrono::milliseconds progress{100};  ///< between two reports of progress, at least
  std::chrono::milliseconds silence{3000};  ///< a report comes at the latest after this
};

/// Decides about standby status updates and encodes them. The flush position never goes back and is
/// never ahead of what is journaled: a server believes whatever it is told and would not send the
/// changes below it again.
class Feedback {
 public:
  explicit Feedback(FeedbackTimes times) : times_(times) {}

  /// The server wants an answer at once.
  void request() { requested_ = true; }

  /// The next message asks the server for a keepalive, and is due at once.
  void ask() { asking_ = requested_ = true; }

  bool due(Lsn journaled, SteadyTime now) const;

  /// The message to send now; flush is 0/0 until something is journaled.
  std::string message(Lsn journaled, SteadyTime now, SystemTime wall);

  /// The flush position last sent, and when it last advanced.
  Lsn flushed() const { return flushed_; }

  SteadyTime advanced_at() const { return advanced_at_; }

 private:
  FeedbackTimes times_;
  Lsn flushed_;
  SteadyTime sent_at_{};
  SteadyTime advanced_at_{};
  bool requested_ = false;
  bool asking_ = false;
};

}  // namespace re_dms
