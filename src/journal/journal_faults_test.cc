// The journal's promise under every fault there is: nothing that was acknowledged is lost and
// nothing comes twice.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "base/testing/sanitizer.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "journal/origin_file.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::journal_faults_test {
namespace {

constexpr std::uint32_t kTransactions = 24;
const std::string kDirectory(kSampleDirectory);

JournalLimits small_segments() {
  JournalLimits limits = sample_limits();
  limits.segment_bytes = 1500;
  return limits;
}

/// PostgreSQL and the daemon around a journal: sends what the journal does not have, remembers what
/// it was told is durable.
class Replication {
 public:
  explicit Replication(FaultyFileSystem& files) : files_(files) {}

  /// Runs to the end of the stream, or until a fault throws.
  void run() {
    const auto lock = lock_journal(files_, kDirectory);
    begin_unless_begun();
    JournalWriter writer(files_, small_segments(), sample_origin());
    acknowledge(writer);
    JournalReader reader(files_, kDirectory, &writer.tail(), std::max(loaded_, kSampleStart));
    last_read_ = 0;
    for (std::uint32_t n = 1; n <= kTransactions; ++n) {
      if (nth_commit(n) >= writer.last_commit_end()) {
        send(writer, nth_transaction(n), n % 3 != 0);
      }
      if (n % 10 == 0 && writer.position() < nth_commit(n + 1)) {
        StreamSample idle;
        idle.idle(Lsn{nth_commit(n + 1).value - 1});
        send(writer, idle.take(), true);
      }
      if (n % 4 == 0) {
        read(reader, writer.position());
      }
      if (n % 9 == 0) {
        loaded_ = std::max(loaded_, nth_end(n / 2));
        writer.release_below(loaded_);
      }
    }
    writer.close();
    acknowledge(writer);
    read(reader, writer.position());
    EXPECT_EQ(last_read_, kTransactions);
  }

  /// The journal as a restart finds it must hold what was acknowledged.
  void expect_acknowledged_is_there() {
    if (!load_origin(files_, kDirectory)) {
      EXPECT_EQ(acknowledged_, Lsn{});
      return;
    }
    const JournalWriter writer(files_, small_segments(), sample_origin());
    EXPECT_GE(writer.position(), acknowledged_);
  }

  /// After faults and a run without one, readers find every transaction once.
  void expect_all_is_there() {
    const auto begin = journal_begin(files_);
    ASSERT_TRUE(begin);
    ASSERT_LE(*begin, std::max(loaded_, kSampleStart));
    for (const std::size_t part_bytes : {std::size_t{200}, std::size_t{1} << 20}) {
      std::vector<std::string> expected;
      for (std::uint32_t n = 1; n <= kTransactions; ++n) {
        if (nth_commit(n) >= *begin) {
          expected.push_back("B" + std::to_string(n) + " ");
        }
      }
      const auto found = read_transactions(files_, *begin, {part_bytes});
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_TRUE(found[i].starts_with(expected[i])) << found[i];
        const std::uint32_t n = kTransactions + 1 - static_cast<std::uint32_t>(found.size() - i);
        EXPECT_EQ(static_cast<std::size_t>(std::count(found[i].begin(), found[i].end(), 'I')),
                  nth_rows(n));
      }
    }
  }

 private:
  /// As a first start: the intention, the first record, the origin.
  void begin_unless_begun() {
    const std::optional<Origin> stored = load_origin(files_, kDirectory);
    if (stored && stored->created) {
      EXPECT_EQ(stored->slot, sample_origin().slot);
      return;
    }
    EXPECT_EQ(acknowledged_, Lsn{});
    Origin origin = sample_origin();
    origin.created = false;
    store_origin(files_, kDirectory, origin);
    remove_segments(files_, kDirectory);
    {
      JournalBlock tables = StreamSample().catalog({16384, 16385, 16386}).take();
      JournalWriter writer(files_, small_segments(), sample_origin());
      writer.append(tables);
      writer.sync();
    }
    origin.created = true;
    store_origin(files_, kDirectory, origin);
  }

  /// Transactions come in order, none is left out, none before it is acknowledged.
  void read(JournalReader& reader, Lsn durable) {
    while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
      if (unit->kind != UnitKind::Transaction) {
        continue;
      }
      const std::string text = describe(*unit);
      const auto n = static_cast<std::uint32_t>(std::stoul(text.substr(text.find(" B") + 2)));
      if (last_read_ == 0) {
        EXPECT_LE(nth_commit(n - 1), loaded_ > kSampleStart ? loaded_ : nth_commit(0));
      } else {
        EXPECT_EQ(n, last_read_ + 1);
      }
      EXPECT_LE(nth_end(n), durable);
      last_read_ = n;
    }
  }

  /// In two blocks, so that faults meet open transactions.
  void send(JournalWriter& writer, const JournalBlock& whole, bool sync) {
    JournalBlock block;
    std::size_t records = 0;
    for (RecordCursor cursor(whole.bytes); !cursor.at_end();) {
      const RecordView record = cursor.next();
      block.add(record.kind, record.body);
      if (++records == 5) {
        writer.append(block);
        block = {};
      }
    }
    writer.append(block);
    if (sync) {
      writer.sync();
      acknowledge(writer);
    }
  }

  void acknowledge(const JournalWriter& writer) {
    acknowledged_ = std::max(acknowledged_, writer.position());
  }

  FaultyFileSystem& files_;
  Lsn acknowledged_;
  Lsn loaded_;
  std::uint32_t last_read_ = 0;  ///< by the reader of this run
};

