// The demo's folder: what lies where, and which of it may be removed. A demo starts from nothing
// and removes for that what an earlier demo made there, and nothing else.
#pragma once

#include <memory>
#include <string>

#include "base/file_system.h"

namespace re_dms::demo {

/// Held by one demo at a time. All paths are absolute.
class Workspace {
 public:
  /// Makes the folder, or empties it of an earlier demo's files. Throws Usage when the folder holds
  /// files of these names that no demo made, Fatal when another demo runs in it.
  explicit Workspace(const std::string& directory);

  std::string postgres() const { return path("postgres"); }

  std::string postgres_log() const { return path("postgres.log"); }

  std::string traffic_log() const { return path("pgbench.log"); }

  std::string journal() const { return path("journal"); }

  std::string config() const { return path("re_dms.toml"); }

  std::string daemon_log() const { return path("re_dms.log"); }

  std::string warehouse() const { return path("warehouse.duckdb"); }

  const std::string& directory() const { return directory_; }

  /// Makes a folder below /tmp that belongs to this demo: it goes with the rest, also when this
  /// demo dies and the next one cleans up.
  std::string make_folder_elsewhere();

  /// Removes everything but the warehouse, the logs and the configuration.
  void remove_intermediate();

 private:
  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  void empty();

  std::string directory_;
  std::string elsewhere_;  ///< a folder below /tmp; empty: none
  std::unique_ptr<DirectoryLock> lock_;
};

}  // namespace re_dms::demo
