// Whether PostgreSQL's commits would wait for a replication connection of a certain name.
#pragma once

#include <string_view>

namespace re_dms {

enum class CommitWait {
  Never,     ///< commits do not wait for us
  Possibly,  ///< they may, when other standbys are away
  Always,    ///< they wait for us alone
};

/// `names` is synchronous_standby_names ("a, b", "FIRST 2 (a, b)", "ANY 1 (*)"), `application` our
/// application_name; they are compared without regard to case, and "*" is every name (PostgreSQL
/// 15, runtime-config-replication).
CommitWait commit_wait(std::string_view names, std::string_view application);

}  // namespace re_dms
