#include "source/stream/feedback.h"

#include "base/bytes.h"
#include "pgoutput/messages.h"

namespace re_dms {

bool Feedback::due(Lsn journaled, SteadyTime now) const {
  const auto since = now - sent_at_;
  return requested_ || since >= times_.silence ||
         (journaled > flushed_ && since >= times_.progress);
}

std::string Feedback::message(Lsn journaled, SteadyTime now, SystemTime wall) {
  if (journaled > flushed_) {
    flushed_ = journaled;
    advanced_at_ = now;
  }
  sent_at_ = now;
  requested_ = false;
  // PostgreSQL 15, protocol-replication, Standby status update: 'r', write, flush, apply, time,
  // reply wanted.
  std::string message = "r";
  for (int i = 0; i < 3; ++i) {
    append_be(message, flushed_.value);
  }
  append_be(message, pgoutput::to_postgres_time(wall));
  append_be(message, static_cast<std::uint8_t>(asking_));
  asking_ = false;
  return message;
}

}  // namespace re_dms
