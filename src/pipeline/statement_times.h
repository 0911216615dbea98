// How long statements of the target take, by kind: as the target's engine shows each before it
// runs, a statement lasts until the next one of its thread, or until the load ends.
#pragma once

#include <map>
#include <mutex>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "observe/metrics.h"

namespace re_dms {

/// "copy", "merge", "commit", "lock" or "other".
std::string_view statement_kind(std::string_view statement);

/// Safe to use from any thread.
class StatementTimes {
 public:
  /// `metrics` outlives it.
  explicit StatementTimes(Metrics& metrics) : metrics_(metrics) {}

  /// The calling thread begins this statement; the one before it has ended. One that no Load is
  /// about is not counted.
  void began(std::string_view statement);

  /// While it lives, the statements of its thread are counted.
  class Load {
   public:
    explicit Load(StatementTimes& times) : times_(times) { times_.begin_load(); }

    ~Load() { times_.end_load(); }

    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    Load(Load&&) = delete;
    Load& operator=(Load&&) = delete;

   private:
    StatementTimes& times_;
  };

 private:
  struct Running {
    std::string_view kind;  ///< empty: none yet
    SteadyTime since;
  };

  void begin_load();
  void end_load();
  void count(const Running& statement, SteadyTime now);

  Metrics& metrics_;
  std::mutex mutex_;
  std::map<std::thread::id, Running> running_;
};

}  // namespace re_dms
