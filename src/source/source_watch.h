// The plain connection beside the stream: it answers catalog questions, and its end tells that the
// server shuts down. Decides when the stream has to leave so that nobody waits for re_dms.
#pragma once

#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "source/connection.h"

namespace re_dms {

struct WatchTimes {
  std::chrono::milliseconds stuck{30000};  ///< held up without progress, then the stream leaves
  /// How long the server may take to end the stream once it has ended the plain connection.
  std::chrono::milliseconds farewell{10000};
};

/// Belongs to the receiving thread.
class SourceWatch {
 public:
  SourceWatch(const SourceSettings& settings, WatchTimes times);

  Connection& connection() { return connection_; }

  /// For poll, with POLLIN and POLLRDHUP; -1 once it has ended.
  int socket() const;

  /// Takes what poll said of the socket. The server ends plain connections at the start of a fast
  /// shutdown and then waits until the stream has confirmed everything.
  void look(short events, SteadyTime now);

  /// As look, without waiting.
  void look_now(SteadyTime now);

  /// Throws Transient when the stream has to leave: whoever answers without confirming would keep
  /// the server from shutting down for ever. `held_up` says whether nothing is read at present,
  /// `advanced_at` when the confirmed position last moved.
  void leave_if_stuck(bool held_up, SteadyTime advanced_at, SteadyTime now);

  /// Throws Transient when a transaction, seen in the stream at `since`, is still not visible.
  void leave_if_invisible(SteadyTime since, SteadyTime now) const;

 private:
  Connection connection_;
  WatchTimes times_;
  SteadyTime held_up_since_{};  ///< zero while the stream reads
  SteadyTime ended_at_{};       ///< zero while the connection lives
};

}  // namespace re_dms
