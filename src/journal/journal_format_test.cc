// A segment of each format that this release reads, and the one that docs/journal_format.md shows.
#include <gmock/gmock.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/testing/faulty_file_system.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::journal_format_test {
namespace {

using ::testing::ElementsAre;

std::string file_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The bytes of a `hexdump -C` that stands in a text.
std::string bytes_of_dump(const std::string& text) {
  std::istringstream lines(text);
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t ascii = line.find("  |");
    if (line.size() < 10 || line.substr(8, 2) != "  " || ascii == std::string::npos) {
      continue;
    }
    std::istringstream pairs(line.substr(10, ascii - 10));
    for (std::string pair; pairs >> pair;) {
      bytes += static_cast<char>(std::stoi(pair, nullptr, 16));
    }
  }
  return bytes;
}

TEST(JournalFormat, SegmentsOfFormat1AreRead) {
  FaultyFileSystem files;
  files.put(segment_path(kSampleDirectory, 1),
            file_content(RE_DMS_JOURNAL_CORPUS "/format_1.journal"));
  EXPECT_THAT(read_units(files, kSampleStart),
              ElementsAre("Facts c16384", "Transaction B742 R16384 I16384:hello C", "Idle k"));
  const SegmentFile segment = open_segment(files, std::string(kSampleDirectory), 1);
  EXPECT_EQ(segment.header.version, "0.1.0");
  EXPECT_EQ(segment.header.origin.slot, "re_dms");
  EXPECT_EQ(segment.header.position, kSampleStart);
}

TEST(JournalFormat, TheDocumentedExampleIsThatSegment) {
  EXPECT_EQ(bytes_of_dump(file_content(RE_DMS_JOURNAL_FORMAT_DOCUMENT)),
            file_content(RE_DMS_JOURNAL_CORPUS "/format_1.journal"));
}

/// What is written today is what is documented, but for the header's release.
TEST(JournalFormat, TheExampleIsWrittenAsDocumented) {
  FaultyFileSystem files;
  JournalWriter writer(files, sample_limits(), sample_origin());
  const Lsn commit{0x14F2A90};
  JournalBlock block = StreamSample()
                           .catalog({16384})
                           .begin(742, commit)
                           .relation(16384)
                           .insert(16384, "hello")
                           .commit(commit)
                           .idle(Lsn{0x14F3000})
                           .take();
  writer.append(block);
  const std::string golden = file_content(RE_DMS_JOURNAL_CORPUS "/format_1.journal");
  const std::string written = files.content(segment_path(kSampleDirectory, 1));
  if (std::string_view(RE_DMS_VERSION) == "0.1.0") {
    EXPECT_EQ(written, golden);
  }
  EXPECT_EQ(written.substr(0, 16), golden.substr(0, 16));
  EXPECT_EQ(read_units(files, kSampleStart).size(), 3U);
}

}  // namespace
}  // namespace re_dms::journal_format_test
