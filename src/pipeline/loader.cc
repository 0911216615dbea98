#include "pipeline/loader.h"

#include <fmt/format.h>

#include <chrono>

#include "base/failpoint.h"
#include "observe/log.h"
#include "pipeline/clean_up.h"
#include "pipeline/set_aside_log.h"

namespace re_dms {

namespace {

constexpr std::chrono::seconds kReleaseEvery(1);

}  // namespace

void Loader::run(BoundedQueue<StagedBatch>& staged, const std::stop_token& stop) {
  while (!stop.stop_requested() && !staged.finished()) {
    if (const auto batch = staged.pop_for(stop, kReleaseEvery)) {
      load(*batch, stop);
    } else {
      release();
    }
  }
}

void Loader::load(const StagedBatch& batch, const std::stop_token& stop) {
  LoadReport report;
  Retry retry(retry_policy(), [this](const Error& error, std::chrono::milliseconds wait) {
    wiring_.state.warehouse_trouble(error.what());
    log(LogLevel::Warn, "load_retry", error.what(), {{"wait_ms", wait.count()}});
  });
  if (retry.run(stop, [&] { report = wiring_.warehouse.load(batch, stop); })) {
    finish(batch, report);
  }
}

void Loader::finish(const StagedBatch& batch, const LoadReport& report) {
  const double seconds = std::chrono::duration<double>(report.duration).count();
  Progress& progress = wiring_.state.progress;
  progress.loaded.advance(batch.span.to);
  if (batch.span.transactions > 0) {
    progress.loaded_commit_time = batch.span.last_commit.time_since_epoch().count();
  }
  wiring_.state.loaded({batch.span.number, report.rows, seconds, real_clock().now(), batch.span.to},
                       static_cast<double>(batch.stored_bytes()));
  for (const StagedLayer& layer : batch.layers) {
    wiring_.state.table_live(layer.table->oid, to_string(layer.table->name));
  }
  for (const SetAside& table : batch.set_aside) {
    announce(table);
  }
  for (const SetAside& table : report.set_aside) {
    announce(table);
    Oid oid = table.oid;
    wiring_.failed_tables.push(oid, 1, {});
  }
  log(LogLevel::Info, "batch_loaded", "a batch is in the target",
      {{"batch", batch.span.number},
       {"to", batch.span.to},
       {"transactions", batch.span.transactions},
       {"changes", batch.span.changes},
       {"rows", report.rows},
       {"seconds", seconds}});
  failpoint("loaded-clean-up-before");
  clean_up(fmt::format("the files of batch {}", batch.span.number),
           [&] { remove_batch(wiring_.store, batch); });
  failpoint("loaded-files-removed");
  wiring_.slots.loaded();
  release();
  failpoint("loaded-clean-up-after");
}

void Loader::release() {
  wiring_.journal.release_below(wiring_.state.progress.loaded.lsn());
  wiring_.state.journal_bytes = wiring_.journal.bytes();
}

void Loader::announce(const SetAside& table) {
  wiring_.state.table_set_aside(table);
  log_set_aside(table);
}

}  // namespace re_dms
