// A PostgreSQL for one test: its own cluster in a temporary folder, a Unix socket, no TCP.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace re_dms {

/// Started by the constructor with wal_level = logical, fsync off and trust for everybody except:
/// role `needs_password` (scram) and role `rejected` (refused). Superuser is `postgres`. Runs as
/// user postgres when the test runs as root. Ended and removed by the destructor. Throws
/// std::runtime_error where something outside fails.
class ThrowawayPostgres {
 public:
  enum class Stop { Smart, Fast, Immediate };

  /// `settings` go into postgresql.conf: "max_wal_senders = 2".
  explicit ThrowawayPostgres(const std::vector<std::string>& settings = {});
  ~ThrowawayPostgres();
  ThrowawayPostgres(const ThrowawayPostgres&) = delete;
  ThrowawayPostgres& operator=(const ThrowawayPostgres&) = delete;

  /// postgresql:// URL for libpq.
  std::string url(std::string_view user = "postgres", std::string_view database = "postgres") const;

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
  std::string run(const std::vector<std::string>& command, int& status) const;
  void run_or_throw(const std::vector<std::string>& command) const;

  std::string programs_;  ///< folder of initdb and pg_ctl
  std::string folder_;
  bool running_ = false;
};

}  // namespace re_dms
