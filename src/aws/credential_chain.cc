#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "aws/credential_sources.h"
#include "aws/shared_files.h"
#include "base/error.h"

namespace re_dms {

namespace {

std::optional<std::string> content_if_there(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) {
    return std::nullopt;
  }
  std::ifstream in(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad() || !in.is_open()) {
    throw Error(ErrorKind::Fatal, "cannot read " + path,
                "Give the user that runs re_dms the right to read it");
  }
  return content;
}

}  // namespace

AwsContext process_context(HttpClient& http, Clock& clock) {
  return {[](const std::string& name) -> std::optional<std::string> {
            const char* const value = std::getenv(name.c_str());
            return value == nullptr || *value == '\0' ? std::nullopt : std::optional(value);
          },
          content_if_there, http, clock};
}

std::unique_ptr<CredentialChain> open_credentials(const AwsContext& context) {
  std::vector<std::unique_ptr<CredentialSource>> sources;
  if (context.profile.empty()) {
    sources.push_back(environment_source(context));
    sources.push_back(web_identity_source(context));
  }
  sources.push_back(profile_source(context));
  if (context.profile.empty()) {
    sources.push_back(container_source(context));
    sources.push_back(instance_source(context));
  }
  return std::make_unique<CredentialChain>(std::move(sources), context.clock);
}

std::string configured_region(const AwsContext& context) {
  if (context.profile.empty()) {
    for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
      if (const auto region = context.variable(name)) {
        return *region;
      }
    }
  }
  return SharedFiles(context).value(profile_name(context), "region");
}

}  // namespace re_dms
