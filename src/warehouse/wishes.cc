#include "warehouse/wishes.h"

#include <algorithm>
#include <set>
#include <utility>

#include "warehouse/load_checks.h"

namespace re_dms {

namespace {

bool is_coming(TableState state) {
  return state == TableState::Waiting || state == TableState::Copying;
}

void enter(StoredTable& table, TableState state, const char* reason) {
  table.state = state;
  table.reason = reason;
  table.set_aside_load = 0;
  table.asked = false;
  table.held_back = false;
}

bool copy_anew(Lsn loaded, StoredTable& table) {
  if (is_coming(table.state)) {
    table.held_back = false;
    return !std::exchange(table.asked, true);
  }
  if (table.state == TableState::Live) {
    table.position = std::max(loaded, table.position);
  }
  enter(table, TableState::Waiting, "somebody asked for it");
  table.asked = true;
  return true;
}

bool heal(const WarehouseSettings& settings, StoredTable& table) {
  if (table.state != TableState::CatchingUp) {
    return false;
  }
  enter(table, TableState::Waiting, "its changes are not in the journal any more");
  table.held_back = is_held_back(settings, table.schema.name);
  return true;
}

bool pause(TargetTables& target, const std::string& schema, Lsn loaded, StoredTable& table) {
  switch (table.state) {
    case TableState::Live:
      table.position = std::max(loaded, table.position);
      break;
    case TableState::CatchingUp:
      break;
    case TableState::Copying:
      if (target.give_copy_up(copy_of(target, schema, table), table.schema.oid)) {
        table.copy_step = 0;
      }
      table.position = {};
      break;
    case TableState::Waiting:
      // What it holds, if anything, is in doubt.
      table.position = {};
      break;
    case TableState::Paused:
    case TableState::SetAside:
    case TableState::Removed:
      return false;
  }
  enter(table, TableState::Paused, "somebody paused it");
  return true;
}

bool resume(StoredTable& table) {
  if (table.state != TableState::Paused && table.state != TableState::SetAside) {
    return false;
  }
  const bool holds_rows = table.position.known() && !table.schema.columns.empty();
  if (holds_rows) {
    enter(table, TableState::CatchingUp, "");
  } else {
    enter(table, TableState::Waiting, "it goes on, and holds no copy");
    table.asked = true;
  }
  return true;
}

/// False where the table is so already.
bool grant(TargetTables& target, const WarehouseSettings& settings, Lsn loaded, Wish wish,
           StoredTable& table) {
  switch (wish) {
    case Wish::Copy:
      return copy_anew(loaded, table);
    case Wish::Heal:
      return heal(settings, table);
    case Wish::Pause:
      return pause(target, settings.schema, loaded, table);
    case Wish::Resume:
      return resume(table);
  }
  return false;
}

}  // namespace

std::vector<TargetTable> grant(TargetTables& target, const WarehouseSettings& settings,
                               const StoredPosition& stored, StoredTables& known,
                               const std::vector<TableWish>& wishes, SystemTime now) {
  std::set<Oid> asked;
  std::set<const StoredTable*> changed;
  for (const TableWish& wish : wishes) {
    const auto table = known.find(wish.oid);
    if (table == known.end()) {
      continue;
    }
    asked.insert(wish.oid);
    if (grant(target, settings, stored.loaded, wish.wish, table->second)) {
      changed.insert(&table->second);
    }
  }
  std::vector<TargetTable> granted;
  for (const Oid oid : asked) {
    granted.push_back(target_table(known.at(oid), stored.loaded));
  }
  ServiceTables(target.session()).write({changed.begin(), changed.end()}, now);
  return granted;
}

}  // namespace re_dms
