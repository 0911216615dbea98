#include "aws/shared_files.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace re_dms {

namespace {

std::string_view without_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

/// A name may stand in quotes: [profile "my etl"].
std::string_view without_quotes(std::string_view text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  return quoted ? text.substr(1, text.size() - 2) : text;
}

/// What follows "WORD " in `text`, or nothing.
std::string_view after_word(std::string_view text, std::string_view word) {
  if (!text.starts_with(word) || text.size() == word.size() ||
      (text[word.size()] != ' ' && text[word.size()] != '\t')) {
    return {};
  }
  return without_quotes(without_spaces(text.substr(word.size())));
}

std::string home_of(const AwsContext& context) {
  return context.variable("HOME").value_or("");
}

std::string value_in(const std::map<std::string, std::map<std::string, std::string>>& sections,
                     const std::string& section, const std::string& key) {
  const auto found = sections.find(section);
  if (found == sections.end()) {
    return {};
  }
  const auto value = found->second.find(key);
  return value == found->second.end() ? std::string() : value->second;
}

}  // namespace

std::string config_path(const AwsContext& context) {
  return context.variable("AWS_CONFIG_FILE").value_or(home_of(context) + "/.aws/config");
}

std::string credentials_path(const AwsContext& context) {
  return context.variable("AWS_SHARED_CREDENTIALS_FILE")
      .value_or(home_of(context) + "/.aws/credentials");
}

std::string profile_name(const AwsContext& context) {
  return context.profile.empty() ? context.variable("AWS_PROFILE").value_or("default")
                                 : context.profile;
}

SharedFiles::SharedFiles(const AwsContext& context) {
  if (const auto text = context.file(config_path(context))) {
    read(*text, true);
  }
  if (const auto text = context.file(credentials_path(context))) {
    read(*text, false);
  }
}

std::string SharedFiles::value(const std::string& profile, const std::string& key) const {
  return value_in(profiles_, profile, key);
}

std::string SharedFiles::session_value(const std::string& session, const std::string& key) const {
  return value_in(sessions_, session, key);
}

void SharedFiles::read(const std::string& text, bool config_file) {
  Section* section = nullptr;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view whole = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::string_view line = without_spaces(whole);
    // What is indented belongs to a setting of its own, such as "s3 =", of which none is read here.
    if (line.empty() || line.front() == '#' || line.front() == ';' || whole.front() == ' ' ||
        whole.front() == '\t') {
      continue;
    }
    if (line.front() == '[') {
      const std::string_view name = without_spaces(line.substr(1, line.find(']') - 1));
      const std::string_view profile = after_word(name, "profile");
      const std::string_view session = after_word(name, "sso-session");
      section = nullptr;
      if (config_file && !session.empty()) {
        section = &sessions_[std::string(session)];
      } else if (config_file && !profile.empty()) {
        section = &profiles_[std::string(profile)];
      } else if (!config_file || name == "default") {
        section = &profiles_[std::string(without_quotes(name))];
      }
      continue;
    }
    const std::size_t equals = line.find('=');
    if (section == nullptr || equals == line.npos) {
      continue;
    }
    std::string_view value = line.substr(equals + 1);
    value = value.substr(0, std::min(value.find(" #"), value.find(" ;")));
    std::string key(without_spaces(line.substr(0, equals)));
    std::ranges::transform(key, key.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    (*section)[key] = without_spaces(value);
  }
}

}  // namespace re_dms
