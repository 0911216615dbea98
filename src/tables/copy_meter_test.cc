#include "tables/copy_meter.h"

#include <gtest/gtest.h>

#include "base/testing/manual_clock.h"

namespace re_dms::copy_meter_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kMiB = 1U << 20;

class CopyMeterTest : public ::testing::Test {
 protected:
  CopyMeterTest() { clock_.advance(seconds(1)); }

  static QualifiedName name(Oid oid) { return {"public", "t" + std::to_string(oid)}; }

  void leave(Oid oid) { tables_.leave({oid, name(oid), "because", Lsn{500}, Remedy::Copy}); }

  void begin(Oid oid, std::uint64_t rows, std::uint64_t bytes) {
    leave(oid);
    tables_.begin_copy({oid}, Lsn{1000});
    tables_.estimate(oid, rows, bytes);
    meter_.read();
  }

  void copied(Oid oid) {
    TableSchema table;
    table.oid = oid;
    table.name = name(oid);
    tables_.copied(std::make_shared<const TableSchema>(table), Lsn{1200});
  }

  /// A second passes, in which so much of a table is copied.
  CopyFigures second(Oid oid, std::uint64_t rows, std::uint64_t bytes) {
    clock_.advance(seconds(1));
    tables_.copied_some(oid, Lsn{1000}, rows, bytes);
    return meter_.read();
  }

  ManualClock clock_;
  TableStates tables_{clock_, copy_pauses()};
  CopyMeter meter_{tables_, clock_};
};

TEST_F(CopyMeterTest, ATablesPaceIsThatOfTheLastHalfMinute) {
  begin(1, 1000, 100 * kMiB);
  for (int i = 0; i < 100; ++i) {
    clock_.advance(seconds(1));
    EXPECT_EQ(meter_.read().paces.at(1).rows_per_second, std::nullopt) << "it has not begun";
  }
  EXPECT_EQ(second(1, 10, kMiB).paces.at(1).bytes_per_second, std::nullopt) << "too early";
  second(1, 10, kMiB);
  CopyFigures figures = second(1, 10, kMiB);
  EXPECT_EQ(figures.paces.at(1).rows_per_second, 10.0);
  EXPECT_EQ(figures.paces.at(1).bytes_per_second, 1.0 * kMiB);
  EXPECT_EQ(figures.paces.at(1).seconds_left, 97.0);
  for (int i = 0; i < 30; ++i) {
    figures = second(1, 20, 2 * kMiB);
  }
  EXPECT_EQ(figures.paces.at(1).rows_per_second, 20.0);
  EXPECT_EQ(figures.paces.at(1).seconds_left, 18.5);
  EXPECT_EQ(figures.wave.pace.rows_per_second, 20.0);
  EXPECT_EQ(figures.wave.pace.seconds_left, 18.5);
  for (int i = 0; i < 30; ++i) {
    figures = second(1, 0, 0);
  }
  EXPECT_EQ(figures.paces.at(1).rows_per_second, std::nullopt) << "it stands still";
  EXPECT_EQ(figures.paces.at(1).seconds_left, std::nullopt);
}

TEST_F(CopyMeterTest, MoreThanAllIsNeverDone) {
  begin(1, 10, 10 * kMiB);
  second(1, 5, 6 * kMiB);
  const CopyFigures figures = second(1, 5, 6 * kMiB);
  EXPECT_EQ(figures.wave.bytes, 10 * kMiB);
  EXPECT_EQ(figures.wave.bytes_estimated, 10 * kMiB);
  EXPECT_EQ(bytes_done(figures.tables.at(0)), 10 * kMiB);
  EXPECT_EQ(figures.paces.at(1).seconds_left, std::nullopt)
      << "what remains is not counted in bytes";
}

TEST_F(CopyMeterTest, AWaveCountsWhatBecameLiveToo) {
  begin(1, 10, kMiB);
  begin(2, 30, 3 * kMiB);
  leave(3);
  CopyWave wave = second(1, 10, kMiB).wave;
  EXPECT_EQ(wave.number, 1U);
  EXPECT_FALSE(wave.ended);
  EXPECT_EQ(wave.waiting, 1U);
  EXPECT_EQ(wave.copying, 2U);
  EXPECT_FALSE(wave.sized) << "the third one's size is not known yet";
  tables_.estimate(3, 0, 4 * kMiB);
  copied(1);
  wave = second(2, 10, kMiB).wave;
  EXPECT_EQ(wave.catching_up, 1U);
  EXPECT_EQ(wave.rows, 20U);
  EXPECT_EQ(wave.bytes, 2 * kMiB);
  EXPECT_EQ(wave.bytes_estimated, 8 * kMiB);
  EXPECT_EQ(wave.pace.bytes_per_second, std::nullopt) << "too early";
  tables_.joined({{1, Lsn{1200}}});
  wave = second(2, 10, kMiB).wave;
  EXPECT_EQ(wave.live, 1U);
  EXPECT_EQ(wave.catching_up, 0U);
  EXPECT_EQ(wave.bytes, 3 * kMiB) << "it still counts";
  EXPECT_EQ(wave.rows, 30U);
  EXPECT_EQ(wave.pace.bytes_per_second, 1.0 * kMiB);
  EXPECT_EQ(wave.pace.seconds_left, 5.0);
}

