// The receive loop: from the slot to journal blocks. Owns the replication connection and, beside
// it, a plain one for catalog questions, which also tells when the server wants to shut down. Reads
// and writes no file: a stalled disk must not keep it from answering the server. (It asks the
// wiring whether to pause, which may look up the free space of the journal's file system.)
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/clock.h"
#include "model/origin.h"
#include "source/connection/connection.h"
#include "source/settings.h"
#include "source/stream/block_maker.h"
#include "source/stream/catalog_questions.h"
#include "source/stream/feedback.h"
#include "source/stream/nap.h"
#include "source/stream/replication_stream.h"
#include "source/stream/silence.h"
#include "source/stream/source_watch.h"
#include "source/stream/stop_signal.h"
#include "source/stream/wiring.h"

namespace re_dms {

struct ReadTimes {
  std::chrono::milliseconds block{1};    ///< a block is handed on at this age
  std::chrono::milliseconds idle{1000};  ///< between two idle positions, unless the server asks
  /// Between two questions about all tables, for changes to tables that receive no rows.
  std::chrono::milliseconds facts{60000};
  WatchTimes watch;
  FeedbackTimes feedback;
  SilenceTimes silence;
};

struct StreamStart {
  Lsn from;          ///< for START_REPLICATION
  Lsn journaled_to;  ///< end of the journal, idle positions included
};

/// How often the reader looked for input and how often it waited.
struct ReadCounts {
  std::uint64_t reads = 0;
  std::uint64_t naps = 0;   ///< for more than the little that came
  std::uint64_t polls = 0;  ///< for anything at all
};

/// Lives for one connection; used by one thread. What it is given by reference outlives it.
class SlotReader {
 public:
  SlotReader(const SourceSettings& settings, const Origin& origin, const StreamWiring& wiring,
             ReportedAnswers& reported, ReadTimes times = {});

  /// As Source::stream.
  void run(StreamStart start, bool& open, const std::stop_token& stop);

  /// run() has thrown because the server said nothing and did not answer.
  bool left_in_silence() const { return silence_.left(); }

  /// Of this connection so far.
  const ReadCounts& counts() const { return counts_; }

 private:
  /// What one look at the connection brought.
  struct ReadResult {
    std::size_t bytes = 0;
    bool more = false;    ///< there is, or may be, more to read without waiting
    bool paused = false;  ///< stands between two transactions and may not take the next
  };

  void connect(StreamStart start);
  void read_on();
  void require_own_position(Lsn journaled_to);
  ReadResult receive();
  std::size_t take_messages(bool& paused);
  BlockMaker::Step take(std::string_view copy_data);
  void hand_on();
  void hand_on_behind_end();
  void report_catalog_news();
  bool wait_until_visible();
  bool push(JournalBlock block, bool open_after);
  void note_progress();
  void add_idle_position();
  void listen(const ReadResult& read, SteadyTime now);
  void report(SteadyTime now);
  void look_after_server(bool held_up, SteadyTime now);
  void wait(const ReadResult& read);
  void take_nap();
  std::chrono::milliseconds poll_timeout(bool paused, SteadyTime now) const;
  void finish();

  const SourceSettings& settings_;
  const Origin& origin_;
  const StreamWiring& wiring_;
  ReadTimes times_;
  Clock& clock_;
  CatalogQuestions questions_;

  std::optional<SourceWatch> watch_;
  std::optional<ReplicationStream> stream_;
  std::optional<StopSignal> stop_signal_;
  std::stop_token stop_;
  bool* open_ = nullptr;

  BlockMaker maker_;
  Feedback feedback_;
  Silence silence_;
  Lsn server_end_;            ///< of the last keepalive
  bool idle_urgent_ = false;  ///< the server waits for a position
  ReadCounts counts_;
  Nap nap_{true};
  std::size_t bytes_since_nap_ = 0;
  SteadyTime block_began_{};
  SteadyTime idle_at_{};
};

}  // namespace re_dms
