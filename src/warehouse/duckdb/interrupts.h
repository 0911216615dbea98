// Ends what DuckDB is doing when stop is requested.
#pragma once

#include <duckdb.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

#include "warehouse/duckdb/library.h"

namespace re_dms::duckdb {

/// From the request on, the statements of a connection end with an error. DuckDB forgets an
/// interrupt when the next statement starts, so it is repeated. To be destroyed before the
/// connection is closed.
class Interrupts {
 public:
  Interrupts(const Library& duckdb, duckdb_connection connection, const std::stop_token& stop);
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  Interrupts(Interrupts&&) = delete;
  Interrupts& operator=(Interrupts&&) = delete;
  /// No interrupt comes after it returns.
  ~Interrupts() = default;

 private:
  void run(const std::stop_token& end);
  void begin();

  const Library& duckdb_;
  duckdb_connection connection_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool begun_ = false;
  std::jthread thread_;
  std::stop_callback<std::function<void()>> requested_;
};

}  // namespace re_dms::duckdb