TEST_F(CopyMeterTest, AWaveEndsWithItsLastTableAndTheNextBeginsAtZero) {
  EXPECT_EQ(meter_.read().wave.number, 0U);
  begin(1, 10, kMiB);
  second(1, 10, kMiB);
  copied(1);
  tables_.joined({{1, Lsn{1200}}});
  clock_.advance(seconds(1));
  CopyWave wave = meter_.read().wave;
  EXPECT_TRUE(wave.ended);
  EXPECT_EQ(wave.live, 1U);
  EXPECT_EQ(wave.rows, 10U);
  EXPECT_EQ(wave.seconds, 2.0);
  clock_.advance(seconds(60));
  wave = meter_.read().wave;
  EXPECT_EQ(wave.seconds, 2.0);
  begin(2, 10, kMiB);
  wave = second(2, 4, 100).wave;
  EXPECT_EQ(wave.number, 2U);
  EXPECT_EQ(wave.live, 0U);
  EXPECT_EQ(wave.rows, 4U);
  EXPECT_EQ(wave.bytes, 100U);
}

TEST_F(CopyMeterTest, ATableThatWasCopiedBetweenTwoLooksIsCounted) {
  meter_.read();
  leave(1);
  tables_.begin_copy({1}, Lsn{1000});
  tables_.copied_some(1, Lsn{1000}, 10, 100);
  copied(1);
  tables_.joined({{1, Lsn{1200}}});
  for (int i = 0; i < 2; ++i) {
    const CopyWave wave = meter_.read().wave;
    EXPECT_EQ(wave.number, 1U);
    EXPECT_TRUE(wave.ended);
    EXPECT_EQ(wave.live, 1U);
    EXPECT_EQ(wave.rows, 10U);
  }
}

TEST_F(CopyMeterTest, ATableWhoseCopyFailedIsNotWaitedForWhileItWaits) {
  begin(1, 10, kMiB);
  second(1, 5, kMiB / 2);
  tables_.copy_failed(1, "the source is away");
  CopyWave wave = second(1, 0, 0).wave;
  EXPECT_EQ(wave.waiting, 1U);
  EXPECT_EQ(wave.rows, 0U) << "it is begun anew";
  EXPECT_EQ(wave.bytes_estimated, kMiB) << "its size is known";
  EXPECT_FALSE(wave.ended) << "its pause is over";
  tables_.begin_copy({1}, Lsn{1000});
  tables_.copy_failed(1, "the source is away");
  wave = meter_.read().wave;
  EXPECT_TRUE(wave.ended);
  EXPECT_EQ(wave.waiting, 1U);
}

TEST_F(CopyMeterTest, ATableThatCatchesUpTellsHowMuchOfTheJournalIsLeft) {
  begin(1, 10, kMiB);
  second(1, 10, kMiB);
  copied(1);
  EXPECT_EQ(meter_.read().paces.at(1).seconds_left, std::nullopt);
  for (const std::uint64_t left : {100, 110, 95, 90}) {
    tables_.journal_left({1}, left * kMiB);
    clock_.advance(seconds(1));
    meter_.read();
  }
  const CopyFigures figures = meter_.read();
  EXPECT_EQ(figures.wave.journal_bytes_left, 90 * kMiB);
  EXPECT_EQ(figures.paces.at(1).rows_per_second, std::nullopt);
  EXPECT_NEAR(figures.paces.at(1).bytes_per_second.value_or(0), 10.0 * kMiB, 1);
  EXPECT_NEAR(figures.paces.at(1).seconds_left.value_or(0), 9, 0.01);
  EXPECT_EQ(figures.wave.pace.seconds_left, figures.paces.at(1).seconds_left);
}

}  // namespace
}  // namespace re_dms::copy_meter_test
