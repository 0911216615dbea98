#include "aws/credential_json.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace re_dms {

namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Credentials credentials_of_json(const std::string& text, const char* token_name) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_object()) {
    Credentials credentials{text_of(json, "AccessKeyId"), text_of(json, "SecretAccessKey"),
                            text_of(json, token_name)};
    const std::string expires = text_of(json, "Expiration");
    credentials.expires = time_of_text(expires);
    if (!credentials.access_key_id.empty() && !credentials.secret_access_key.empty() &&
        (expires.empty() || credentials.expires)) {
      return credentials;
    }
  }
  throw Error(ErrorKind::Transient,
              "its answer is not JSON with AccessKeyId, SecretAccessKey and a valid Expiration");
}

std::optional<SystemTime> time_of_text(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int read = 0;
  if (std::sscanf(text.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &read) != 6) {
    return std::nullopt;
  }
  auto at = static_cast<std::size_t>(read);
  if (at < text.size() && text[at] == '.') {
    at = std::min(text.find_first_not_of("0123456789", at + 1), text.size());
  }
  const std::string zone = text.substr(at);
  int offset_minutes = 0;
  if (zone != "Z" && zone != "UTC") {
    int hours = 0;
    int minutes = 0;
    if (std::sscanf(zone.c_str(), "%3d:%2d", &hours, &minutes) != 2) {
      return std::nullopt;
    }
    offset_minutes = hours * 60 + (zone.starts_with('-') ? -minutes : minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) +
         std::chrono::minutes(minute - offset_minutes) + std::chrono::seconds(second);
}

}  // namespace re_dms
