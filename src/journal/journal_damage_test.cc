// Bytes that were changed are refused or cut, never taken for something else.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "base/testing/sanitizer.h"
#include "journal/journal_writer.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::journal_damage_test {
namespace {

const std::string kDirectory(kSampleDirectory);

JournalLimits small_segments() {
  JournalLimits limits = sample_limits();
  limits.segment_bytes = 1500;
  return limits;
}

/// Every byte is changed and every length cut; under a sanitizer one of seven.
constexpr std::size_t kStep = kUnderSanitizer ? 7 : 1;

/// A journal of three segments, and what a reader must find in it at most.

class DamagedJournal : public ::testing::Test {
 protected:
  void SetUp() override {
    JournalWriter writer(sound_, small_segments(), sample_origin());
    for (std::uint32_t n = 1; n <= 12; ++n) {
      JournalBlock block = nth_transaction(n);
      writer.append(block);
    }
    writer.sync();
    numbers_ = list_segments(sound_, kDirectory);
    ASSERT_GE(numbers_.size(), 3U);
    transactions_ = read_transactions(sound_, kSampleStart);
    ASSERT_EQ(transactions_.size(), 12U);
  }

  bool is_a_beginning(const std::vector<std::string>& found) const {
    return found.size() <= transactions_.size() &&
           std::equal(found.begin(), found.end(), transactions_.begin());
  }

  /// Reads and recovers a journal with one file replaced; says how often it was refused.
  int refusals(const std::string& path, const std::string& bytes) {
    FaultyFileSystem files;
    copy_journal(sound_, files);
    files.put(path, bytes);
    int refused = 0;
    try {
      EXPECT_TRUE(is_a_beginning(read_transactions(files, kSampleStart)));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Fatal);
      ++refused;
    }
    try {
      { const JournalWriter writer(files, small_segments(), sample_origin()); }
      EXPECT_TRUE(is_a_beginning(read_transactions(files, kSampleStart)));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Fatal);
      ++refused;
    }
    return refused;
  }

  FaultyFileSystem sound_;
  std::vector<std::uint64_t> numbers_;
  std::vector<std::string> transactions_;
};

TEST_F(DamagedJournal, EveryChangedByteIsRefusedOrCut) {
  for (const std::uint64_t number : numbers_) {
    const std::string path = segment_path(kDirectory, number);
    const std::string whole = sound_.content(path);
    const std::uint64_t header = open_segment(sound_, kDirectory, number).header_bytes;
    for (std::size_t at = 0; at < whole.size(); at += kStep) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
      const int refused = refusals(path, bytes);
      if (number != numbers_.back() || at < header) {
        EXPECT_EQ(refused, 2) << path << " byte " << at;
      }
    }
  }
}

TEST_F(DamagedJournal, ATornTailIsCutAtEveryLength) {
  const std::string path = segment_path(kDirectory, numbers_.back());
  const std::string whole = sound_.content(path);
  const std::uint64_t header = open_segment(sound_, kDirectory, numbers_.back()).header_bytes;
  for (std::size_t size = 0; size < whole.size(); size += kStep) {
    EXPECT_EQ(refusals(path, whole.substr(0, size)), size < header ? 2 : 0) << size;
    if (size >= header) {
      const std::string zeros(whole.size() - size, '\0');
      EXPECT_EQ(refusals(path, whole.substr(0, size) + zeros), 0) << size;
    }
  }
}

TEST_F(DamagedJournal, BytesOfAnotherSegmentNeverPass) {
  const std::string path = segment_path(kDirectory, numbers_.back());
  const std::string whole = sound_.content(path);
  const std::string other = sound_.content(segment_path(kDirectory, numbers_.front()));
  const std::uint64_t records = open_segment(sound_, kDirectory, numbers_.front()).header_bytes;
  EXPECT_EQ(refusals(path, whole + other.substr(records)), 0);
  EXPECT_EQ(refusals(path, other), 2);
}

TEST_F(DamagedJournal, AnEarlierSegmentIsNeverCut) {
  const std::string path = segment_path(kDirectory, numbers_.front());
  const std::string whole = sound_.content(path);
  for (std::size_t size = 0; size < whole.size(); size += kStep) {
    EXPECT_EQ(refusals(path, whole.substr(0, size)), 2) << size;
  }
}

}  // namespace
}  // namespace re_dms::journal_damage_test
