// One plain libpq connection of the demo. It shares nothing with the daemon's source stage, so that
// the comparison at the end does not lean on what it is to judge.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace re_dms::demo {

using TextRow = std::vector<std::optional<std::string>>;

/// Belongs to the thread that uses it.
class SqlSession {
 public:
  /// Connects; throws Fatal.
  explicit SqlSession(const std::string& url);

  /// Runs one statement, or several without parameters in one text. Throws Fatal with the server's
  /// message.
  std::vector<TextRow> query(const std::string& sql);

  /// The first value of the first row; empty text for NULL and for no row.
  std::string value(const std::string& sql);

  std::uint64_t number(const std::string& sql);

  /// As query, but false when the server ended the transaction to let another one pass (SQLSTATE
  /// class 40: deadlock, serialization); it is rolled back then.
  [[nodiscard]] bool try_transaction(const std::string& sql);

 private:
  using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

  Result run(const std::string& sql);
  [[noreturn]] void fail(const std::string& sql);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace re_dms::demo
