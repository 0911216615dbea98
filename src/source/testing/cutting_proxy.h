// Stands between libpq and a PostgreSQL and cuts replication streams off at a byte.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace re_dms {

/// Listens on a Unix socket in a folder of its own. Connections and listening end with it.
class CuttingProxy {
 public:
  /// `server` is the server's socket: "/tmp/x/.s.PGSQL.5432". Throws std::runtime_error.
  explicit CuttingProxy(std::string server);
  ~CuttingProxy();
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  /// libpq's host.
  const std::string& folder() const { return folder_; }

  /// Of what the server sends in COPY mode on a connection made from now on, so many bytes are
  /// handed on; it ends after let_go(). Empty: all of them are, and it does not end.
  void cut_after(std::optional<std::uint64_t> bytes);

  /// The client reads now: what is cut, or will be, ends for it a moment later, in which it may
  /// look at what it got. Holds until the next cut_after().
  void let_go();

 private:
  void listen(const std::stop_token& stop);
  void serve(int client, const std::stop_token& stop) const;
  void end_cut(int server, const std::stop_token& stop) const;

  std::string server_;
  std::string folder_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::optional<std::uint64_t> cut_after_;
  std::atomic<bool> let_go_ = false;
  std::list<std::jthread> connections_;  ///< the listening thread's
  std::jthread thread_;
};

}  // namespace re_dms
