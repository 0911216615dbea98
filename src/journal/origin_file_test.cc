#include "journal/origin_file.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "journal/journal_writer.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::origin_file_test {
namespace {

const std::string kDirectory(kSampleDirectory);

TEST(OriginFile, SurvivesAPowerLossOnceStored) {
  FaultyFileSystem files;
  EXPECT_EQ(load_origin(files, kDirectory), std::nullopt);
  Origin origin = sample_origin();
  origin.admitted = {16384, 4294967295U};
  origin.slot_is_ours = false;
  store_origin(files, kDirectory, origin);
  files.lose_power();
  const auto loaded = load_origin(files, kDirectory);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->system_identifier, origin.system_identifier);
  EXPECT_EQ(loaded->timeline, origin.timeline);
  EXPECT_EQ(loaded->database, origin.database);
  EXPECT_EQ(loaded->slot, origin.slot);
  EXPECT_EQ(loaded->publication, origin.publication);
  EXPECT_EQ(loaded->server_version, origin.server_version);
  EXPECT_TRUE(loaded->created);
  EXPECT_FALSE(loaded->slot_is_ours);
  EXPECT_EQ(loaded->consistent_point, origin.consistent_point);
  EXPECT_EQ(loaded->admitted, origin.admitted);
}

TEST(OriginFile, HoldsTheOldOrTheNewStateAfterAnyFault) {
  for (std::uint32_t n = 1;; ++n) {
    FaultyFileSystem files;
    Origin origin = sample_origin();
    origin.created = false;
    store_origin(files, kDirectory, origin);
    origin.created = true;
    files.fail_operation(n);
    bool failed = false;
    try {
      store_origin(files, kDirectory, origin);
    } catch (const Error&) {
      failed = true;
    }
    files.lose_power(Survives::RandomPrefix, n);
    const auto loaded = load_origin(files, kDirectory);
    ASSERT_TRUE(loaded) << "operation " << n;
    EXPECT_EQ(loaded->slot, origin.slot);
    if (!failed) {
      EXPECT_TRUE(loaded->created);
      break;
    }
  }
}

TEST(OriginFile, RefusesWhatItCannotRead) {
  for (const char* text : {"", "{", "{\"format\": 1}", "{\"format\": 2}", "[]"}) {
    FaultyFileSystem files;
    files.put(kDirectory + "/origin.json", text);
    EXPECT_THROW(load_origin(files, kDirectory), Error) << text;
  }
}

/// A start without it would begin anew, and remove rows that the slot no longer has.
TEST(OriginFile, IsMissedBesideSegments) {
  FaultyFileSystem files;
  files.put(segment_path(kDirectory, 1), "");
  EXPECT_THROW(load_origin(files, kDirectory), Error);
}

TEST(JournalDirectory, IsHeldByOne) {
  FaultyFileSystem files;
  auto held = lock_journal(files, kDirectory);
  EXPECT_THROW(lock_journal(files, kDirectory), Error);
  held.reset();
  EXPECT_NO_THROW(lock_journal(files, kDirectory));
}

void remove(FileSystem& files) {
  remove_journal(files, kDirectory, *lock_journal(files, kDirectory));
}

TEST(JournalDirectory, IsRemovedButForWhatIsNotOurs) {
  FaultyFileSystem files;
  remove(files);
  store_origin(files, kDirectory, sample_origin());
  { const JournalWriter writer(files, sample_limits(), sample_origin()); }
  files.put(kDirectory + "/notes.txt", "theirs");
  remove(files);
  files.lose_power();
  EXPECT_THAT(files.list(kDirectory), ::testing::ElementsAre("notes.txt"));
  remove(files);
}

}  // namespace
}  // namespace re_dms::origin_file_test
