#include "source/synchronous_names.h"

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

namespace re_dms {

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// The names in the list; quoted ones without quotes.
std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> names(1);
  bool quoted = false;
  for (const char c : list) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      names.emplace_back();
    } else if (quoted || std::isspace(static_cast<unsigned char>(c)) == 0) {
      names.back() += c;
    }
  }
  return names;
}

}  // namespace

CommitWait commit_wait(std::string_view names, std::string_view application) {
  // "FIRST n (…)", "ANY n (…)" and "n (…)": only what stands in the parentheses are names.
  if (const std::size_t begin = names.find('('); begin != std::string_view::npos) {
    names = names.substr(begin + 1, names.rfind(')') - begin - 1);
  }
  const std::string own = lower(application);
  const std::vector<std::string> listed = split(names);
  const auto is_own = [&](const std::string& name) { return name == "*" || lower(name) == own; };
  if (names.empty() || std::none_of(listed.begin(), listed.end(), is_own)) {
    return CommitWait::Never;
  }
  return std::all_of(listed.begin(), listed.end(), is_own) ? CommitWait::Always
                                                           : CommitWait::Possibly;
}

}  // namespace re_dms
