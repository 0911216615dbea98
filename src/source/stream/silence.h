// Notices a server that says nothing any more. Pure: no I/O, the caller brings the time.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace re_dms {

struct SilenceTimes {
  std::chrono::milliseconds ask{30000};     ///< without a byte, then the server is asked for one
  std::chrono::milliseconds answer{30000};  ///< how long it may take to answer
};

/// How long to wait for an answer, over the streams of one run. A walsender that decodes a
/// transaction of which nothing is published says nothing and, before PostgreSQL 16, hears nothing
/// (reorderbuffer.c): if its stream is ended too early, it starts over forever. So the time doubles
/// with every stream that was ended in silence, until one brings something.
class SilenceBackoff {
 public:
  SilenceTimes times() const;

  /// A stream has failed. `in_silence`: because nobody answered; `progressed`: it brought
  /// something.
  void stream_ended(bool in_silence, bool progressed);

 private:
  int silences_ = 0;
};

/// A hung walsender, or a proxy whose server died, keeps the connection open and sends nothing. A
/// server with nothing to send is silent too, but answers when it is asked (PostgreSQL 15,
/// protocol-replication, Standby status update).
class Silence {
 public:
  Silence(SilenceTimes times, SteadyTime now) : times_(times), since_(now) {}

  /// Something came, or nobody listened.
  void end(SteadyTime now);

  /// True once for each silence: the server is to be asked now.
  bool ask(SteadyTime now);

  /// Throws Transient when the server was asked and has not answered.
  void leave_if_unanswered(SteadyTime now);

  /// It has thrown.
  bool left() const { return left_; }

 private:
  SilenceTimes times_;
  SteadyTime since_;
  SteadyTime asked_at_{};  ///< zero until asked
  bool left_ = false;
};

}  // namespace re_dms
