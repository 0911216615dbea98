#include "warehouse/redshift/suspects.h"

#include <algorithm>
#include <iterator>

namespace re_dms::redshift {

namespace {

constexpr int kTriesBeside = 3;
constexpr int kTriesAlone = 3;

}  // namespace

std::optional<Failing> failing(const BatchLoad& load, const StatementFailed& error) {
  const auto failing_at = [&](const StagedLayer& layer, std::size_t tables) {
    return Failing{layer.table->oid,  layer.table->name, error.what(),
                   error.statement(), error.answered(),  tables};
  };
  if (const StagedLayer* const layer = load.at_work()) {
    return failing_at(*layer, 1);
  }
  std::vector<const StagedLayer*> applied = load.first_layers();
  std::erase_if(applied,
                [&](const StagedLayer* layer) { return load.only_stores(layer->table->oid); });
  return error.statement() != kCommit || applied.empty()
             ? std::nullopt
             : std::optional(failing_at(*applied.front(), applied.size()));
}

void Suspects::failed(const Failing& failing, SteadyTime now) {
  if (failing.tables > 1) {
    if (searches() || ++commits_failed_ >= kTriesBeside) {
      together_ = failing.tables / 2;
    }
    return;
  }
  count_beside(failing, now);
  if (failing.at_commit() && is_suspect(tries_.at(failing.table))) {
    // Whether the others can be loaded together is not known any more.
    together_ = kUnlimited;
    commits_failed_ = 0;
  }
}

/// Of one that is a suspect already it is the table that fails, whatever the statement.
void Suspects::count_beside(const Failing& table, SteadyTime now) {
  const auto [entry, first] = tries_.try_emplace(table.table);
  Tries& tries = entry->second;
  const bool differs = tries.last.statement != table.statement;
  if (first || (differs && table.answered && !is_suspect(tries))) {
    tries = {.since = now};
  } else if (differs && !table.answered) {
    return;
  }
  ++tries.beside;
  tries.last = table;
}

void Suspects::failed_alone(const Failing& table, SteadyTime now) {
  const auto [entry, first] = tries_.try_emplace(table.table);
  Tries& tries = entry->second;
  if (first) {
    tries.since = now;
  }
  ++tries.alone;
  tries.answered += table.answered ? 1 : 0;
  // What the cluster says of it tells more than that a connection ended.
  if (table.answered || tries.answered == 0) {
    tries.last = table;
  }
}

bool Suspects::is_suspect(const Tries& tries) {
  return tries.beside >= kTriesBeside;
}

std::vector<Oid> Suspects::among(const std::vector<Oid>& tables) const {
  std::vector<Oid> suspects;
  std::ranges::copy_if(tables, std::back_inserter(suspects), [this](Oid table) {
    const auto tries = tries_.find(table);
    return tries != tries_.end() && is_suspect(tries->second);
  });
  std::ranges::stable_sort(suspects, {}, [this](Oid table) { return tries_.at(table).alone; });
  return suspects;
}

bool Suspects::failed_for(Oid table, std::chrono::milliseconds patience, SteadyTime now) const {
  const auto tries = tries_.find(table);
  return tries != tries_.end() && tries->second.alone >= kTriesAlone &&
         now - tries->second.since >= patience;
}

/// One that is left alone, because others cannot be loaded at all, fails behind a write of our own
/// that passed. Of several the same is believed only after longer, and only what the cluster says
/// of each: a network loses connections whichever table is loaded.
std::vector<Failing> Suspects::found(const std::vector<Oid>& missing, bool soon,
                                     SteadyTime now) const {
  const bool by_itself = soon || missing.size() == 1;
  const bool all = std::ranges::all_of(missing, [&](Oid table) {
    return failed_for(table, patience_.with_all, now) && tries_.at(table).answered >= kTriesAlone;
  });
  std::vector<Failing> found;
  for (const Oid table : missing) {
    if (all || (by_itself && failed_for(table, patience_.with_one, now))) {
      found.push_back(tries_.at(table).last);
    }
  }
  return found;
}

}  // namespace re_dms::redshift
