#include "warehouse/duckdb/interrupts.h"

#include <chrono>

#include "base/thread.h"

namespace re_dms::duckdb {

namespace {

constexpr std::chrono::milliseconds kRepeatEvery(10);

}  // namespace

Interrupts::Interrupts(const Library& duckdb, duckdb_connection connection,
                       const std::stop_token& stop)
    : duckdb_(duckdb),
      connection_(connection),
      thread_([this](const std::stop_token& end) {
        begin_thread("interrupts");
        run(end);
      }),
      requested_(stop, [this] { begin(); }) {}

void Interrupts::begin() {
  const std::lock_guard lock(mutex_);
  begun_ = true;
  changed_.notify_all();
}

void Interrupts::run(const std::stop_token& end) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, end, [this] { return begun_; });
  while (!end.stop_requested()) {
    duckdb_.interrupt(connection_);
    changed_.wait_for(lock, end, kRepeatEvery, [] { return false; });
  }
}

}  // namespace re_dms::duckdb