/// Every operation is tried; under a sanitizer one of thirteen.
constexpr std::uint64_t kStep = kUnderSanitizer ? 13 : 1;

constexpr Fault kFaults[] = {Fault::NotDone, Fault::KeptClean, Fault::Half, Fault::Done};

/// Operations that a run without faults takes.
std::uint64_t operations_of_a_run() {
  FaultyFileSystem files;
  Replication(files).run();
  return files.operations();
}

/// Lets each operation of a run fail once, does `fault` to the disk, and looks at what is left.
void for_each_failing_operation(
    const std::function<void(FaultyFileSystem&, std::uint64_t)>& fault) {
  const std::uint64_t operations = operations_of_a_run();
  ASSERT_GT(operations, 100U);
  for (const Fault kind : kFaults) {
    for (std::uint64_t n = 1; n <= operations; n += kStep) {
      SCOPED_TRACE(fmt::format("operation {}, fault {}", n, static_cast<int>(kind)));
      FaultyFileSystem files;
      Replication replication(files);
      files.fail_operation(n, kind);
      EXPECT_THROW(replication.run(), Error);
      fault(files, n);
      ASSERT_NO_THROW(replication.expect_acknowledged_is_there());
      ASSERT_NO_THROW(replication.run());
      replication.expect_all_is_there();
    }
  }
}

/// So that the tests below are about all that the journal does with files.
TEST(JournalFaults, RunsAndTheirRestartsUseEveryOperation) {
  std::set<std::string> kinds;
  const std::uint64_t operations = operations_of_a_run();
  for (std::uint64_t n = operations - 50; n <= operations; ++n) {
    FaultyFileSystem files;
    Replication replication(files);
    files.fail_operation(n);
    EXPECT_THROW(replication.run(), Error);
    files.kill();
    replication.run();
    kinds.merge(files.kinds_of_operations());
  }
  EXPECT_THAT(kinds, ::testing::ElementsAre("ask the free space of", "create", "create directory",
                                            "fsync", "fsync directory", "list", "lock", "open",
                                            "read", "remove", "rename", "stat", "write"));
}

TEST(JournalFaults, EveryFailingOperationIsSurvivedByARestart) {
  for_each_failing_operation([](FaultyFileSystem& files, std::uint64_t) { files.kill(); });
}

TEST(JournalFaults, EveryPowerLossIsSurvived) {
  for_each_failing_operation([](FaultyFileSystem& files, std::uint64_t) { files.lose_power(); });
}

TEST(JournalFaults, EveryPowerLossThatLeavesSomeUnsyncedBytesIsSurvived) {
  for_each_failing_operation([](FaultyFileSystem& files, std::uint64_t n) {
    files.lose_power(Survives::RandomPrefix, static_cast<std::uint32_t>(n));
  });
}

/// What a start takes from the journal, and so acknowledges, must not vanish with the power.
void expect_start_is_durable(FaultyFileSystem& files) {
  Lsn taken;
  {
    const JournalWriter writer(files, small_segments(), sample_origin());
    taken = writer.position();
  }
  files.lose_power();
  const JournalWriter writer(files, small_segments(), sample_origin());
  EXPECT_GE(writer.position(), taken);
}

/// An ended process leaves bytes that only the page cache holds, and some that the kernel takes for
/// written although they are not.
TEST(JournalFaults, WhatRecoveryTookFromAFailedRunSurvivesAPowerLoss) {
  const std::uint64_t operations = operations_of_a_run();
  for (const Fault kind : kFaults) {
    for (std::uint64_t n = 1; n <= operations; n += kStep) {
      SCOPED_TRACE(fmt::format("operation {}, fault {}", n, static_cast<int>(kind)));
      FaultyFileSystem files;
      Replication replication(files);
      files.fail_operation(n, kind);
      EXPECT_THROW(replication.run(), Error);
      files.kill();
      expect_start_is_durable(files);
    }
  }
}

/// The service manager starts it again and again: a start whose fsync failed leaves such bytes too.
TEST(JournalFaults, WhatRecoveryTookFromAFailedRecoverySurvivesAPowerLoss) {
  const std::uint64_t operations = operations_of_a_run();
  for (std::uint64_t first = 40; first <= operations; first += 31) {
    bool failed = true;
    for (std::uint64_t n = 1; failed; n += kStep) {
      SCOPED_TRACE(fmt::format("operations {} and {}", first, n));
      FaultyFileSystem files;
      Replication replication(files);
      files.fail_operation(first);
      EXPECT_THROW(replication.run(), Error);
      files.kill();
      files.fail_operation(n, Fault::KeptClean);
      failed = false;
      try {
        const JournalWriter writer(files, small_segments(), sample_origin());
      } catch (const Error&) {
        failed = true;
      }
      files.kill();
      expect_start_is_durable(files);
    }
  }
}

