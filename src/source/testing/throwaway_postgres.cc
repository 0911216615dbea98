#include "source/testing/throwaway_postgres.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>

#include "base/testing/waiting.h"

namespace re_dms {

namespace {

namespace fs = std::filesystem;

/// The folder of the server's programs: $POSTGRES_BIN, else of the newest that is installed.
std::string find_programs() {
  if (const char* given = std::getenv("POSTGRES_BIN"); given != nullptr && *given != '\0') {
    return given;
  }
  std::vector<std::pair<int, std::string>> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
    const fs::path folder = entry.path() / "bin";
    if (fs::exists(folder / "initdb")) {
      found.emplace_back(std::atoi(entry.path().filename().c_str()), folder.string());
    }
  }
  if (found.empty()) {
    throw std::runtime_error("no PostgreSQL server is installed (Debian: postgresql-15)");
  }
  return std::max_element(found.begin(), found.end())->second;
}

void append_lines(const fs::path& file, const std::vector<std::string>& lines) {
  std::ofstream out(file, std::ios::app);
  for (const std::string& line : lines) {
    out << line << '\n';
  }
  if (!out.flush()) {
    throw std::runtime_error("cannot write " + file.string());
  }
}

using ConnectionPtr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

ThrowawayPostgres::ThrowawayPostgres(const std::vector<std::string>& settings)
    : programs_(find_programs()) {
  std::string folder = (fs::temp_directory_path() / "re_dms_pg_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    throw std::runtime_error("cannot make a folder for PostgreSQL");
  }
  folder_ = folder;
  if (geteuid() == 0) {
    const passwd* user = getpwnam("postgres");
    if (user == nullptr || chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("PostgreSQL needs the user postgres when run by root");
    }
  }
  const std::string data = folder_ + "/data";
  run_or_throw({programs_ + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale=C", "--no-sync"});
  append_lines(data + "/postgresql.conf",
               {"listen_addresses = ''", "unix_socket_directories = '" + folder_ + "'",
                "wal_level = logical", "fsync = off", "full_page_writes = off",
                "max_prepared_transactions = 5", "logging_collector = off", "autovacuum = off"});
  append_lines(data + "/postgresql.conf", settings);
  fs::remove(data + "/pg_hba.conf");
  append_lines(data + "/pg_hba.conf",
               {"local all needs_password scram-sha-256", "local all rejected reject",
                "local all all trust", "local replication all trust"});
  fs::permissions(data + "/pg_hba.conf", fs::perms::all & ~fs::perms(0133));
  start();
}

ThrowawayPostgres::~ThrowawayPostgres() {
  if (running_) {
    stop(Stop::Immediate);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string ThrowawayPostgres::url(std::string_view user, std::string_view database) const {
  std::string text = "postgresql://";
  text.append(user).append("@/").append(database).append("?host=").append(folder_);
  return text;
}

std::string ThrowawayPostgres::execute(const std::string& sql) const {
  const ConnectionPtr connection(PQconnectdb(url().c_str()), &PQfinish);
  const ResultPtr result(PQexec(connection.get(), sql.c_str()), &PQclear);
  const ExecStatusType status = PQresultStatus(result.get());
  if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
    throw std::runtime_error(sql + ": " + PQerrorMessage(connection.get()));
  }
  return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
}

bool ThrowawayPostgres::becomes(const std::string& sql, std::string_view value,
                                std::chrono::milliseconds patience) const {
  return eventually([&] { return execute(sql) == value; }, patience);
}

void ThrowawayPostgres::start() {
  run_or_throw({programs_ + "/pg_ctl", "-D", folder_ + "/data", "-l", folder_ + "/log", "-w", "-s",
                "start"});
  running_ = true;
}

bool ThrowawayPostgres::stop(Stop how, std::chrono::seconds patience) {
  static const std::map<Stop, std::string> kModes = {
      {Stop::Smart, "smart"}, {Stop::Fast, "fast"}, {Stop::Immediate, "immediate"}};
  int status = 0;
  run({programs_ + "/pg_ctl", "-D", folder_ + "/data", "-m", kModes.at(how), "-t",
       std::to_string(patience.count()), "-w", "-s", "stop"},
      status);
  running_ = status != 0;
  return !running_;
}

std::string ThrowawayPostgres::run(const std::vector<std::string>& command, int& status) const {
  std::vector<std::string> words;
  if (geteuid() == 0) {
    words = {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"};
  }
  words.insert(words.end(), command.begin(), command.end());
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const std::string output = folder_ + "/command.log";
  const pid_t child = fork();
  if (child == 0) {
    // Between fork and exec of a threaded program only async-signal-safe calls are allowed.
    const int log = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    const int nothing = open("/dev/null", O_RDONLY);
    if (log >= 0 && nothing >= 0 && dup2(log, STDOUT_FILENO) >= 0 &&
        dup2(log, STDERR_FILENO) >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && chdir("/") == 0) {
      execvp(arguments[0], arguments.data());
    }
    _exit(127);
  }
  int raw = 0;
  if (child < 0 || waitpid(child, &raw, 0) != child) {
    throw std::runtime_error("cannot run " + command[0]);
  }
  status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128;
  std::ifstream in(output);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void ThrowawayPostgres::run_or_throw(const std::vector<std::string>& command) const {
  int status = 0;
  const std::string output = run(command, status);
  if (status != 0) {
    throw std::runtime_error(command[0] + " failed: " + output);
  }
}

}  // namespace re_dms
