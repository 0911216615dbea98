// The replication slot: what the server knows of it, and what is not acceptable about it.
#pragma once

#include <optional>
#include <string>

#include "model/lsn.h"
#include "source/connection/connection.h"

namespace re_dms {

struct SlotState {
  std::string plugin;  ///< empty for a physical slot
  std::string database;
  bool temporary = false;
  int active_pid = 0;   ///< 0: nobody reads it
  bool lost = false;    ///< invalidated; it can only be dropped
  std::string lost_by;  ///< the server's reason, known from PostgreSQL 17 on
  Lsn confirmed_flush;
  std::int64_t held_bytes = 0;  ///< WAL the server keeps for it
};

/// Nothing when there is no slot of that name.
std::optional<SlotState> find_slot(Connection& connection, const std::string& name);

/// Throws Usage unless `name` is one that PostgreSQL accepts.
void require_slot_name(const std::string& name);

/// What makes the slot unusable for us in this database; empty: nothing.
std::string slot_problem(const SlotState& slot, const std::string& database);

/// The refusal of a slot that is there before a first start made one.
Error foreign_slot(const SlotState& slot, const std::string& name, const std::string& database);

/// What to do about a slot of ours that is gone or has a problem.
std::string unusable_slot_advice(const std::optional<SlotState>& slot);

/// Throws Transient naming the process when somebody reads the slot.
void drop_slot(Connection& connection, const std::string& name);

/// Whom the creation of a slot waits for: the transactions and prepared transactions that hold an
/// xid, oldest first, for people. Empty when there are none.
std::string describe_writers(Connection& connection);

}  // namespace re_dms