/// One fault in a run, here and there along it, and then one at each operation of the recovery.
void for_each_fault_in_recovery(Fault kind) {
  const std::uint64_t operations = operations_of_a_run();
  for (std::uint64_t first = 40; first <= operations; first += 31) {
    bool failed = true;
    for (std::uint64_t n = 1; failed; n += kStep) {
      SCOPED_TRACE(fmt::format("operations {} and {}", first, n));
      FaultyFileSystem files;
      Replication replication(files);
      files.fail_operation(first);
      EXPECT_THROW(replication.run(), Error);
      files.kill();
      files.fail_operation(n, kind);
      failed = false;
      try {
        replication.expect_acknowledged_is_there();
      } catch (const Error&) {
        failed = true;
      }
      files.lose_power(Survives::RandomPrefix, static_cast<std::uint32_t>(n));
      ASSERT_NO_THROW(replication.run());
      replication.expect_all_is_there();
    }
  }
}

TEST(JournalFaults, AFaultDuringRecoveryIsSurvived) {
  for (const Fault kind : kFaults) {
    for_each_fault_in_recovery(kind);
  }
}

TEST(JournalFaults, APowerLossDuringReleaseLeavesNoGap) {
  for (std::uint32_t n = 1; n <= 40; ++n) {
    FaultyFileSystem files;
    {
      JournalWriter writer(files, small_segments(), sample_origin());
      for (std::uint32_t transaction = 1; transaction <= kTransactions; ++transaction) {
        JournalBlock block = nth_transaction(transaction);
        writer.append(block);
      }
      writer.sync();
      ASSERT_GE(list_segments(files, kDirectory).size(), 5U);
      files.fail_operation(1 + n % 8);
      EXPECT_THROW(writer.release_below(nth_end(kTransactions)), Error);
    }
    files.lose_power(Survives::RandomPrefix, n);
    JournalWriter writer(files, small_segments(), sample_origin());
    EXPECT_EQ(writer.position(), nth_end(kTransactions));
    const Lsn begin = journal_begin(files).value_or(Lsn{});
    EXPECT_LE(begin, nth_end(kTransactions));
    EXPECT_NO_THROW(read_transactions(files, begin));
    EXPECT_THROW(read_transactions(files, Lsn{begin.value - 1}), Error);
    writer.release_below(nth_end(kTransactions));
    EXPECT_FALSE(
        open_segment(files, kDirectory, list_segments(files, kDirectory).front()).header.open);
  }
}

/// As after a restore from a backup: every byte is right and none is on the disk yet.
TEST(JournalFaults, RecoveryMakesEverySegmentItKeepsDurable) {
  FaultyFileSystem original;
  Replication(original).run();
  FaultyFileSystem files;
  files.create_directories(kDirectory);
  for (const std::uint64_t number : list_segments(original, kDirectory)) {
    const std::string path = segment_path(kDirectory, number);
    files.create(path)->append(original.content(path));
  }
  { const JournalWriter writer(files, small_segments(), sample_origin()); }
  files.lose_power();
  EXPECT_EQ(list_segments(files, kDirectory), list_segments(original, kDirectory));
  const Lsn begin = journal_begin(files).value_or(Lsn{});
  EXPECT_EQ(read_transactions(files, begin), read_transactions(original, begin));
}

/// A teardown that failed at any operation is completed by the next one.
TEST(JournalFaults, EveryFailingOperationOfATeardownIsSurvived) {
  const auto tear_down = [](FaultyFileSystem& files) {
    const auto lock = lock_journal(files, kDirectory);
    remove_journal(files, kDirectory, *lock);
  };
  std::uint64_t operations = 0;
  for (const Fault kind : kFaults) {
    bool failed = true;
    for (std::uint64_t n = 1; failed; n += kStep) {
      SCOPED_TRACE(fmt::format("operation {}, fault {}", n, static_cast<int>(kind)));
      FaultyFileSystem files;
      Replication(files).run();
      files.fail_operation(n, kind);
      failed = false;
      try {
        tear_down(files);
      } catch (const Error&) {
        failed = true;
        operations = std::max(operations, n);
      }
      files.lose_power(Survives::RandomPrefix, static_cast<std::uint32_t>(n));
      ASSERT_NO_THROW(tear_down(files));
      EXPECT_THAT(files.list(kDirectory), ::testing::IsEmpty());
      files.lose_power();
      EXPECT_THAT(files.list(kDirectory), ::testing::IsEmpty());
    }
  }
  EXPECT_GT(operations, 10U);
}

}  // namespace
}  // namespace re_dms::journal_faults_test
