// The connection to PostgreSQL ends at every byte of what it sends for a transaction, and the
// journal holds every transaction once.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/faulty_file_system.h"
#include "base/testing/waiting.h"
#include "journal/journal_reader.h"
#include "pipeline/recorder.h"
#include "source/source.h"
#include "source/testing/cutting_proxy.h"
#include "source/testing/throwaway_postgres.h"

namespace re_dms::cut_connection_pg_test {
namespace {

const std::string kDirectory = "/journal";

/// Both relations, a type, and a message of every kind; the key of a row changes.
constexpr const char* kTransaction = R"(BEGIN;
INSERT INTO kept VALUES (1, 'a', 'happy'), (2, NULL, 'sad');
UPDATE kept SET id = 3, v = 'moved' WHERE id = 2;
UPDATE kept SET v = 'changed' WHERE id = 1;
TRUNCATE emptied;
INSERT INTO emptied VALUES (1);
DELETE FROM kept;
COMMIT)";

/// A slot with its journal. What the reader of the journal finds is the messages of every
/// transaction, those that describe tables left out: they come again with each connection.
class Follower {
 public:
  Follower(SourceSettings settings, const std::string& slot) : settings_(std::move(settings)) {
    settings_.slot = slot;
    Source source(settings_);
    origin_ = source.create_slot({}, [](const Origin&) {}).origin;
    journal_.emplace(files_, limits(), origin_);
    state_.progress.received.advance(journal_->last_commit_end());
    state_.progress.journaled.advance(journal_->position());
    recorder_ = std::jthread(
        [this](const std::stop_token& stop) { Recorder(*journal_, blocks_, state_).run(stop); });
  }

  /// Streams until everything below `end` is journaled (true) or the connection ends (false); a
  /// connection that did not get the slot, which the one before may still hold, counts as none.
  /// `reads` is called before the first byte is read.
  bool stream_to(
      Lsn end, const std::function<void()>& reads = [] {}) {
    Progress& progress = state_.progress;
    for (bool started = false; !started;) {
      std::stop_source stop;
      const auto paused = [&] {
        if (progress.journaled.lsn() >= end) {
          stop.request_stop();
        }
        return false;
      };
      try {
        Source(settings_).stream(progress.received.lsn(), progress.journaled.lsn(), origin_, open_,
                                 {blocks_, progress, paused,
                                  [&] {
                                    started = true;
                                    reads();
                                  }},
                                 stop.get_token());
        return true;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::Transient) << error.what();
      }
    }
    return state_.progress.journaled.lsn() >= end;
  }

  /// Ends the journal; to be called once.
  std::vector<std::string> transactions(std::size_t part_bytes) {
    recorder_.request_stop();
    if (recorder_.joinable()) {
      recorder_.join();
    }
    JournalReader reader(files_, kDirectory, nullptr, origin_.consistent_point, {part_bytes});
    std::vector<std::string> found;
    std::string open;
    aborts_ = 0;
    while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
      if (unit->kind == UnitKind::Abort) {
        ++aborts_;
      }
      if (unit->kind == UnitKind::Abort || unit->kind == UnitKind::FirstPart ||
          unit->kind == UnitKind::Transaction) {
        open.clear();
      }
      for (RecordCursor records(unit->records); !records.at_end();) {
        const RecordView record = records.next();
        if (record.kind == RecordKind::Message && record.body[0] != 'R' && record.body[0] != 'Y') {
          open += record.body;
        }
      }
      if (unit->kind == UnitKind::Transaction || unit->kind == UnitKind::LastPart) {
        found.push_back(open);
      }
    }
    return found;
  }

  std::uint64_t journal_bytes() const { return journal_->bytes(); }

  int aborts() const { return aborts_; }

 private:
  static JournalLimits limits() {
    JournalLimits limits;
    limits.directory = kDirectory;
    // One segment: readers begin at the last one that begins at their position, behind what was
    // cut.
    limits.segment_bytes = 64U << 20;
    limits.reserve_bytes = 0;
    return limits;
  }

  SourceSettings settings_;
  Origin origin_;
  FaultyFileSystem files_;
  std::optional<JournalWriter> journal_;
  BoundedQueue<JournalBlock> blocks_{64, 1 << 20};
  RunState state_;
  bool open_ = false;
  int aborts_ = 0;
  std::jthread recorder_;
};

