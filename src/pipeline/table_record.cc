#include "pipeline/table_record.h"

#include <memory>

namespace re_dms {

TableRecord record_of(const TargetTable& table) {
  TableRecord record;
  record.oid = table.schema.oid;
  record.name = table.schema.name;
  record.state = table.state;
  record.reason = table.reason;
  record.position = table.position;
  record.schema = std::make_shared<const TableSchema>(table.schema);
  record.initial_copy = table.initial_copy;
  record.asked = table.asked;
  return record;
}

}  // namespace re_dms
