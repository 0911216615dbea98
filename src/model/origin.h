// Where a journal's changes come from: one slot of one PostgreSQL cluster.
#pragma once

#include <string>
#include <vector>

#include "model/lsn.h"
#include "model/table_schema.h"

namespace re_dms {

struct Origin {
  std::string system_identifier;  ///< IDENTIFY_SYSTEM, decimal
  std::uint32_t timeline = 0;
  std::string database;
  std::string slot;
  std::string publication;
  int server_version = 0;  ///< as PQserverVersion: 150018
  /// False while the slot is being created: a slot of ours found in that state may be dropped.
  bool created = false;
  /// False: an administrator made the slot (source.auto_setup = false).
  bool slot_is_ours = true;
  Lsn consistent_point;       ///< of the slot's creation; where the journal begins
  std::vector<Oid> admitted;  ///< tables without rows at the consistent point
  /// The journal was loaded into a target, so an empty target is the wrong one.
  bool target_made = false;
};

}  // namespace re_dms
