// What one run of the daemon is made from.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "journal/journal_writer.h"
#include "model/lsn.h"
#include "source/source.h"
#include "stage/open_store.h"
#include "warehouse/warehouse.h"

namespace re_dms {

struct BatchSettings {
  std::chrono::milliseconds interval{10'000};  ///< least time between loads
  std::size_t memory_bytes = 512U << 20;       ///< of folded rows, staging and the embedded target
  std::size_t row_bytes_max = 64U << 20;
};

struct PipelineSettings {
  SourceSettings source;
  JournalLimits journal;
  BatchSettings batch;
  StageSettings stage;
  StageFormat stage_format;  ///< of the warehouse, which has to know it too
  WarehouseSettings warehouse;
  /// How often the server is asked about the slot, for metrics; each time connects.
  std::chrono::milliseconds slot_interval{30'000};
};

/// When a run ends by itself.
struct UntilPosition {
  bool now = false;  ///< the server's end of WAL when the run starts
  Lsn lsn;           ///< else this position; unknown: runs until stopped
};

/// How batch.memory is divided: what the fold fills, what is folded of tables that catch up, what
/// waits for its files, and the embedded target while it loads. Together they are the whole.
struct MemoryShares {
  std::size_t fold_bytes = 0;
  std::size_t catch_up_bytes = 0;
  std::size_t staging_bytes = 0;
  std::size_t warehouse_bytes = 0;
};

inline MemoryShares share_memory(std::size_t memory_bytes) {
  return {memory_bytes / 4, memory_bytes / 16, memory_bytes / 16 * 3, memory_bytes / 2};
}

}  // namespace re_dms
