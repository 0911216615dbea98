// The throwaway PostgreSQL: a cluster of its own in a folder of its own, reached through a Unix
// socket in that folder only. Started by root it runs as another user, which is what PostgreSQL
// asks for.
#pragma once

#include <optional>
#include <string>

#include "demo/child_process.h"
#include "demo/stop_signals.h"
#include "demo/workspace.h"

namespace re_dms::demo {

/// The programs of one installed PostgreSQL.
struct PostgresPrograms {
  std::string folder;  ///< with postgres, initdb and pgbench in it
  int version = 0;     ///< 15
};

/// The newest that is installed; throws Fatal with what to install when there is none from 15 on.
PostgresPrograms find_postgres();

/// Belongs to the main thread; the collaborators outlive it. The destructor stops the server.
class PostgresServer {
 public:
  PostgresServer(PostgresPrograms programs, Workspace& workspace, StopSignals& signals);
  ~PostgresServer();
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  /// Makes the cluster and waits until it takes connections. Throws Fatal with the server's words.
  void start();

  /// Waits for its end; not an error when it does not run.
  void stop();

  /// For libpq and for the configuration of the daemon.
  std::string url() const;

  /// Where cluster and socket are: the workspace's postgres, or a folder below /tmp where the
  /// server's user could not reach that.
  const std::string& folder() const { return folder_; }

  /// What a person types to start it again.
  std::string start_command() const;

  const PostgresPrograms& programs() const { return programs_; }

  /// The name of the other user it runs as; empty: us.
  const std::string& user() const { return user_; }

 private:
  void choose_folder();
  bool usable(const std::string& folder);
  void make_cluster();
  void wait_until_ready();
  int run_as_owner(std::vector<std::string> command, const std::string& directory);

  PostgresPrograms programs_;
  Workspace& workspace_;
  StopSignals& signals_;
  std::optional<Account> account_;
  std::string user_;
  std::string folder_;
  ChildProcess process_;
};

}  // namespace re_dms::demo
