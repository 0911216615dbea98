#include "stage/s3_address.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "aws/sts.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::string_view kS3Scheme = "s3://";
// What other stores than Amazon's are signed for where nobody says otherwise.
constexpr const char* kUsualRegion = "us-east-1";

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '-' || c == '_';
         });
}

/// A name that can stand before the host's: one label, so that a certificate for all buckets fits.
bool is_host_label(std::string_view name) {
  return name.size() <= 63 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_number_address(std::string_view host) {
  return host.starts_with('[') || host.find_first_not_of("0123456789.:") == host.npos;
}

/// The parts of "arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME"; empty when it is another one.
std::vector<std::string> access_point_parts(std::string_view arn) {
  std::vector<std::string> parts;
  while (parts.size() < 5) {
    const std::size_t colon = arn.find(':');
    if (colon == arn.npos) {
      return {};
    }
    parts.emplace_back(arn.substr(0, colon));
    arn.remove_prefix(colon + 1);
  }
  constexpr std::string_view kKind = "accesspoint";
  if (parts[0] != "arn" || parts[2] != "s3" || parts[3].empty() || parts[4].empty() ||
      !arn.starts_with(kKind) || arn.size() <= kKind.size() + 1 ||
      (arn[kKind.size()] != '/' && arn[kKind.size()] != ':')) {
    return {};
  }
  parts.emplace_back(arn.substr(kKind.size() + 1));
  return parts;
}

std::string partition_of(const std::string& region) {
  if (region.starts_with("cn-")) {
    return "aws-cn";
  }
  return region.starts_with("us-gov-") ? "aws-us-gov" : "aws";
}

S3Address access_point_address(const S3Location& location) {
  const std::vector<std::string> parts = access_point_parts(location.bucket);
  RE_DMS_CHECK(parts.size() == 6);
  S3Address address;
  address.region = parts[3];
  address.origin = fmt::format("https://{}-{}.s3-accesspoint.{}.{}", parts[5], parts[4], parts[3],
                               domain_of_region(parts[3]));
  address.arn = location.bucket;
  address.key_arn = location.bucket + "/object";
  return address;
}

S3Address bucket_address(const S3Settings& settings, const S3Location& location,
                         const std::string& region) {
  S3Address address;
  address.region = region.empty() && !settings.endpoint.empty() ? kUsualRegion : region;
  if (address.region.empty()) {
    throw Error(ErrorKind::Usage, "stage.region is missing: nothing says where the bucket is",
                "Set stage.region = \"eu-west-1\" (the bucket's), or AWS_REGION");
  }
  std::string endpoint = settings.endpoint;
  if (endpoint.empty()) {
    endpoint = fmt::format("https://s3.{}.{}", address.region, domain_of_region(address.region));
  }
  while (endpoint.ends_with('/')) {
    endpoint.pop_back();
  }
  const std::size_t host = endpoint.find("://") + 3;
  if (settings.path_style || !is_host_label(location.bucket) ||
      is_number_address(std::string_view(endpoint).substr(host))) {
    address.origin = endpoint;
    address.bucket_path = "/" + location.bucket;
  } else {
    address.origin = endpoint.substr(0, host) + location.bucket + "." + endpoint.substr(host);
  }
  address.arn = fmt::format("arn:{}:s3:::{}", partition_of(address.region), location.bucket);
  address.key_arn = address.arn;
  return address;
}

}  // namespace

std::optional<S3Location> parse_s3_url(std::string_view url) {
  if (!url.starts_with(kS3Scheme) || url.find_first_of("?#") != url.npos) {
    return std::nullopt;
  }
  url.remove_prefix(kS3Scheme.size());
  std::size_t end = url.find('/');
  if (url.starts_with("arn:") && url.substr(0, end).ends_with(":accesspoint") && end != url.npos) {
    end = url.find('/', end + 1);  // that slash is the ARN's own
  }
  S3Location location;
  location.bucket = url.substr(0, end);
  location.prefix = end == url.npos ? "" : url.substr(end + 1);
  while (location.prefix.ends_with('/')) {
    location.prefix.pop_back();
  }
  if (location.is_access_point() ? access_point_parts(location.bucket).empty()
                                 : !is_bucket_name(location.bucket)) {
    return std::nullopt;
  }
  const std::string parts = "/" + location.prefix + "/";
  if (!location.prefix.empty() &&
      (parts.find("//") != parts.npos || parts.find("/./") != parts.npos ||
       parts.find("/../") != parts.npos)) {
    return std::nullopt;
  }
  return location;
}

S3Address s3_address(const S3Settings& settings, const std::string& region) {
  const auto location = parse_s3_url(settings.url);
  RE_DMS_CHECK(location);
  S3Address address = location->is_access_point() ? access_point_address(*location)
                                                  : bucket_address(settings, *location, region);
  address.key_arn += location->prefix.empty() ? "/*" : fmt::format("/{}/*", location->prefix);
  if (!location->prefix.empty()) {
    address.prefix = location->prefix + "/";
  }
  return address;
}

}  // namespace re_dms
