// Which tables that match include are nevertheless not replicated, and why.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "source/catalog/candidates.h"
#include "source/setup/setup_result.h"

namespace re_dms {

/// In the order of the candidates. `published`: what the publication named publishes now.
std::vector<LeftOut> find_left_out(const std::vector<CandidateTable>& candidates,
                                   const std::unordered_set<Oid>& published,
                                   const std::string& publication);

/// Why a table that can be replicated is not.
std::string not_published_reason(const std::string& publication);

}  // namespace re_dms
