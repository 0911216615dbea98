// Who is told of the statements that an engine runs.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "base/clock.h"

namespace re_dms {

/// Each is called on the thread that runs the statement, lanes' too; empty: nobody is told.
struct StatementWatch {
  std::function<void(std::string_view)> begins{};  ///< before the engine sees it
  /// However it ended, after so long.
  std::function<void(std::string_view, std::chrono::microseconds)> ended{};
};

/// Tells of one statement while it lives. What it is given must outlive it.
class WatchedStatement {
 public:
  WatchedStatement(const StatementWatch& watch, std::string_view statement)
      : watch_(watch), statement_(statement), began_(real_clock().steady()) {
    if (watch_.begins) {
      watch_.begins(statement_);
    }
  }

  ~WatchedStatement() {
    if (watch_.ended) {
      watch_.ended(statement_, std::chrono::duration_cast<std::chrono::microseconds>(
                                   real_clock().steady() - began_));
    }
  }

  WatchedStatement(const WatchedStatement&) = delete;
  WatchedStatement& operator=(const WatchedStatement&) = delete;

 private:
  const StatementWatch& watch_;
  const std::string_view statement_;
  const SteadyTime began_;
};

}  // namespace re_dms
