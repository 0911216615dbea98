// Where the objects of an s3:// stage are: what people write, and the host and path that follow.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace re_dms {

struct S3Settings {
  std::string url;          ///< "s3://bucket/prefix", as parse_s3_url takes it
  std::string region;       ///< empty: the environment's, the profile's or the access point's
  std::string endpoint;     ///< "https://host:port" of another store than Amazon's; empty: Amazon's
  bool path_style = false;  ///< the bucket's name in the path, not before the host's name
  std::string profile;      ///< of AWS's shared files; empty: whatever credentials are found
  std::string sse;          ///< "AES256", "aws:kms" or empty: the bucket's own default
  std::string kms_key_id;   ///< with "aws:kms"; empty: the account's key for S3
  std::string ca_file;      ///< PEM; empty: the system's authorities
  std::string proxy;        ///< URL; empty: as the environment says
};

/// What an s3:// URL names. The bucket may be the alias or the ARN of an access point.
struct S3Location {
  std::string bucket;
  std::string prefix;  ///< neither begins nor ends with '/'; may be empty

  bool is_access_point() const { return bucket.starts_with("arn:"); }
};

/// "s3://bucket", "s3://bucket/prefix", "s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/prefix";
/// empty when it is none of them.
std::optional<S3Location> parse_s3_url(std::string_view url);

/// Where requests go.
struct S3Address {
  std::string origin;       ///< "https://bucket.s3.eu-west-1.amazonaws.com"
  std::string bucket_path;  ///< "/bucket", or empty where the origin names it
  std::string prefix;       ///< what all keys begin with, not escaped: "a/b/", or empty
  std::string region;       ///< requests are signed for it
  std::string arn;          ///< of the bucket or access point, for IAM statements
  std::string key_arn;      ///< of the objects below the prefix

  bool operator==(const S3Address&) const = default;
};

/// `region` is what settings.region or the surroundings say; empty: none. Throws Usage where one is
/// needed.
S3Address s3_address(const S3Settings& settings, const std::string& region);

}  // namespace re_dms
