// What the threads of the pipeline let others see: progress, counters and what is in the way.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
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

/// A problem that retrying may solve, as one thread sees it; empty text: none.
struct Trouble {
  std::string text;
  SystemTime since;
};

/// Written by the pipeline's threads, read by the status page.
class RunState {
 public:
  Progress progress;
  Metrics metrics;
  Metric& messages_journaled = metrics.counter("re_dms_messages_journaled_total",
                                               "Replication messages written to the journal");
  Metric& rows_received =
      metrics.counter("re_dms_rows_received_total",
                      "Row changes written to the journal; those that are sent again count again");
  Metric& journal_syncs =
      metrics.counter("re_dms_journal_syncs_total", "Group fsyncs of the journal");
  Metric& batches_loaded =
      metrics.counter("re_dms_batches_loaded_total", "Batches committed in the target");
  Metric& rows_loaded =
      metrics.counter("re_dms_rows_loaded_total", "Net rows applied to the target");
  Metric& staged_bytes =
      metrics.counter("re_dms_staged_bytes_total", "Compressed bytes of loaded staged files");
  Metric& last_load_seconds =
      metrics.gauge("re_dms_last_load_seconds", "Duration of the last load");
  std::atomic<std::uint64_t> journal_bytes{0};
  std::atomic<bool> journal_full{false};    ///< at a bound of its disk: nothing is received
  std::atomic<bool> disk_low{false};        ///< full because other files fill the journal's disk
  std::atomic<std::size_t> fold_bytes{0};   ///< memory of the batch being filled
  std::atomic<std::uint64_t> fold_rows{0};  ///< row changes in it

  void source_trouble(std::string text);
  void warehouse_trouble(std::string text);
  /// Empty: it is over.
  void stage_trouble(std::string text);
  void source_ready();
  void warehouse_ready(std::string description);
  void stopping();
  void loaded(const LoadSummary& load, double bytes);
  void table_live(Oid oid, std::string name);
  void table_set_aside(const SetAside& table);
  void tables(std::map<Oid, std::string> live, std::vector<SetAside> not_live);
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
    std::map<Oid, std::string> live;
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
