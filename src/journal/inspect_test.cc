#include "journal/inspect.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/testing/faulty_file_system.h"
#include "journal/journal_writer.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::inspect_test {
namespace {

using ::testing::HasSubstr;

const std::string kDirectory(kSampleDirectory);

class Inspection : public ::testing::Test {
 protected:
  Inspection() {
    JournalWriter writer(files_, sample_limits(), sample_origin());
    StreamSample sample;
    sample.begin(1, nth_commit(1)).relation(16384).insert(16384, "a").abort();
    JournalBlock aborted = sample.take();
    writer.append(aborted);
    for (std::uint32_t n = 1; n <= 40; ++n) {
      JournalBlock block = nth_transaction(n);
      writer.append(block);
    }
    writer.sync();
  }

  std::string inspect(bool sound, bool json) {
    std::ostringstream out;
    EXPECT_EQ(inspect_journal(files_, kDirectory, out, json), sound);
    return out.str();
  }

  FaultyFileSystem files_;
};

TEST_F(Inspection, TellsWhatEachSegmentHolds) {
  const std::vector<SegmentReport> reports = report_segments(files_, kDirectory);
  ASSERT_GE(reports.size(), 2U);
  EXPECT_EQ(reports[0].position, kSampleStart);
  EXPECT_EQ(reports[0].first_commit, nth_commit(1));
  EXPECT_EQ(reports[0].aborts, 1U);
  EXPECT_EQ(reports[1].position, reports[0].last_commit_end);
  std::uint64_t transactions = 0;
  std::uint64_t rows = 0;
  for (const SegmentReport& report : reports) {
    transactions += report.transactions;
    rows += report.rows;
    EXPECT_EQ(report.bytes, files_.content(report.file).size());
    EXPECT_EQ(report.tables.size(), 3U);
    EXPECT_EQ(report.tables.at(16385), "public.t16385");
  }
  EXPECT_EQ(transactions, 40U);
  std::uint64_t expected_rows = 1;
  for (std::uint32_t n = 1; n <= 40; ++n) {
    expected_rows += nth_rows(n);
  }
  EXPECT_EQ(rows, expected_rows);
}

TEST_F(Inspection, PrintsForPeopleAndForScripts) {
  const std::string text = inspect(true, false);
  EXPECT_THAT(text, HasSubstr("0000000000000001.journal"));
  EXPECT_THAT(text, HasSubstr("table public.t16384 (16384)"));
  EXPECT_THAT(text, HasSubstr("40 transactions"));
  EXPECT_THAT(text, HasSubstr(": sound\n"));
  const auto json = nlohmann::json::parse(inspect(true, true));
  EXPECT_TRUE(json.at("sound").get<bool>());
  EXPECT_EQ(json.at("segments")[0].at("first_commit_lsn"), to_string(nth_commit(1)));
  EXPECT_FALSE(json.at("segments")[0].contains("fault"));
}

TEST_F(Inspection, NamesTheFirstBadByteAndGoesOnBehindIt) {
  const std::string path = segment_path(kDirectory, 1);
  std::string bytes = files_.content(path);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  files_.put(path, bytes);
  const std::vector<SegmentReport> reports = report_segments(files_, kDirectory);
  ASSERT_TRUE(reports[0].fault);
  EXPECT_LE(reports[0].fault->offset, bytes.size() / 2);
  EXPECT_GT(reports[0].fault->offset, bytes.size() / 2 - 100);
  EXPECT_FALSE(reports[1].fault);
  EXPECT_GT(reports[1].transactions, 0U);
  EXPECT_THAT(inspect(false, false), HasSubstr("DAMAGED, first in /journal/0000000000000001"));
  EXPECT_FALSE(nlohmann::json::parse(inspect(false, true)).at("sound").get<bool>());
}

TEST_F(Inspection, CopesWithAnyDamage) {
  const std::string path = segment_path(kDirectory, 1);
  const std::string whole = files_.content(path);
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
    files_.put(path, bytes);
    inspect(false, at % 2 == 0);
    files_.put(path, whole.substr(0, at));
    inspect(false, at % 2 == 0);
  }
  files_.put(path, whole);
  files_.remove(segment_path(kDirectory, 2));
  EXPECT_THAT(inspect(false, false), HasSubstr("are missing"));
  files_.remove(path);
  inspect(true, false);
}

TEST(InspectionOfNothing, IsSound) {
  FaultyFileSystem files;
  std::ostringstream out;
  EXPECT_TRUE(inspect_journal(files, "/nowhere", out, false));
  EXPECT_EQ(out.str(), "0 segments, 0 bytes, 0 transactions, 0 rows: sound\n");
}

}  // namespace
}  // namespace re_dms::inspect_test
