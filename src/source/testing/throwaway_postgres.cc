#include "source/testing/throwaway_postgres.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <random>
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

std::string content(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// `command` as the cluster's owner; it ends with the thread that starts it.
std::vector<std::string> as_owner(const std::vector<std::string>& command) {
  std::vector<std::string> words = {"setpriv", "--pdeathsig", "QUIT"};
  if (geteuid() == 0) {
    words.insert(words.end(), {"--reuid=postgres", "--regid=postgres", "--clear-groups"});
  }
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

/// A port nobody listens on, of those that no outgoing connection is given (Linux: 32768 and up).
int free_port() {
  std::random_device dice;
  std::uniform_int_distribution<int> ports(16384, 32767);
  for (;;) {
    const int port = ports(dice);
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const int bound = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
    close(probe);
    if (bound == 0) {
      return port;
    }
  }
}

using ConnectionPtr = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

}  // namespace

ThrowawayPostgres::ThrowawayPostgres(const std::vector<std::string>& settings, Identity identity,
                                     Tls tls)
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
  make_cluster(identity);
  const std::string data = folder_ + "/data";
  append_lines(data + "/postgresql.conf",
               {"listen_addresses = ''", "unix_socket_directories = '" + folder_ + "'",
                "wal_level = logical", "fsync = off", "full_page_writes = off",
                "max_prepared_transactions = 5", "logging_collector = off", "autovacuum = off"});
  append_lines(data + "/postgresql.conf", settings);
  fs::remove(data + "/pg_hba.conf");
  append_lines(data + "/pg_hba.conf",
               {"local all needs_password scram-sha-256", "local all rejected reject",
                "local all all trust", "local replication all trust"});
  if (tls == Tls::On) {
    append_lines(data + "/postgresql.conf", set_up_tls());
    append_lines(data + "/pg_hba.conf", {"hostssl all all 127.0.0.1/32 trust"});
  }
  fs::permissions(data + "/pg_hba.conf", fs::perms::all & ~fs::perms(0133));
  start();
}

/// The settings for TLS, with its files made. The certificate is its own authority.
std::vector<std::string> ThrowawayPostgres::set_up_tls() {
  const std::string key = folder_ + "/server.key";
  const std::string certificate = folder_ + "/server.crt";
  run_or_throw(
      as_owner({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate}));
  tls_port_ = free_port();
  return {"listen_addresses = '127.0.0.1'", "port = " + std::to_string(tls_port_), "ssl = on",
          "ssl_key_file = '" + key + "'", "ssl_cert_file = '" + certificate + "'"};
}

ThrowawayPostgres::~ThrowawayPostgres() {
  if (server_ != 0) {
    stop(Stop::Immediate);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string ThrowawayPostgres::url(std::string_view user, std::string_view database) const {
  std::string text = "postgresql://";
  text.append(user).append("@/").append(database).append("?host=").append(folder_);
  return tls_port_ == 0 ? text : text + "&port=" + std::to_string(tls_port_);
}

std::string ThrowawayPostgres::tls_url() const {
  return "postgresql://postgres@localhost:" + std::to_string(tls_port_) +
         "/postgres?hostaddr=127.0.0.1&sslmode=verify-full&sslrootcert=" + folder_ + "/server.crt";
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
  server_ = spawn(as_owner({programs_ + "/postgres", "-D", folder_ + "/data"}), folder_ + "/log");
  if (!eventually([&] { return ready() || ended(); }) || server_ == 0) {
    throw std::runtime_error("PostgreSQL did not start: " + content(folder_ + "/log"));
  }
}

bool ThrowawayPostgres::stop(Stop how, std::chrono::seconds patience) {
  // PostgreSQL 15, server-shutdown.
  static const std::map<Stop, int> kSignals = {
      {Stop::Smart, SIGTERM}, {Stop::Fast, SIGINT}, {Stop::Immediate, SIGQUIT}};
  ::kill(server_, kSignals.at(how));
  return eventually([&] { return ended(); }, patience);
}

/// PostgreSQL 15, miscadmin.h: the eighth line of postmaster.pid is the status.
bool ThrowawayPostgres::ready() const {
  constexpr int kStatusLine = 8;
  std::ifstream file(folder_ + "/data/postmaster.pid");
  std::string line;
  bool ours = false;
  for (int number = 1; number <= kStatusLine && std::getline(file, line); ++number) {
    // One that a server left which did not shut down may still lie there.
    ours = number == 1 ? line == std::to_string(server_) : ours;
  }
  return ours && line.starts_with("ready");
}

/// Forgets the server once it has ended.
bool ThrowawayPostgres::ended() {
  if (server_ != 0 && ::waitpid(server_, nullptr, WNOHANG) == server_) {
    server_ = 0;
  }
  return server_ == 0;
}

void ThrowawayPostgres::make_cluster(Identity identity) const {
  if (identity == Identity::Own) {
    init();
    return;
  }

  struct stat program {};

  if (::stat((programs_ + "/initdb").c_str(), &program) != 0) {
    throw std::runtime_error("no initdb in " + programs_);
  }
  // Another PostgreSQL gets another one.
  const fs::path kept =
      fs::path(RE_DMS_TEST_CLUSTERS) / ("C-" + std::to_string(program.st_mtim.tv_sec));
  if (!fs::exists(kept)) {
    init();
    fs::create_directories(kept.parent_path());
    const std::string copy = kept.string() + '.' + fs::path(folder_).filename().string();
    run_or_throw({"cp", "-a", folder_ + "/data", copy});
    std::error_code another_was_first;
    fs::rename(copy, kept, another_was_first);
    if (another_was_first) {
      fs::remove_all(copy);
    }
    return;
  }
  run_or_throw({"cp", "-a", kept, folder_ + "/data"});
}

void ThrowawayPostgres::init() const {
  run_or_throw(as_owner({programs_ + "/initdb", "-D", folder_ + "/data", "-U", "postgres", "-A",
                         "trust", "-E", "UTF8", "--locale=C", "--no-sync"}));
}

pid_t ThrowawayPostgres::spawn(const std::vector<std::string>& command,
                               const std::string& log) const {
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    // Between fork and exec of a threaded program only async-signal-safe calls are allowed.
    const int output = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const int nothing = open("/dev/null", O_RDONLY);
    if (output >= 0 && nothing >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(output, STDERR_FILENO) >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && chdir("/") == 0) {
      execvp(arguments[0], arguments.data());
    }
    _exit(127);
  }
  if (child < 0) {
    throw std::runtime_error("cannot run " + command[0]);
  }
  return child;
}

void ThrowawayPostgres::run_or_throw(const std::vector<std::string>& command) const {
  const std::string log = folder_ + "/command.log";
  const pid_t child = spawn(command, log);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error(command[0] + " failed: " + content(log));
  }
}

}  // namespace re_dms