class CutConnection : public ::testing::Test {
 protected:
  void SetUp() override {
    postgres_.execute(
        "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TABLE kept (id int PRIMARY KEY, v text, "
        "m mood); CREATE TABLE emptied (id int PRIMARY KEY)");
    direct_.url = postgres_.url();
    const std::string host = direct_.url.substr(direct_.url.find("host=") + 5);
    proxy_.emplace(host + "/.s.PGSQL.5432");
    through_.url = "postgresql://postgres@/postgres?host=" + proxy_->folder();
    // The publication is there before the slots, and the tables are empty.
    reference_.emplace(direct_, "reference");
    follower_.emplace(through_, "re_dms");
  }

  /// One more transaction; its end.
  Lsn commit() {
    postgres_.execute(kTransaction);
    return *Lsn::parse(postgres_.execute("SELECT pg_current_wal_lsn()"));
  }

  bool stream_to(Lsn end) {
    return follower_->stream_to(end, [this] { proxy_->let_go(); });
  }

  void expect_each_once(std::size_t most_transactions) {
    const std::vector<std::string> expected = reference_->transactions(1 << 20);
    EXPECT_EQ(expected.size(), most_transactions);
    EXPECT_EQ(follower_->transactions(1 << 20), expected);
    EXPECT_EQ(follower_->transactions(60), expected);
  }

  ThrowawayPostgres postgres_;
  SourceSettings direct_;
  SourceSettings through_;
  std::optional<CuttingProxy> proxy_;
  std::optional<Follower> reference_;
  std::optional<Follower> follower_;
};

constexpr std::uint64_t kShare = 60;  ///< of bytes, one test
/// Where the last share begins: before the transaction's last byte, which comes at about 735.
constexpr std::uint64_t kLastShare = 1 + 12 * kShare;
/// The last one goes beyond the transaction's last byte: a connection that ends there journals it.
constexpr std::uint64_t kLastShareBytes = 180;

/// Connections that get one byte more than the one before, all of them of the same transaction. The
/// bytes are shared out: a share begins at its parameter.
class CutAtEachByte : public CutConnection, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(CutAtEachByte, OfOneTransaction) {
  const Lsn end = commit();
  const bool last = GetParam() == kLastShare;
  const std::uint64_t share_end = GetParam() + (last ? kLastShareBytes : kShare);
  bool whole = false;
  for (std::uint64_t bytes = GetParam(); bytes < share_end && !whole; ++bytes) {
    proxy_->cut_after(bytes);
    whole = stream_to(end);
    ASSERT_TRUE(last || !whole) << bytes;
  }
  proxy_->cut_after({});
  ASSERT_EQ(whole, last) << "a connection that ended behind the commit";
  ASSERT_TRUE(stream_to(end));
  ASSERT_TRUE(reference_->stream_to(end));
  expect_each_once(1);
}

INSTANTIATE_TEST_SUITE_P(From, CutAtEachByte,
                         ::testing::Range<std::uint64_t>(1, kLastShare + 1, kShare));

/// What is journaled already of a transaction that comes again is begun anew.
TEST_F(CutConnection, BehindABeginningThatIsJournaled) {
  const std::uint64_t before = follower_->journal_bytes();
  const Lsn end = commit();
  proxy_->cut_after(500);
  std::jthread cut([&] {
    EXPECT_TRUE(eventually([&] { return follower_->journal_bytes() > before; }));
    proxy_->let_go();
  });
  EXPECT_FALSE(follower_->stream_to(end));
  cut.join();
  proxy_->cut_after({});
  ASSERT_TRUE(stream_to(end));
  ASSERT_TRUE(reference_->stream_to(end));
  expect_each_once(1);
  EXPECT_EQ(follower_->aborts(), 1);
}

constexpr std::uint64_t kStep = 7;
constexpr std::uint64_t kBytes = 240;  ///< that one test goes through

/// A new transaction each time, cut once and then sent whole.
class CutOnce : public CutConnection, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(CutOnce, InEachOfManyTransactions) {
  Lsn end;
  std::size_t transactions = 0;
  for (std::uint64_t bytes = GetParam(); bytes < GetParam() + kBytes; bytes += kStep) {
    proxy_->cut_after(bytes);
    end = commit();
    ++transactions;
    ASSERT_FALSE(stream_to(end)) << bytes;
    proxy_->cut_after({});
    ASSERT_TRUE(stream_to(end));
  }
  ASSERT_TRUE(reference_->stream_to(end));
  expect_each_once(transactions);
}

INSTANTIATE_TEST_SUITE_P(From, CutOnce, ::testing::Range<std::uint64_t>(1, kLastShare, kBytes));

}  // namespace
}  // namespace re_dms::cut_connection_pg_test
