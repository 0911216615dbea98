// What the fold made, in words: the content of expected.txt.
#pragma once

#include <string>

#include "batch/testing/target_model.h"

namespace re_dms {

/// The batch, its layers with their schema changes and net rows, and the tables set aside. Holds no
/// OID, position or time, so that a new capture of the same case reads the same.
std::string describe_batch(const SealedBatch& batch);

/// "id, name" with a prefix before each name.
std::string column_names(const TableSchema& table, bool keys_only, std::string_view prefix);

}  // namespace re_dms
