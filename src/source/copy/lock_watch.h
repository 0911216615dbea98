// Sees whether somebody waits behind the sessions that copy, and makes these give way.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "model/origin.h"
#include "source/connection/connection.h"
#include "source/settings.h"

namespace re_dms {

/// A copy holds ACCESS SHARE on its table. An ALTER TABLE waits for that, and everybody else who
/// wants the table waits behind the ALTER. Belongs to a thread of its own.
class LockWatch {
 public:
  /// `processes`: the server's, of the sessions that copy.
  LockWatch(const SourceSettings& settings, const Origin& origin,
            const std::vector<int>& processes);

  /// Until stop is requested: a session behind which somebody has waited for ACCESS EXCLUSIVE for
  /// `patience` loses its statement, and a moment later its connection, if that did not help (the
  /// server does not see the first while it waits for us to take rows). With that, `stuck` is
  /// called: a server that stands in sending an error obeys neither before we take what it sends.
  /// Throws what a lost connection throws.
  void run(std::chrono::milliseconds patience, const std::function<void()>& stuck,
           const std::stop_token& stop);

 private:
  void look(std::chrono::milliseconds patience, const std::function<void()>& stuck);

  Connection connection_;
  std::map<int, std::string> began_;  ///< when each process began: its number may be given again
  std::map<int, int> asked_;          ///< how often a process was asked in a row
};

}  // namespace re_dms
