// Whether PostgreSQL's commits wait for a replication connection of ours.
#pragma once

#include <string>
#include <string_view>

#include "source/connection/connection.h"

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

/// What the server says of it.
struct SynchronousNames {
  std::string names;  ///< synchronous_standby_names
  CommitWait wait = CommitWait::Never;
};

SynchronousNames read_synchronous_names(Connection& plain);

/// What a person has to change when commits wait, or may wait, for us.
std::string commit_wait_advice();

/// Throws Refused where the source's commits wait for us: by synchronous_standby_names, or because
/// the server counts the stream that reads `slot` among its synchronous standbys at present (that
/// shows to roles with pg_read_all_stats only). The wait would be for ever: a transaction that
/// waits is not visible yet, and catalog questions need it visible before it is confirmed. Returns
/// Never or Possibly.
SynchronousNames require_commits_do_not_wait(Connection& plain, const std::string& slot);

}  // namespace re_dms
