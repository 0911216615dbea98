// Keys for AWS, and where they come from.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "aws/http_client.h"
#include "base/clock.h"

namespace re_dms {

/// Never printed or logged, but for `source`.
struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token{};          ///< empty for keys that do not expire
  std::optional<SystemTime> expires{};  ///< empty: nobody knows
  std::string source{};                 ///< "keys of profile \"etl\""
  bool fixed = false;                   ///< cannot change while the process runs

  bool same_keys(const Credentials& other) const {
    return access_key_id == other.access_key_id && session_token == other.session_token &&
           secret_access_key == other.secret_access_key;
  }
};

/// What sources of credentials look at. A seam. `http` and `clock` outlive them.
struct AwsContext {
  /// An environment variable; one that is empty counts as unset.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// A file's content; empty: there is none. Throws Error when it cannot be read.
  std::function<std::optional<std::string>(const std::string& path)> file;
  HttpClient& http;
  Clock& clock;
  std::string region{};   ///< for requests to AWS's services
  std::string profile{};  ///< the one that was asked for; empty: AWS_PROFILE, else "default"
};

/// The process's environment and the machine's files.
AwsContext process_context(HttpClient& http, Clock& clock);

/// What a source said.
struct SourceAnswer {
  std::optional<Credentials> credentials;
  std::string why_not;       ///< why there are none: it is not set up
  bool unreachable = false;  ///< nobody answered, which may change
};

class CredentialSource {
 public:
  virtual ~CredentialSource() = default;
  /// A few words: "environment".
  virtual std::string name() const = 0;
  /// Throws where it is set up but gives none: Transient when that may change by itself.
  virtual SourceAnswer ask(const std::stop_token& stop) = 0;
};

/// Asks the sources in order and keeps what the first one gives. From any thread.
class CredentialChain {
 public:
  CredentialChain(std::vector<std::unique_ptr<CredentialSource>> sources, Clock& clock);

  /// Credentials that are valid for a while. They are renewed well before they expire, by one
  /// thread at a time, while the others go on with the old ones; a renewal that fails is logged and
  /// tried again a minute later as long as the old ones are valid. Throws, with every source and
  /// its reason: Fatal where none is set up, else as the source does; Stopped.
  Credentials get(const std::stop_token& stop);

  /// A service refused these: the next get() asks the sources, unless somebody did already.
  void refused(const Credentials& credentials);

 private:
  Credentials ask_sources(bool had_some, const std::stop_token& stop);
  bool usable(SystemTime now) const;

  std::vector<std::unique_ptr<CredentialSource>> sources_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any renewed_;
  std::optional<Credentials> kept_;
  SystemTime renew_at_;  ///< when kept_ are to be renewed
  bool refused_ = false;
  bool renewing_ = false;
};

/// AWS's usual order: environment, web identity, profile, container, instance. Where
/// context.profile names a profile, that one alone.
std::unique_ptr<CredentialChain> open_credentials(const AwsContext& context);

/// AWS_REGION, AWS_DEFAULT_REGION or the profile's region; empty where none is set.
std::string configured_region(const AwsContext& context);

}  // namespace re_dms
