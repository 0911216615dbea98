// From source.url to the parameters libpq is given.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace re_dms {

/// What a connection is for: SQL, or the replication protocol (which takes simple SQL too).
enum class ConnectionPurpose { Sql, Replication };

/// libpq keyword to value.
using ConnectionParameters = std::map<std::string, std::string>;

/// Reads a postgresql:// URL or a key=value text and completes it: pinned output settings,
/// keepalives, application_name, TLS with a checked certificate unless the server is local. What
/// the URL says stands, except for the pinned settings, then what libpq's variables say. Throws
/// Usage; the text shows no password.
ConnectionParameters connection_parameters(const std::string& url, ConnectionPurpose purpose);

/// The environment variables that libpq reads, but for those that say where its files are.
std::vector<std::string> libpq_variables();

/// The parameters as libpq's functions take them: two arrays that end with a null. The parameters
/// outlive it.
class ParameterArrays {
 public:
  explicit ParameterArrays(const ConnectionParameters& parameters);

  const char* const* keywords() const { return keywords_.data(); }

  const char* const* values() const { return values_.data(); }

 private:
  std::vector<const char*> keywords_;
  std::vector<const char*> values_;
};

/// How long connecting may take in all: connect_timeout, for each host named.
std::chrono::seconds connect_patience(const ConnectionParameters& parameters);

}  // namespace re_dms
