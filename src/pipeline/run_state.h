// What the threads of the pipeline let others see: progress, counters and what is in the way.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/retry.h"
#include "model/batch.h"
#include "model/progress.h"
#include "observe/metrics.h"
#include "pipeline/load_figures.h"
#include "source/source.h"
#include "tables/copy_meter.h"
#include "tables/table_states.h"

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
  TableStates tables{real_clock(), copy_pauses()};
  CopyMeter copies{tables, real_clock()};
  std::atomic<bool> look_soon{false};  ///< the source's catalog has news for the receiving thread
  Metrics metrics;
  LoadFigures figures{metrics};
  prometheus::Counter& messages_journaled = metrics.counter("re_dms_messages_journaled_total");
  prometheus::Counter& rows_received = metrics.counter("re_dms_rows_received_total");
  prometheus::Counter& received_bytes = metrics.counter("re_dms_received_bytes_total");
  prometheus::Counter& journal_syncs = metrics.counter("re_dms_journal_syncs_total");
  prometheus::Counter& batches_loaded = metrics.counter("re_dms_batches_loaded_total");
  prometheus::Counter& rows_loaded = metrics.counter("re_dms_rows_loaded_total");
  prometheus::Counter& staged_bytes = metrics.counter("re_dms_staged_bytes_total");
  prometheus::Gauge& last_load_seconds = metrics.gauge("re_dms_last_load_seconds");
  std::atomic<std::uint64_t> journal_bytes{0};
  std::atomic<SteadyTime> journal_oldest{};  ///< since when its first segment is there; zero: none
  std::atomic<bool> journal_full{false};     ///< at a bound of its disk: nothing is received
  std::atomic<bool> disk_low{false};         ///< full because other files fill the journal's disk
  std::atomic<std::size_t> fold_bytes{0};    ///< memory of the batch being filled
  std::atomic<std::uint64_t> fold_rows{0};   ///< row changes in it
  std::atomic<SteadyTime> fold_since{};      ///< when it got the first of them; zero: none yet

  /// Of the configuration that was read again; zero: as at the start.
  std::atomic<std::chrono::milliseconds> batch_interval{std::chrono::milliseconds(0)};

  /// The configuration that was read again asks for these tables: first whoever publishes them acts
  /// on it, then whoever streams, so that no table is published that the stream refuses. They are
  /// numbered: choice_after gives a later one than `number`, which it sets.
  void choose(const TableChoice& choice);
  std::optional<TableChoice> choice_after(std::uint64_t& number) const;
  void choose_for_stream(const TableChoice& choice);
  std::optional<TableChoice> take_choice_for_stream();

  void source_trouble(std::string text);
  void warehouse_trouble(std::string text);
  /// Empty: it is over.
  void stage_trouble(std::string text);
  void source_ready();
  void warehouse_ready(std::string description);
  void stopping();
  void loaded(const LoadSummary& load, double bytes);
  void left_out(std::vector<LeftOut> found);

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
    std::vector<LeftOut> left_out;
  };

  View view() const;

 private:
  mutable std::mutex mutex_;
  View view_;
  std::optional<TableChoice> choice_;
  std::uint64_t choices_ = 0;
  std::optional<TableChoice> choice_for_stream_;
};

}  // namespace re_dms
