#include "source/stream/source_watch.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "observe/log.h"
#include "source/setup/synchronous_names.h"
#include "source/stream/shutdown_probe.h"

namespace re_dms {

namespace {

std::int64_t seconds(std::chrono::milliseconds duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

std::chrono::milliseconds PollBackoff::next() {
  constexpr std::chrono::milliseconds kLongest{500};
  return std::exchange(next_, std::min(2 * next_, kLongest));
}

SourceWatch::SourceWatch(const SourceSettings& settings, WatchTimes times, std::stop_token stop)
    : settings_(settings),
      connection_(settings, ConnectionPurpose::Sql, std::move(stop)),
      times_(times),
      called_at_(real_clock().steady()) {
  connection_.wait_at_most(times.answer);
  connection_.query("SET statement_timeout = '10s'", "preparing catalog questions");
}

void SourceWatch::make_position() {
  constexpr std::string_view kInsufficientPrivilege = "42501";
  connection_.query_unless("SELECT pg_logical_emit_message(false, 're_dms.position', '')",
                           kInsufficientPrivilege, "making a position");
}

int SourceWatch::socket() const {
  return ended_at_ == SteadyTime{} ? PQsocket(connection_.raw()) : -1;
}

void SourceWatch::look(short events, SteadyTime now) {
  if (events == 0 || ended_at_ != SteadyTime{}) {
    return;
  }
  const bool readable = PQconsumeInput(connection_.raw()) != 0;
  if (!readable || (events & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
    ended_at_ = now;
    log(LogLevel::Info, "catalog_connection_ended",
        "the source ended the connection for catalog questions; it may be shutting down");
  }
}

void SourceWatch::look_now(SteadyTime now) {
  pollfd waiting{socket(), static_cast<short>(POLLIN | POLLRDHUP), 0};
  if (poll(&waiting, 1, 0) > 0) {
    look(waiting.revents, now);
  }
}

void SourceWatch::call_now_and_then(SteadyTime now) {
  if (ended_at_ != SteadyTime{} || now - called_at_ < times_.call) {
    return;
  }
  called_at_ = now;
  if (shutting_down(settings_, connection_)) {
    throw Error(ErrorKind::Transient,
                "the source is shutting down and waits for its clients; disconnecting, so that it "
                "does not wait for re_dms");
  }
  require_commits_do_not_wait(connection_, settings_.slot);
}

void SourceWatch::leave_if_stuck(Blocked blocked, SteadyTime advanced_at, SteadyTime now) {
  const bool is_blocked = blocked.held_up || blocked.unconfirmed;
  if (!is_blocked) {
    blocked_since_ = {};
  } else if (blocked_since_ == SteadyTime{}) {
    blocked_since_ = now;
  }
  if (ended_at_ != SteadyTime{} && (blocked.held_up || now - ended_at_ >= times_.farewell)) {
    throw Error(ErrorKind::Transient,
                "the source ended the connection for catalog questions; releasing the slot too, so "
                "that a shutdown does not wait for re_dms");
  }
  if (is_blocked && now - std::max(blocked_since_, advanced_at) >= times_.stuck) {
    throw Error(ErrorKind::Transient,
                fmt::format("nothing could be confirmed to the source for {} s; releasing the "
                            "slot, so that a shutdown of the source does not wait for re_dms",
                            seconds(times_.stuck)),
                "The journal is full or its disk is slow: `re_dms status` says which");
  }
}

void SourceWatch::leave_if_invisible(SteadyTime since, SteadyTime now) const {
  if (now - since >= times_.stuck) {
    throw Error(
        ErrorKind::Transient,
        fmt::format("a transaction that the source has sent is not visible there after {} s",
                    seconds(times_.stuck)),
        "Its commit waits for a synchronous standby: look at pg_stat_replication");
  }
}

}  // namespace re_dms
