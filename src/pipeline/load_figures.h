// What is counted of batches on their way into the target: for each file, batch and load, never for
// a row.
#pragma once

#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "model/staged_batch.h"
#include "observe/metrics.h"
#include "pipeline/statement_kind.h"
#include "warehouse/warehouse.h"

namespace re_dms {

/// Why tables are copied anew, in a word: "schema", "publication", "rows", "target" or "other".
std::string_view heal_cause(std::string_view reason);

/// Safe to use from any thread.
class LoadFigures {
 public:
  /// `metrics` outlives it.
  explicit LoadFigures(Metrics& metrics);

  /// A file is in the store.
  void written(BatchKind kind, const StagedFile& file);

  /// The batch is in the target; `began` is when its load was first tried.
  void loaded(const StagedBatch& batch, const LoadReport& report, SteadyTime began);

  /// A try failed and is repeated; `of` is "source", "stage", "warehouse" or "copy".
  void retried(std::string_view of);

  /// A table that was followed is to be copied anew for this reason.
  void healed(std::string_view reason);

  /// A statement of the target ended.
  void ran(std::string_view statement, std::chrono::microseconds took);

 private:
  void count_stream(const StagedBatch& batch, const LoadReport& report, SteadyTime began);
  void count_tables(const StagedBatch& batch, const LoadReport& report);

  Metrics& metrics_;
};

}  // namespace re_dms
