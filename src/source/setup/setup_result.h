// What a first start found: whose slot it is and which tables begin with it.
#pragma once

#include <string>
#include <vector>

#include "model/origin.h"
#include "model/table_schema.h"

namespace re_dms {

/// A table that matches include and is nevertheless not replicated, with the reason.
struct LeftOut {
  QualifiedName table;
  std::string reason;
  bool unpublished = false;  ///< nothing is in its way but that it is not in the publication
};

/// What the creation of the slot found.
struct SlotCreation {
  Origin origin;                     ///< created = true
  std::vector<CatalogTable> tables;  ///< published ones, admitted or left out
  std::vector<LeftOut> left_out;
};

}  // namespace re_dms
