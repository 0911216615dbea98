// Takes out of a text what must not leave the machine: secrets always, row values and keys unless
// somebody allowed that.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace re_dms {

struct ScrubRules {
  std::vector<std::string> secrets;  ///< of the configuration; each goes wherever it stands
  bool values = false;               ///< values of rows may stay
};

/// `text` with "[secret]" for secrets: those of the rules, passwords in URLs, values behind words
/// such as password= and token:, AWS's keys, headers with credentials. Unless the rules allow
/// values, "[value]" stands for what databases quote of rows: text in single quotes, "Key (…)=(…)",
/// "Failing row contains (…)", and what follows "syntax for type …:" and the like. A long text is
/// cut, and nothing is left of a secret or value that the cut goes through.
std::string scrub(std::string_view text, const ScrubRules& rules);

}  // namespace re_dms
