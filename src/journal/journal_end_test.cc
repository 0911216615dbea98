// The last segment at a start: written anew unless an orderly end proved that it is on the disk.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "base/error.h"
#include "base/testing/faulty_file_system.h"
#include "journal/journal_writer.h"
#include "journal/proven_end.h"
#include "journal/segment_file.h"
#include "journal/testing/stream_sample.h"

namespace re_dms::journal_end_test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kDirectory(kSampleDirectory);

class JournalEnd : public ::testing::Test {
 protected:
  std::unique_ptr<JournalWriter> start(FileSystem& files) {
    return std::make_unique<JournalWriter>(files, sample_limits(), sample_origin());
  }

  void write(std::uint32_t transaction) {
    JournalBlock block = nth_transaction(transaction);
    writer_->append(block);
    writer_->sync();
  }

  /// What a start on a machine with the same files does to them.
  std::set<std::string> operations_of_a_start() {
    FaultyFileSystem files;
    for (const std::string& name : files_.list(kDirectory)) {
      const std::string path = fmt::format("{}/{}", kDirectory, name);
      files.put(path, files_.content(path));
    }
    start(files);
    return files.kinds_of_operations();
  }

  FaultyFileSystem files_;
  std::unique_ptr<JournalWriter> writer_ = start(files_);
};

TEST_F(JournalEnd, OfAnOrderlyStopIsLeftAsItIs) {
  write(1);
  EXPECT_THAT(operations_of_a_start(), Contains("rename"));
  writer_->close();
  EXPECT_THAT(operations_of_a_start(), Not(Contains("rename")));
  EXPECT_THAT(operations_of_a_start(), Not(Contains("write")));
}

TEST_F(JournalEnd, ThatCannotBeReadProvesNothing) {
  write(1);
  writer_->close();
  files_.put(proven_end_path(kDirectory), "{");
  EXPECT_THAT(operations_of_a_start(), Contains("rename"));
}

TEST_F(JournalEnd, ProvesNothingOfWhatTheNextRunAppends) {
  write(1);
  writer_->close();
  writer_ = start(files_);
  JournalBlock block = nth_transaction(2);
  writer_->append(block);
  files_.fail_operation(1, Fault::KeptClean);
  EXPECT_THROW(writer_->sync(), Error);
  files_.kill();
  EXPECT_EQ(start(files_)->position(), nth_end(2));
  files_.lose_power();
  EXPECT_EQ(start(files_)->position(), nth_end(2));
}

/// The disk is full: the start says what it needs, leaves the old file and takes its own away.
TEST_F(JournalEnd, ThatCannotBeWrittenIsLeftAsItWas) {
  write(1);
  files_.kill();
  const std::vector<std::string> before = files_.list(kDirectory);
  const std::string path = segment_path(kDirectory, 1);
  const std::string content = files_.content(path);
  bool refused = false;
  for (std::uint64_t n = 1; !refused; ++n) {
    files_.fail_operation(n);
    try {
      start(files_);
      FAIL() << "no write failed";
    } catch (const Error& error) {
      refused = error.message().find("cannot write") != std::string::npos;
      EXPECT_TRUE(!refused || error.message().find("rewritten") != std::string::npos)
          << error.what();
    }
    files_.kill();
  }
  EXPECT_EQ(files_.list(kDirectory), before);
  EXPECT_EQ(files_.content(path), content);
  EXPECT_EQ(start(files_)->position(), nth_end(1));
}

TEST_F(JournalEnd, IsRefusedWhenItChangesWhileItIsRead) {
  write(1);
  writer_->close();
  ProvenEnd end = load_proven_end(files_, kDirectory).value();
  ++end.crc;
  try {
    renew_segment(files_, kDirectory, end);
    FAIL() << "took other bytes for those that were checked";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("changed at byte"));
  }
  EXPECT_THAT(files_.list(kDirectory), Not(Contains("0000000000000001.journal.new")));
}

}  // namespace
}  // namespace re_dms::journal_end_test
