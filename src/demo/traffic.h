// The application of the demo: sessions of their own that change documents in small transactions
// while pgbench keeps its own tables busy.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace re_dms::demo {

/// Started and stopped by the main thread. The destructor stops it.
class DocumentTraffic {
 public:
  /// Opens the sessions on this server.
  void start(const std::string& url);

  /// Adds the column in a session of its own, while the traffic goes on; the sessions use it from
  /// then on.
  void add_column();

  /// Creates the table orders, with rows; the sessions use it from then on.
  void add_table();

  /// Throws what went wrong in a session.
  void check();

  /// Lets the transactions under way end. Throws what went wrong in a session.
  void stop();

  std::uint64_t committed() const { return committed_; }

  std::uint64_t rolled_back() const { return rolled_back_; }

 private:
  void run(const std::stop_token& stop, std::uint64_t seed);
  void change_documents(const std::stop_token& stop, std::uint64_t seed);

  std::string url_;
  std::atomic<bool> has_priority_ = false;
  std::atomic<bool> has_orders_ = false;
  std::atomic<std::uint64_t> committed_ = 0;
  std::atomic<std::uint64_t> rolled_back_ = 0;
  std::mutex failure_mutex_;
  std::exception_ptr failure_;
  std::vector<std::jthread> sessions_;  ///< last: joined before the rest goes
};

}  // namespace re_dms::demo
