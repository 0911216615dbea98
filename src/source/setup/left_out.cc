#include "source/setup/left_out.h"

#include <fmt/format.h>

#include "source/connection/sql_text.h"

namespace re_dms {

std::string not_published_reason(const std::string& publication) {
  return fmt::format("it is not in the publication {}", quote_identifier(publication));
}

std::vector<LeftOut> find_left_out(const std::vector<CandidateTable>& candidates,
                                   const std::unordered_set<Oid>& published,
                                   const std::string& publication) {
  std::vector<LeftOut> left_out;
  for (const CandidateTable& table : candidates) {
    if (!table.problem.empty()) {
      left_out.push_back({table.name, table.problem});
    } else if (!published.contains(table.oid)) {
      left_out.push_back({table.name, not_published_reason(publication), true});
    }
  }
  return left_out;
}

}  // namespace re_dms
