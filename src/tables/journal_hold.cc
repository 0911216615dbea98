// Which changes the journal keeps for tables that are not live.
#include <algorithm>

#include "tables/table_states.h"

namespace re_dms {

namespace {

/// From where on the table needs changes; unknown: it needs none.
Lsn needs_from(const TableRecord& table) {
  if (table.state == TableState::Copying) {
    return table.held_from;
  }
  return table.state == TableState::CatchingUp || table.resumable ? table.position : Lsn{};
}

}  // namespace

Lsn TableStates::held_from() const {
  const std::lock_guard lock(mutex_);
  Lsn from;
  for (const auto& [oid, table] : tables_) {
    const Lsn at = needs_from(table);
    from = from.known() && at.known() ? std::min(from, at) : std::max(from, at);
  }
  return from;
}

/// Null where others need changes as old, or nobody needs any before `position`.
const TableRecord* TableStates::oldest_resumable(Lsn position) const {
  const TableRecord* oldest = nullptr;
  for (const auto& [oid, table] : tables_) {
    const Lsn at = needs_from(table);
    if (at.known() && at < position && (oldest == nullptr || at < needs_from(*oldest))) {
      oldest = &table;
    }
  }
  return oldest != nullptr && oldest->resumable ? oldest : nullptr;
}

std::optional<TableRecord> TableStates::first_to_let_go(Lsn position) const {
  const std::lock_guard lock(mutex_);
  const TableRecord* const oldest = oldest_resumable(position);
  return oldest == nullptr ? std::nullopt : std::optional(*oldest);
}

std::optional<TableRecord> TableStates::let_go(Lsn position) {
  const std::lock_guard lock(mutex_);
  const TableRecord* const oldest = oldest_resumable(position);
  if (oldest == nullptr) {
    return std::nullopt;
  }
  TableRecord& table = record(oldest->oid);
  table.resumable = false;
  return table;
}

}  // namespace re_dms
