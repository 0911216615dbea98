// A real S3 server of a test's own: tests/lib/radosgw.py.
#pragma once

#include <string>
#include <vector>

#include "aws/credentials.h"

namespace re_dms {

/// Runs, with all it has stored in memory, until it is destroyed; in any case no longer than this
/// process.
class ThrowawayRadosgw {
 public:
  /// `settings` are lines of radosgw's: "rgw max concurrent requests = 2". Throws
  /// std::runtime_error when it does not start.
  explicit ThrowawayRadosgw(const std::vector<std::string>& settings = {});
  ~ThrowawayRadosgw();
  ThrowawayRadosgw(const ThrowawayRadosgw&) = delete;
  ThrowawayRadosgw& operator=(const ThrowawayRadosgw&) = delete;

  /// By the address in numbers, by name, and by name with TLS.
  std::string endpoint;
  std::string named_endpoint;
  std::string tls_endpoint;
  std::string ca_file;
  std::string kms_key_id;
  Credentials owner;
  Credentials stranger;

  /// Sends the server a signal: SIGKILL, SIGSTOP.
  void signal(int number) const;
  /// Starts a server that was killed; it has what was stored.
  void restart();

 private:
  void read_facts();

  std::string folder_;
  int process_ = -1;
  int server_ = -1;
  int to_ = -1;    ///< its standard input
  int from_ = -1;  ///< its standard output
};

}  // namespace re_dms
