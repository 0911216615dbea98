#include "telemetry/scrub.h"

#include <array>
#include <regex>

namespace re_dms {

namespace {

struct Rule {
  std::regex found;
  const char* left;  ///< what stays of it
};

/// libstdc++'s regex recurses once a character; what is longer is cut.
constexpr std::size_t kScrubbedBytesMax = 4096;
/// What ends a secret or a value. A text that is cut inside of one gets them behind it, so that the
/// rules find what is left of it whole.
constexpr std::string_view kEnds = "'\"@)";
constexpr std::string_view kCutMark = " [cut]";
constexpr std::size_t kSecretBytesMin = 4;

const std::vector<Rule>& secret_rules() {
  static const auto kFlags = std::regex::ECMAScript | std::regex::icase | std::regex::optimize;
  static const std::vector<Rule> kRules = {
      {std::regex("(://[^/\\s:@]*:)[^/\\s@]*@", kFlags), "$1[secret]@"},
      {std::regex("\\b(Bearer|Basic)\\s+[A-Za-z0-9+/._=-]+", kFlags), "$1 [secret]"},
      {std::regex("\\b((?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|signature|"
                  "credential|sentry_key|authorization)[\"']?\\s*[=:]\\s*)"
                  "(?:\"[^\"]*\"|'[^']*'|[^\\s,;&]+)",
                  kFlags),
       "$1[secret]"},
      {std::regex("\\b(?:AKIA|ASIA)[0-9A-Z]{12,}\\b", std::regex::ECMAScript), "[secret]"},
  };
  return kRules;
}

const std::vector<Rule>& value_rules() {
  static const auto kFlags = std::regex::ECMAScript | std::regex::optimize;
  static const std::vector<Rule> kRules = {
      {std::regex("(\\bKey \\([^)]*\\)=)\\([^)]*\\)", kFlags), "$1([value])"},
      {std::regex("(\\b[Ff]ailing row contains )\\(.*\\)", kFlags), "$1([value])"},
      {std::regex("((?:syntax for type|out of range for type|value for domain|input value for)"
                  "[^:\"]*[:\"]\\s*)\"?[^\"]*\"?",
                  kFlags),
       "$1[value]"},
      {std::regex("(\\bvalue )\"[^\"]*\"", kFlags), "$1[value]"},
      {std::regex("'[^']*'", kFlags), "'[value]'"},
  };
  return kRules;
}

void replace_all(std::string& text, const std::string& what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos;
       at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::string scrub(std::string_view text, const ScrubRules& rules) {
  std::string made(text);
  for (const std::string& secret : rules.secrets) {
    if (secret.size() >= kSecretBytesMin) {
      replace_all(made, secret, "[secret]");
    }
  }
  const bool is_cut = made.size() > kScrubbedBytesMax;
  if (is_cut) {
    made.resize(kScrubbedBytesMax);
    made += kEnds;
  }
  for (const Rule& rule : secret_rules()) {
    made = std::regex_replace(made, rule.found, rule.left);
  }
  if (!rules.values) {
    for (const Rule& rule : value_rules()) {
      made = std::regex_replace(made, rule.found, rule.left);
    }
  }
  if (is_cut) {
    made.erase(made.find_last_not_of(kEnds) + 1);
    made += kCutMark;
  }
  return made;
}

}  // namespace re_dms
