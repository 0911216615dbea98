// The plain connection beside the stream: it answers catalog questions, and its end shows a fast
// shutdown of the server. Also detects a smart shutdown, and decides when the stream has to end so
// that nobody waits for re_dms.
#pragma once

#include <chrono>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "source/connection/connection.h"

namespace re_dms {

struct WatchTimes {
  std::chrono::milliseconds stuck{30000};  ///< without progress, then the stream leaves
  /// How long the server may take to end the stream once it has ended the plain connection.
  std::chrono::milliseconds farewell{10000};
  std::chrono::milliseconds call{30000};  ///< between two calls on the server
  /// How long a question may go unanswered: longer than a live server needs for one.
  std::chrono::milliseconds answer{15000};
};

/// How long to wait before a question is repeated: a moment at first, because the answer usually
/// comes soon, then longer and longer, so that one that does not come costs the server little.
class PollBackoff {
 public:
  std::chrono::milliseconds next();

 private:
  std::chrono::milliseconds next_{5};
};

/// Belongs to the receiving thread. The settings outlive it.
class SourceWatch {
 public:
  SourceWatch(const SourceSettings& settings, WatchTimes times, std::stop_token stop = {});

  Connection& connection() { return connection_; }

  /// Whether it can still be asked: false once the server has ended it.
  bool alive() const { return ended_at_ == SteadyTime{}; }

  /// Adds a few bytes to the server's WAL, where the role may: what was handed on between two
  /// transactions takes effect with the next position, which an idle server would never reach.
  void make_position();

  /// For poll, with POLLIN and POLLRDHUP; -1 once it has ended.
  int socket() const;

  /// Takes what poll said of the socket. The server ends plain connections at the start of a fast
  /// shutdown and then waits until the stream has confirmed everything.
  void look(short events, SteadyTime now);

  /// As look, without waiting.
  void look_now(SteadyTime now);

  /// Asks the server now and then for what it does not report by itself. Throws Transient when it
  /// waits for its clients to leave: a smart shutdown lasts as long as the plain connection does.
  /// Throws Refused when its commits have come to wait for the stream.
  void call_now_and_then(SteadyTime now);

  /// What keeps the stream from confirming.
  struct Blocked {
    bool held_up = false;      ///< nothing is read at present
    bool unconfirmed = false;  ///< something received is not journaled yet
  };

  /// Throws Transient when the stream has to end: a client that answers without confirming would
  /// keep the server from ever shutting down. `advanced_at` is when the confirmed position last
  /// moved.
  void leave_if_stuck(Blocked blocked, SteadyTime advanced_at, SteadyTime now);

  /// Throws Transient when a transaction, seen in the stream at `since`, is still not visible.
  void leave_if_invisible(SteadyTime since, SteadyTime now) const;

 private:
  const SourceSettings& settings_;
  Connection connection_;
  WatchTimes times_;
  SteadyTime called_at_;
  SteadyTime blocked_since_{};  ///< zero while nothing blocks it
  SteadyTime ended_at_{};       ///< zero while the connection lives
};

}  // namespace re_dms
