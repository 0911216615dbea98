#include "warehouse/taken_tables.h"

#include <vector>

#include "warehouse/load_checks.h"
#include "warehouse/service_tables.h"

namespace re_dms {

namespace {

/// False where nothing was begun.
bool give_copy_up(TargetTables& target, const WarehouseSettings& settings, StoredTable& table) {
  if (table.state != TableState::Copying) {
    return false;
  }
  if (target.give_copy_up(copy_of(target, settings.schema, table), table.schema.oid)) {
    table.copy_step = 0;
  }
  table.state = TableState::Waiting;
  // Of a copy that is not complete it holds nothing.
  table.position = {};
  return true;
}

bool is_in_doubt(const StoredTable& table) {
  return table.state == TableState::Waiting && !table.asked && !table.schema.columns.empty();
}

}  // namespace

void take_tables(TargetTables& target, const WarehouseSettings& settings, StoredTables& known,
                 SystemTime now) {
  std::vector<const StoredTable*> changed;
  for (auto& [oid, table] : known) {
    const bool given_up = give_copy_up(target, settings, table);
    const bool held_back = is_in_doubt(table) && is_held_back(settings, table.schema.name);
    if (given_up || held_back != table.held_back) {
      table.held_back = held_back;
      changed.push_back(&table);
    }
  }
  ServiceTables(target.session()).write(changed, now);
}

}  // namespace re_dms
