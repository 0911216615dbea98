// What a release may take, so that a full journal always gets room again and no reader loses its
// place.
#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "base/testing/faulty_file_system.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"
#include "schema/catalog_json.h"

namespace re_dms::journal_release_test {
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
  EXPECT_FALSE(writer_->would_release_below(kSampleStart));
  EXPECT_TRUE(writer_->would_release_below(nth_end(2)));
  writer_->release_below(nth_end(2));
  EXPECT_FALSE(writer_->would_release_below(nth_end(2))) << "it is done";
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

TEST_F(JournalRelease, WhatAReaderHasStillToReadIsKnownToTheByte) {
  constexpr std::chrono::milliseconds kNoWait{0};
  const JournalPlace begin =
      JournalReader(files_, kDirectory, &writer_->tail(), kSampleStart).place();
  EXPECT_EQ(writer_->bytes_behind(begin), 0U);
  for (std::uint32_t n = 1; n <= 6; ++n) {
    write(n % 2 == 0 ? nth_transaction(n) : large_transaction(n).commit(nth_commit(n)).take());
  }
  const std::uint64_t all = writer_->bytes_behind(begin);
  EXPECT_EQ(all, writer_->bytes() - begin.offset);
  JournalReader reader(files_, kDirectory, &writer_->tail(), kSampleStart);
  std::uint64_t left = all;
  while (reader.next(kNoWait, {})) {
    EXPECT_LT(writer_->bytes_behind(reader.place()), left);
    left = writer_->bytes_behind(reader.place());
  }
  EXPECT_EQ(left, 0U);
  EXPECT_EQ(writer_->bytes_behind({reader.place().segment + 1, 0}), 0U);
}

/// What the catalog said at a position makes tables of which no row came yet. A load up to that
/// position has not seen it, so a reader that starts there must still find it.
class FactsAtAPosition : public JournalRelease {
 protected:
  static constexpr Oid kTables = 3000;

  /// As a first start and every minute's answer do: thousands of tables, more than a segment.
  static StreamSample all_tables() {
    std::vector<Oid> tables(kTables);
    std::iota(tables.begin(), tables.end(), Oid{1});
    return StreamSample().catalog(tables);
  }

  /// One record for each table.
  static StreamSample each_table() {
    StreamSample sample;
    for (Oid table = 1; table <= kTables; ++table) {
      sample.catalog({table});
    }
    return sample;
  }

  std::set<Oid> tables_from(Lsn from) {
    std::set<Oid> tables;
    JournalReader reader(files_, kDirectory, nullptr, from);
    while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
      for (RecordCursor cursor(unit->records); !cursor.at_end();) {
        const RecordView record = cursor.next();
        if (unit->kind == UnitKind::Facts && record.kind == RecordKind::Catalog) {
          for (const CatalogTable& table : catalog_from_json(record.body)) {
            tables.insert(table.schema.oid);
          }
        }
      }
    }
    return tables;
  }
};

TEST_F(FactsAtAPosition, StayBehindASegmentsBorder) {
  write(all_tables().take());
  writer_->release_below(kSampleStart);
  EXPECT_EQ(tables_from(kSampleStart).size(), kTables);
  write(nth_transaction(1));
  write(each_table().take());
  write(StreamSample().begin(2, nth_commit(2)).take());
  writer_->release_below(nth_end(1));
  EXPECT_EQ(tables_from(nth_end(1)).size(), kTables);
}

TEST_F(FactsAtAPosition, AreNoBoundThatAnyLoadCouldFree) {
  write(all_tables().take());
  ASSERT_GT(writer_->bytes(), 20'000U);
  EXPECT_FALSE(writer_->full());
  write(nth_transaction(1));
  EXPECT_TRUE(writer_->full());
  writer_->release_below(nth_end(1));
  EXPECT_FALSE(writer_->full());
  EXPECT_LT(writer_->bytes(), 20'000U);
}

TEST_F(FactsAtAPosition, StayWhenATransactionBehindThemIsAborted) {
  write(nth_transaction(1));
  write(StreamSample().catalog({7, 8}).take());
  write(large_transaction(2).abort().take());
  writer_->release_below(nth_end(1));
  EXPECT_FALSE(writer_->full());
  EXPECT_EQ(tables_from(nth_end(1)), (std::set<Oid>{7, 8}));
}

TEST_F(FactsAtAPosition, StayWhenARestartAbortsTheTransactionBehindThem) {
  write(nth_transaction(1));
  write(StreamSample().catalog({7, 8}).take());
  write(large_transaction(2).take());
  open();
  writer_->release_below(nth_end(1));
  EXPECT_FALSE(writer_->full());
  EXPECT_EQ(tables_from(nth_end(1)), (std::set<Oid>{7, 8}));
  write(large_transaction(2).abort().take());
  writer_->release_below(nth_end(1));
  EXPECT_EQ(tables_from(nth_end(1)), (std::set<Oid>{7, 8}));
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
}  // namespace re_dms::journal_release_test
