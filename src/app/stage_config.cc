#include "app/stage_config.h"

#include <fmt/format.h>

#include <algorithm>

namespace re_dms {

namespace {

bool is_origin(std::string_view url) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (url.starts_with(scheme)) {
      url.remove_prefix(scheme.size());
      return !url.empty() && url.find_first_of("/?#@ ") == std::string_view::npos;
    }
  }
  return false;
}

bool is_region(std::string_view name) {
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

void check_encryption(ConfigReader& reader, const S3Settings& s3) {
  if (!s3.sse.empty() && s3.sse != "AES256" && s3.sse != "aws:kms") {
    reader.refuse("stage.sse", R"("AES256", "aws:kms" or "" (the bucket's default))");
  } else if (!s3.kms_key_id.empty() && s3.sse != "aws:kms") {
    reader.fault("stage.kms_key_id", "counts with stage.sse = \"aws:kms\" only");
  }
}

}  // namespace

std::optional<S3Settings> read_s3(ConfigReader& reader, const std::string& url,
                                  const std::filesystem::path& folder) {
  S3Settings s3;
  s3.url = url;
  const bool wanted = url.starts_with("s3:");
  const auto take_text = [&](std::string_view name, std::string& to, Secrecy secrecy) {
    const std::string key = fmt::format("stage.{}", name);
    if (const auto given = reader.text(key, secrecy)) {
      to = *given;
      if (!wanted) {
        reader.fault(key, "counts for an s3:// stage only");
      }
    }
  };
  take_text("region", s3.region, Secrecy::Shown);
  take_text("endpoint", s3.endpoint, Secrecy::Shown);
  take_text("profile", s3.profile, Secrecy::Shown);
  take_text("sse", s3.sse, Secrecy::Shown);
  take_text("kms_key_id", s3.kms_key_id, Secrecy::Shown);
  take_text("ca_file", s3.ca_file, Secrecy::Shown);
  take_text("proxy", s3.proxy, Secrecy::Secret);
  s3.path_style = reader.flag("stage.path_style").value_or(s3.path_style);
  if (!wanted) {
    return std::nullopt;
  }
  const auto location = parse_s3_url(url);
  if (!location) {
    reader.refuse("stage.url",
                  "s3://bucket/prefix, with the name of a bucket or the alias or ARN of an access "
                  "point");
    return std::nullopt;
  }
  if (!is_region(s3.region)) {
    reader.refuse("stage.region", "a region such as \"eu-west-1\"");
  }
  if (!s3.endpoint.empty() && !is_origin(s3.endpoint)) {
    reader.refuse("stage.endpoint", "https://host or https://host:port, without a path");
  } else if (!s3.endpoint.empty() && location->is_access_point()) {
    reader.fault("stage.endpoint", "goes with the name of a bucket, not with an ARN in stage.url");
  }
  check_encryption(reader, s3);
  if (!s3.ca_file.empty()) {
    s3.ca_file = (folder / s3.ca_file).lexically_normal();
  }
  return s3;
}

}  // namespace re_dms
