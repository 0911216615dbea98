#include "app/status_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "app/status_text.h"
#include "base/error.h"
#include "observe/http_fetch.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kPatience{3000};
constexpr unsigned int kRefreshSeconds = 2;

HttpReply readiness(const DaemonStatus& status) {
  const bool ready = status.state == DaemonState::Streaming;
  return {ready ? 200U : 503U, kTextType, state_text(status) + "\n"};
}

std::string lsn_text(const ProgressMark& mark) {
  return mark.lsn().known() ? to_string(mark.lsn()) : std::string();
}

/// Where a client on this machine reaches a server that listens there.
ListenAddress reachable(ListenAddress address) {
  if (address.host == "0.0.0.0") {
    address.host = "127.0.0.1";
  } else if (address.host == "::") {
    address.host = "::1";
  }
  return address;
}

}  // namespace

std::vector<HttpRoute> status_pages(std::function<DaemonStatus()> status, const Metrics& metrics) {
  return {
      {"/",
       [status] {
         return HttpReply{200, kTextType, to_text(status()), kRefreshSeconds};
       }},
      {"/status.json",
       [status] {
         return HttpReply{200, kJsonType, to_json(status())};
       }},
      {"/metrics",
       [status, &metrics] {
         // Reading the status sets the gauges that follow from it.
         status();
         return HttpReply{200, kPrometheusType, metrics.to_prometheus()};
       }},
      {"/healthz",
       [] {
         return HttpReply{200, kTextType, "ok\n"};
       }},
      {"/readyz", [status = std::move(status)] { return readiness(status()); }},
  };
}

void fill_progress(DaemonStatus& status, const Progress& progress, SystemTime now) {
  // Later stages are read before earlier ones, so that no race shows a stage ahead of its source.
  const std::int64_t loading_time = progress.loading_commit_time.load();
  const std::int64_t loaded_time = progress.loaded_commit_time.load();
  const Lsn loaded = progress.loaded.lsn();
  status.warehouse.loaded_lsn = lsn_text(progress.loaded);
  status.batch.staged_lsn = lsn_text(progress.staged);
  status.source.journaled_lsn = lsn_text(progress.journaled);
  status.source.received_lsn = lsn_text(progress.received);
  const Lsn received = progress.received.lsn();
  // Only keepalives report it, so rows may be ahead of the last one.
  const Lsn end = std::max(progress.server.lsn(), received);
  status.source.server_lsn = end.known() ? to_string(end) : std::string();
  status.lag.bytes = loaded.known() ? end.value - std::min(end, loaded).value : 0;
  status.lag.seconds.reset();
  const auto age = [now](std::int64_t commit_time) {
    const SystemTime committed{std::chrono::microseconds(commit_time)};
    return std::max(0.0, std::chrono::duration<double>(now - committed).count());
  };
  const Lsn committed = progress.committed.lsn();
  if (committed.known() && loaded >= committed) {
    // Beyond it is WAL only that changes nothing here.
    status.lag.seconds = 0;
  } else if (loading_time != 0) {
    status.lag.seconds = age(loading_time);
  } else if (loaded_time != 0) {
    status.lag.seconds = age(loaded_time);
  }
}

bool re_dms_listens(const ListenAddress& listen) {
  try {
    const HttpAnswer answer =
        http_fetch(fmt::format("http://{}/status.json", to_string(reachable(listen))), kPatience);
    parse_status(answer.body);
    return answer.status == 200;
  } catch (const Error&) {
    return false;
  }
}

HttpAnswer fetch_status(const std::optional<ListenAddress>& listen) {
  if (!listen) {
    throw Error(ErrorKind::Usage, "observe.listen is \"off\": there is nothing to ask",
                "Give observe.listen an address and restart the daemon");
  }
  const std::string url = fmt::format("http://{}/status.json", to_string(reachable(*listen)));
  HttpAnswer answer;
  try {
    answer = http_fetch(url, kPatience);
  } catch (const Error& error) {
    throw Error(ErrorKind::Fatal, "re_dms is not running: " + error.message(),
                "Start it with `re_dms run`; if it runs, its observe.listen differs from the one "
                "in this configuration");
  }
  if (answer.status != 200) {
    throw Error(ErrorKind::Fatal,
                fmt::format("{} answered with HTTP status {}", url, answer.status),
                "Perhaps another program listens there");
  }
  return answer;
}

ExitCode exit_code_of(const DaemonStatus& status) {
  return status.tables.not_live.empty() && status.tables.paused.empty() ? ExitCode::Ok
                                                                        : ExitCode::SetAside;
}

ExitCode show_status(const std::optional<ListenAddress>& listen, bool json, std::ostream& out) {
  const HttpAnswer answer = fetch_status(listen);
  const DaemonStatus status = parse_status(answer.body);
  out << (json ? answer.body : to_text(status));
  return exit_code_of(status);
}

}  // namespace re_dms
