#include "pipeline/statement_kind.h"

#include <cstddef>

namespace re_dms {

std::string_view statement_kind(std::string_view statement) {
  constexpr std::size_t kLooked = 4096;  // some hold thousands of values behind their beginning
  const auto begins = [statement](std::string_view word) { return statement.starts_with(word); };
  if (begins("COPY") || statement.substr(0, kLooked).find("read_csv(") != std::string_view::npos) {
    return "copy";
  }
  if (begins("COMMIT")) {
    return "commit";
  }
  if (begins("LOCK")) {
    return "lock";
  }
  const bool merges = begins("INSERT") || begins("UPDATE") || begins("DELETE") || begins("MERGE") ||
                      begins("TRUNCATE");
  return merges ? "merge" : "other";
}

}  // namespace re_dms
