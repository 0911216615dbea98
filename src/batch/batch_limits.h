// What a batch may hold, and what is wanted of the tables that it creates.
#pragma once

#include <cstddef>

#include "model/table_schema.h"

namespace re_dms {

struct BatchLimits {
  std::size_t memory_bytes = 128U << 20;  ///< rows and indexes of the batch being filled
  std::size_t row_bytes_max = 64U << 20;  ///< a larger tuple sets its table aside
  /// Of tables that batches create; null: the usual types. Outlives who folds.
  const WantedTypes* types = nullptr;
};

}  // namespace re_dms
