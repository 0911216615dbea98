// What a release may take, so that a full journal always gets room again and no reader loses its
// place.
#include <gtest/gtest.h>

#include "base/testing/faulty_file_system.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms {
namespace {

const std::string kDirectory(kSampleDirectory);

class JournalRelease : public ::testing::Test {
 protected:
  void SetUp() override { open(); }

  void open() {
    JournalLimits limits = sample_limits();
    limits.max_bytes = 20'000;
    writer_.reset();
    writer_ = std::make_unique<JournalWriter>(files_, limits, sample_origin());
  }

  void write(JournalBlock block) {
    writer_->append(block);
    writer_->sync();
  }

  /// Transaction `n` up to its end, of twice the bound.
  static StreamSample large_transaction(std::uint32_t n) {
    StreamSample sample;
    sample.begin(n, nth_commit(n)).relation(1);
    for (int row = 0; row < 40; ++row) {
      sample.insert(1, std::string(1000, 'x'));
    }
    return sample;
  }

  FaultyFileSystem files_;
  std::unique_ptr<JournalWriter> writer_;
};

TEST_F(JournalRelease, ATransactionLargerThanTheBoundGoesOnceItIsLoaded) {
  write(nth_transaction(1));
  write(large_transaction(2).commit(nth_commit(2)).take());
  EXPECT_TRUE(writer_->full());
  writer_->release_below(nth_end(2));
  EXPECT_LT(writer_->bytes(), 2'000U);
  EXPECT_FALSE(writer_->full());
  write(nth_transaction(3));
  EXPECT_EQ(read_transactions(files_, nth_end(2)).size(), 1U);
  open();
  EXPECT_EQ(writer_->position(), nth_end(3));
}

TEST_F(JournalRelease, AnAbortedTransactionLargerThanTheBoundGoes) {
  write(nth_transaction(1));
  write(large_transaction(2).abort().take());
  EXPECT_TRUE(writer_->full());
  writer_->release_below(nth_end(1));
  EXPECT_FALSE(writer_->full());
}

TEST_F(JournalRelease, AnUnfinishedTransactionLargerThanTheBoundGoesAfterARestart) {
  write(nth_transaction(1));
  write(large_transaction(2).take());
  open();
  EXPECT_TRUE(writer_->full());
  writer_->release_below(nth_end(1));
  EXPECT_FALSE(writer_->full());
}

/// A crash between the commit of a large transaction and the segment that is to begin behind it.
TEST_F(JournalRelease, ASegmentBeginsBehindALargeTransactionAtTheNextStart) {
  write(large_transaction(1).commit(nth_commit(1)).take());
  writer_.reset();
  const std::uint64_t last = list_segments(files_, kDirectory).back();
  files_.remove(segment_path(kDirectory, last));
  ASSERT_TRUE(open_segment(files_, kDirectory, last - 1).header.open);
  open();
  EXPECT_EQ(writer_->position(), nth_end(1));
  writer_->release_below(nth_end(1));
  EXPECT_EQ(list_segments(files_, kDirectory), std::vector<std::uint64_t>{last});
}

/// Cut off attempts lie below the loaded position and have nothing that a load could pass.
TEST_F(JournalRelease, AReaderKeepsTheAttemptItIsIn) {
  constexpr std::chrono::milliseconds kNoWait{0};
  JournalReader reader(files_, kDirectory, &writer_->tail(), kSampleStart, {500});
  write(nth_transaction(1));
  write(large_transaction(2).abort().take());
  write(large_transaction(2).abort().take());
  EXPECT_EQ(reader.next(kNoWait, {})->kind, UnitKind::Transaction);
  int aborts = 0;
  while (const auto unit = reader.next(kNoWait, {})) {
    writer_->release_below(nth_end(1));
    aborts += unit->kind == UnitKind::Abort ? 1 : 0;
    if (unit->kind == UnitKind::FirstPart) {
      EXPECT_TRUE(writer_->full());
    }
  }
  EXPECT_EQ(aborts, 2);
  writer_->release_below(nth_end(1));
  EXPECT_FALSE(writer_->full());
  write(nth_transaction(2));
  EXPECT_EQ(reader.next(kNoWait, {})->kind, UnitKind::Transaction);
}

}  // namespace
}  // namespace re_dms
