// ~/.aws/config and ~/.aws/credentials, as AWS's own programs read them.
#pragma once

#include <map>
#include <string>

#include "aws/credentials.h"

namespace re_dms {

/// Where they are: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else in ~/.aws.
std::string config_path(const AwsContext& context);
std::string credentials_path(const AwsContext& context);

/// The profile that was asked for: context.profile, AWS_PROFILE or "default".
std::string profile_name(const AwsContext& context);

/// Both files as they were when it was made. A file that is not there has nothing.
class SharedFiles {
 public:
  explicit SharedFiles(const AwsContext& context);

  bool has_profile(const std::string& profile) const { return profiles_.contains(profile); }

  /// A setting of a profile, the credentials file's before the other's; empty: not set.
  std::string value(const std::string& profile, const std::string& key) const;

  /// A setting of an [sso-session …] section.
  std::string session_value(const std::string& session, const std::string& key) const;

 private:
  using Section = std::map<std::string, std::string>;

  void read(const std::string& text, bool config_file);

  std::map<std::string, Section> profiles_;
  std::map<std::string, Section> sessions_;
};

}  // namespace re_dms
