// What the threads of the pipeline let others see: progress, counters and what is in the way.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/batch.h"
#include "model/progress.h"
#include "observe/metrics.h"
#include "source/source.h"

namespace re_dms {

/// A load as the status page shows it.
struct LoadSummary {
  std::uint64_t number = 0;
  std::uint64_t rows = 0;
  double seconds = 0;
  SystemTime at;
  Lsn to;
};

/// A trouble that retrying may end, as one thread sees it; empty text: none.
struct Trouble {
  std::string text;
  SystemTime since;
};

/// Written by the pipeline's threads, read by the status page.
class RunState {
 public:
  Progress progress;
  Metrics metrics;
  std::atomic<std::uint64_t> journal_bytes{0};
  std::atomic<bool> journal_full{false};   ///< at a bound of its disk: nothing is received
  std::atomic<bool> disk_low{false};       ///< full because other files fill the journal's disk
  std::atomic<std::size_t> fold_bytes{0};  ///< memory of the batch being filled

  void source_trouble(std::string text);
  void warehouse_trouble(std::string text);
  /// Empty: it is over.
  void stage_trouble(std::string text);
  void source_ready();
  void warehouse_ready(std::string description);
  void stopping();
  void loaded(const LoadSummary& load, double staged_bytes);
  void table_set_aside(const SetAside& table);
  void tables(std::vector<std::string> live, std::vector<SetAside> not_live);
  void left_out(std::vector<LeftOut> tables);

  /// A copy of everything that is not a plain number.
  struct View {
    bool source_ready = false;
    bool warehouse_ready = false;
    bool stopping = false;
    std::string warehouse;
    Trouble source_trouble;
    Trouble warehouse_trouble;
    Trouble stage_trouble;
    LoadSummary last_load;
    std::vector<std::string> live;
    std::vector<SetAside> not_live;
    std::vector<LeftOut> left_out;
  };

  View view() const;
  bool has_set_aside() const;

 private:
  mutable std::mutex mutex_;
  View view_;
};

}  // namespace re_dms
