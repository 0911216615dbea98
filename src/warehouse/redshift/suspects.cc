#include "warehouse/redshift/suspects.h"

#include <algorithm>
#include <iterator>

namespace re_dms::redshift {

namespace {

constexpr int kTriesBeside = 3;
constexpr int kTriesAlone = 3;

}  // namespace

std::optional<Failing> failing(const BatchLoad& load, const StatementFailed& error) {
  const StagedLayer* const layer = load.at_work();
  return layer == nullptr ? std::nullopt
                          : std::optional(Failing{layer->table->oid, layer->table->name,
                                                  error.what(), error.statement()});
}

/// A table stays a suspect until the batch is loaded.
Suspects::Tries& Suspects::tries(const Failing& table, SteadyTime now) {
  Tries& tries = tries_[table.table];
  if (tries.statement != table.statement) {
    tries.statement = table.statement;
    tries.since = now;
    tries.beside = tries.beside >= kTriesBeside ? tries.beside : 0;
    tries.alone = 0;
  }
  return tries;
}

std::vector<Oid> Suspects::among(const std::vector<Oid>& tables) const {
  std::vector<Oid> suspects;
  std::ranges::copy_if(tables, std::back_inserter(suspects), [this](Oid table) {
    const auto tries = tries_.find(table);
    return tries != tries_.end() && tries->second.beside >= kTriesBeside;
  });
  std::ranges::stable_sort(suspects, {}, [this](Oid table) { return tries_.at(table).alone; });
  return suspects;
}

bool Suspects::is_found(Oid table, SteadyTime now) const {
  const auto tries = tries_.find(table);
  return tries != tries_.end() && tries->second.alone >= kTriesAlone &&
         now - tries->second.since >= patience_;
}

}  // namespace re_dms::redshift
