// What the integration tests of the source stream with: a receiving thread, a journal that keeps
// blocks in memory, and the records it got, as text.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/testing/waiting.h"
#include "source/source.h"
#include "source/stream/slot_reader.h"

namespace re_dms {

/// One stream in a thread of its own. Blocks are "journaled" as soon as they come, unless held.
class StreamProbe {
 public:
  StreamProbe(SourceSettings settings, Origin origin, Lsn from, Lsn journaled_to, bool open = false,
              ReadTimes times = {}, bool paused = false);
  /// Stops and joins.
  ~StreamProbe();
  StreamProbe(const StreamProbe&) = delete;
  StreamProbe& operator=(const StreamProbe&) = delete;

  /// One line a record: "B", "R public.t", "C public.t(id*,v)+", "I t[1|a]", "idle", "abort" …
  std::vector<std::string> records() const;

  /// Waits until some record equals `line`, `times` times.
  bool saw(const std::string& line, int times = 1) const;

  /// Waits until what was last said of `table` holds `words`; empty: that it is not left out, and
  /// something was said.
  bool says_left_out(const std::string& table, const std::string& words) const;

  /// Waits until the stream has ended; the error it ended with, if any.
  std::optional<Error> ended(std::chrono::seconds patience = std::chrono::seconds(20));

  void stop() { thread_.request_stop(); }

  void pause(bool paused) { paused_ = paused; }

  /// While held, blocks are not taken from the queue and nothing is journaled.
  void hold(bool held) {
    held_ = held;
    held_.notify_all();
  }

  bool open() const { return open_; }

  bool running() const { return !finished_; }

  /// Whether the slot was taken.
  bool started() const { return started_; }

  Progress& progress() { return progress_; }

  /// Of the whole stream, once it has ended.
  ReadCounts counts() const { return counts_; }

 private:
  void read(const SourceSettings& settings, const Origin& origin, StreamStart start,
            ReadTimes times, const std::stop_token& stop);
  void journal(const std::stop_token& stop);

  BoundedQueue<JournalBlock> queue_{8, 1 << 20};
  Progress progress_;
  mutable std::mutex mutex_;
  std::vector<std::string> records_;
  std::optional<std::vector<LeftOut>> left_out_;
  std::optional<Error> error_;
  std::atomic<bool> paused_;
  std::atomic<bool> held_{false};
  std::atomic<bool> started_{false};
  std::atomic<bool> finished_{false};
  bool open_;
  ReportedAnswers reported_;
  ReadCounts counts_;
  std::jthread journal_thread_;
  std::jthread thread_;
};

}  // namespace re_dms
