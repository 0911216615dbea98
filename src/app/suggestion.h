// "Did you mean …?" for misspelt keys and commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace re_dms {

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
std::size_t edit_distance(std::string_view from, std::string_view to);

/// The known word a person most likely meant; empty when none is close. Words may be dotted: a word
/// with the right last part under the wrong first part counts as close.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace re_dms
