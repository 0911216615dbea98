#include "demo/postgres_server.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/error.h"

namespace re_dms::demo {

namespace {

namespace fs = std::filesystem;

constexpr int kOldestVersion = 15;
constexpr std::chrono::seconds kServerStartPatience{60};
constexpr std::chrono::seconds kServerStopPatience{20};
constexpr std::chrono::milliseconds kServerPollInterval{50};
constexpr std::string_view kSocketName = "/.s.PGSQL.5432";

bool is_executable(const std::string& path) {
  return ::access(path.c_str(), X_OK) == 0;
}

int number_at_start(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool has_programs(const std::string& folder) {
  return is_executable(folder + "/postgres") && is_executable(folder + "/initdb") &&
         is_executable(folder + "/pgbench");
}

/// What a command of one line prints; empty when it fails.
std::string first_line_of(const char* command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "re"), &::pclose);
  std::array<char, 1024> line{};
  if (pipe == nullptr || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) {
    return {};
  }
  std::string text(line.data());
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

/// PostgreSQL where it is not Debian's: "PostgreSQL 17.2" in the folder its pg_config names.
PostgresPrograms programs_on_path() {
  PostgresPrograms programs;
  programs.folder = first_line_of("pg_config --bindir 2>/dev/null");
  const std::string version = first_line_of("pg_config --version 2>/dev/null");
  const std::size_t digit = version.find_first_of("0123456789");
  programs.version = digit == std::string::npos ? 0 : number_at_start(version.substr(digit));
  return has_programs(programs.folder) ? programs : PostgresPrograms();
}

/// Characters that mean themselves in postgresql.conf's list of socket folders and in libpq's list
/// of hosts, where a comma separates.
bool is_plain(const std::string& path) {
  return std::ranges::none_of(path, [](char c) {
    return c == ',' || c == '\'' || c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' ';
  });
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return encoded;
}

}  // namespace

PostgresPrograms find_postgres() {
  PostgresPrograms newest;
  const fs::path versions("/usr/lib/postgresql");
  if (fs::is_directory(versions)) {
    for (const auto& version : fs::directory_iterator(versions)) {
      const int number = number_at_start(version.path().filename().string());
      const std::string folder = version.path() / "bin";
      if (number > newest.version && has_programs(folder)) {
        newest = {folder, number};
      }
    }
  }
  if (newest.version < kOldestVersion) {
    newest = programs_on_path();
  }
  if (newest.version < kOldestVersion) {
    throw Error(ErrorKind::Fatal,
                fmt::format("the demo needs the programs of PostgreSQL {} or newer (postgres, "
                            "initdb, pgbench) and finds none",
                            kOldestVersion),
                "Run `make deps` in the checkout, or install the packages postgresql and "
                "postgresql-contrib");
  }
  return newest;
}

PostgresServer::PostgresServer(PostgresPrograms programs, Workspace& workspace,
                               StopSignals& signals)
    : programs_(std::move(programs)), workspace_(workspace), signals_(signals) {}

PostgresServer::~PostgresServer() {
  stop();
}

void PostgresServer::start() {
  if (::geteuid() == 0) {
    for (const char* name : {"postgres", "nobody"}) {
      const passwd* entry = ::getpwnam(name);
      if (entry != nullptr && !account_) {
        account_ = Account{entry->pw_uid, entry->pw_gid};
        user_ = name;
      }
    }
    if (!account_) {
      throw Error(ErrorKind::Fatal, "PostgreSQL refuses to run as root",
                  "Run the demo as another user, or make a user named postgres");
    }
  }
  choose_folder();
  make_cluster();
  // As its parent we reap it: a killed postmaster that stays a zombie looks alive to the next one.
  process_ =
      ChildProcess::start({.command = {programs_.folder + "/postgres", "-D", folder_ + "/data"},
                           .output = workspace_.postgres_log(),
                           .directory = folder_,
                           .account = account_,
                           .death_signal = SIGQUIT});
  wait_until_ready();
}

void PostgresServer::stop() {
  if (process_) {
    if (!process_.exit_code()) {
      process_.stop(SIGINT, kServerStopPatience);
    }
    process_ = {};
  }
}

std::string PostgresServer::url() const {
  return fmt::format("postgresql:///postgres?host={}&user=postgres", percent_encoded(folder_));
}

std::string PostgresServer::start_command() const {
  const std::string command =
      fmt::format("{0}/pg_ctl -D '{1}/data' -l '{1}/log' start", programs_.folder, folder_);
  return user_.empty() ? command : fmt::format("su {} -s /bin/sh -c \"{}\"", user_, command);
}

void PostgresServer::choose_folder() {
  folder_ = workspace_.postgres();
  fs::create_directory(folder_);
  if (usable(folder_)) {
    return;
  }
  fs::remove(folder_);
  folder_ = workspace_.make_folder_elsewhere();
  if (!usable(folder_)) {
    throw Error(ErrorKind::Fatal, fmt::format("user {} cannot write to {}",
                                              user_.empty() ? "we are" : user_, folder_));
  }
}

/// Makes the folder the server's and tries whether the server could live in it: its user must be
/// able to enter every folder above, and the name of a socket has an upper bound (unix(7)).
bool PostgresServer::usable(const std::string& folder) {
  if (!is_plain(folder) || folder.size() + kSocketName.size() >= sizeof(sockaddr_un::sun_path)) {
    return false;
  }
  ::chmod(folder.c_str(), 0700);
  if (account_ && ::chown(folder.c_str(), account_->user, account_->group) != 0) {
    return false;
  }
  return run_as_owner({"/bin/sh", "-c", "cd \"$1\" && test -w .", "sh", folder}, "/") == 0;
}

void PostgresServer::make_cluster() {
  const std::string cluster = folder_ + "/data";
  const int code = run_as_owner({programs_.folder + "/initdb", "-D", cluster, "-U", "postgres",
                                 "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"},
                                folder_);
  if (code != 0) {
    throw Error(ErrorKind::Fatal,
                fmt::format("initdb failed:{}", last_lines(workspace_.postgres_log(), 10)));
  }
  // A cluster that lives for a minute needs no disk to be safe on. synchronous_commit stays on:
  // without it a slot sees a commit up to 0.6 s late.
  std::ofstream settings(cluster + "/postgresql.conf", std::ios::app);
  settings << "listen_addresses = ''\n"
           << "unix_socket_directories = '" << folder_ << "'\n"
           << "port = 5432\n"
           << "wal_level = logical\n"
           << "max_wal_senders = 10\n"
           << "max_replication_slots = 10\n"
           << "fsync = off\n"
           << "full_page_writes = off\n"
           << "max_wal_size = '2GB'\n"
           << "log_line_prefix = '%m [%p] %q%a '\n";
  settings.close();
  if (!settings) {
    throw Error(ErrorKind::Fatal, fmt::format("cannot write {}/postgresql.conf", cluster));
  }
}

void PostgresServer::wait_until_ready() {
  const auto deadline = std::chrono::steady_clock::now() + kServerStartPatience;
  while (PQping(url().c_str()) != PQPING_OK) {
    if (process_.exit_code() || std::chrono::steady_clock::now() > deadline) {
      throw Error(ErrorKind::Fatal, fmt::format("PostgreSQL does not start:{}",
                                                last_lines(workspace_.postgres_log(), 10)));
    }
    signals_.pause(kServerPollInterval);
  }
}

int PostgresServer::run_as_owner(std::vector<std::string> command, const std::string& directory) {
  ChildProcess child = ChildProcess::start({.command = std::move(command),
                                            .output = workspace_.postgres_log(),
                                            .directory = directory,
                                            .account = account_});
  while (true) {
    if (const auto code = child.exit_code()) {
      return *code;
    }
    signals_.pause(kServerPollInterval);
  }
}

}  // namespace re_dms::demo
