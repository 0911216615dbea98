#include "demo/daemon.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <string_view>

#include "base/error.h"
#include "base/exit_code.h"
#include "observe/http_fetch.h"

namespace re_dms::demo {

namespace {

constexpr std::chrono::seconds kStartPatience{60};
constexpr std::chrono::seconds kStopPatience{60};
constexpr std::chrono::milliseconds kStatusPatience{500};
constexpr std::chrono::milliseconds kStatusInterval{50};
constexpr std::size_t kLogLines = 12;

/// Sizes that a laptop does not notice. Paths are taken from the configuration's own folder.
constexpr std::string_view kConfig = R"toml(# Written by re_dms demo.
[source]
url = "{}"

[journal]
directory = "journal"
max_bytes = "2GiB"
reserve_bytes = "256MiB"

[batch]
interval = "2s"
memory = "256MiB"

[stage]
url = "file://stage"

[warehouse]
url = "duckdb://warehouse.duckdb"

[observe]
listen = "127.0.0.1:{}"
)toml";

/// Taken and given back: somebody else may take it before the daemon does, which then says so.
int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  const bool known =
      probe >= 0 && ::bind(probe, any, size) == 0 && ::getsockname(probe, any, &size) == 0;
  if (probe >= 0) {
    ::close(probe);
  }
  if (!known) {
    throw Error(ErrorKind::Fatal, "no port is free on 127.0.0.1");
  }
  return ntohs(address.sin_port);
}

/// In a basic string of TOML, where "$$" is the configuration's dollar sign.
std::string toml_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      escaped += '\\';
    } else if (c == '$') {
      escaped += '$';
    }
    escaped += c;
  }
  return escaped;
}

}  // namespace

Daemon::Daemon(std::string executable, const Workspace& workspace, StopSignals& signals)
    : executable_(std::move(executable)), workspace_(workspace), signals_(signals) {}

void Daemon::configure(const std::string& source_url) {
  const int port = free_port();
  status_url_ = fmt::format("http://127.0.0.1:{}/status.json", port);
  std::ofstream file(workspace_.config(), std::ios::trunc);
  file << fmt::format(kConfig, toml_text(source_url), port);
  file.close();
  if (!file) {
    throw Error(ErrorKind::Fatal, fmt::format("cannot write {}", workspace_.config()));
  }
}

void Daemon::start() {
  launch({});
  const auto deadline = std::chrono::steady_clock::now() + kStartPatience;
  while (true) {
    const std::optional<DaemonStatus> now = status();
    if (now && now->state == DaemonState::Streaming && now->source.connected) {
      return;
    }
    if (ended() || std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::Fatal, fmt::format("the daemon does not begin to stream:{}",
                                                last_lines(workspace_.daemon_log(), kLogLines)));
    }
    signals_.pause(kStatusInterval);
  }
}

void Daemon::start_until_now() {
  launch({"--until", "now"});
}

void Daemon::kill() {
  process_.stop(SIGKILL, kStopPatience);
  process_ = {};
}

void Daemon::stop() {
  process_.signal(SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
  while (!ended()) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::Fatal, fmt::format("the daemon does not end {} s after SIGTERM:{}",
                                                kStopPatience.count(),
                                                last_lines(workspace_.daemon_log(), kLogLines)));
    }
    signals_.pause(kStatusInterval);
  }
}

bool Daemon::ended() {
  const std::optional<int> code = process_.exit_code();
  // Tables that were set aside are left to the comparison, which names what differs.
  if (code && *code != static_cast<int>(ExitCode::Ok) &&
      *code != static_cast<int>(ExitCode::SetAside)) {
    throw Error(ErrorKind::Fatal, fmt::format("the daemon ended with code {}:{}", *code,
                                              last_lines(workspace_.daemon_log(), kLogLines)));
  }
  return code.has_value();
}

std::optional<DaemonStatus> Daemon::status() const {
  try {
    const HttpAnswer answer = http_fetch(status_url_, kStatusPatience);
    return answer.status == 200 ? std::optional(parse_status(answer.body)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // it starts, ends or was killed; ended() tells which
  }
}

void Daemon::launch(std::vector<std::string> options) {
  std::vector<std::string> command = {executable_, "run", "-c", workspace_.config()};
  command.insert(command.end(), options.begin(), options.end());
  process_ = ChildProcess::start({.command = std::move(command),
                                  .output = workspace_.daemon_log(),
                                  .directory = workspace_.directory(),
                                  .account = {},
                                  .death_signal = SIGKILL});
}

}  // namespace re_dms::demo
