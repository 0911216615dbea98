// A PostgreSQL for one test: its own cluster in a temporary folder, a Unix socket, and loopback TCP
// with TLS where it is asked for.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace re_dms {

/// Started by the constructor with wal_level = logical, fsync off and trust for everybody except:
/// role `needs_password` (scram) and role `rejected` (refused). Superuser is `postgres`. Runs as
/// user postgres when the test runs as root. Ended and removed by the destructor, and ended with
/// the thread that started it. Throws std::runtime_error where something outside fails.
class ThrowawayPostgres {
 public:
  enum class Stop { Smart, Fast, Immediate };
  enum class Tls { Off, On };

  /// Shared: a copy of one cluster that initdb made once for this checkout, so that the system
  /// identifier is that of other tests' servers. Own: initdb runs, which takes seconds.
  enum class Identity { Shared, Own };

  /// `settings` go into postgresql.conf: "max_wal_senders = 2". With TLS it has a certificate of
  /// its own making for localhost.
  explicit ThrowawayPostgres(const std::vector<std::string>& settings = {},
                             Identity identity = Identity::Shared, Tls tls = Tls::Off);
  ~ThrowawayPostgres();
  ThrowawayPostgres(const ThrowawayPostgres&) = delete;
  ThrowawayPostgres& operator=(const ThrowawayPostgres&) = delete;

  /// postgresql:// URL for libpq.
  std::string url(std::string_view user = "postgres", std::string_view database = "postgres") const;

  /// The same over TLS on loopback TCP, with the certificate checked (verify-full).
  std::string tls_url() const;

  /// Runs SQL as superuser on a connection of its own and returns the first value of the last
  /// statement's result, empty when there is none.
  std::string execute(const std::string& sql) const;

  /// Waits until `sql` gives `value`; false when it does not within `patience`.
  bool becomes(const std::string& sql, std::string_view value,
               std::chrono::milliseconds patience = std::chrono::seconds(20)) const;

  void start();

  /// True when the server ended within `patience`.
  bool stop(Stop how, std::chrono::seconds patience = std::chrono::seconds(30));

 private:
  void make_cluster(Identity identity) const;
  void init() const;
  std::vector<std::string> set_up_tls();
  pid_t spawn(const std::vector<std::string>& command, const std::string& log) const;
  void run_or_throw(const std::vector<std::string>& command) const;
  bool ready() const;
  bool ended();

  std::string programs_;  ///< folder of initdb and postgres
  std::string folder_;
  int tls_port_ = 0;
  pid_t server_ = 0;  ///< 0: it does not run
};

}  // namespace re_dms
