// A first start that fails leaves no slot behind, and the next one works.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "base/testing/faulty_file_system.h"
#include "journal/origin_file.h"
#include "pipeline/pipeline.h"
#include "source/testing/error_of.h"
#include "source/testing/throwaway_postgres.h"

namespace re_dms::first_start_pg_test {
namespace {

const std::string kJournal = "/journal";

/// Fails each operation of the journal's disk, one after the other.
class FailingDisk : public ::testing::TestWithParam<Fault> {
 protected:
  static void SetUpTestSuite() { postgres_ = std::make_unique<ThrowawayPostgres>(); }

  static void TearDownTestSuite() { postgres_.reset(); }

  void SetUp() override {
    postgres_->execute(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)");
    settings_.source.url = postgres_->url();
    settings_.journal.directory = kJournal;
    settings_.warehouse.url =
        "duckdb://" + (std::filesystem::temp_directory_path() / "re_dms_none.duckdb").string();
  }

  void TearDown() override {
    postgres_->execute(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots;"
        "DROP PUBLICATION IF EXISTS re_dms");
  }

  void start(FileSystem& files) const {
    RunState state;
    Outcome outcome;
    set_up(settings_, files, state, outcome);
  }

  static std::string slots() {
    return postgres_->execute("SELECT count(*) FROM pg_replication_slots");
  }

  static std::string publications() {
    return postgres_->execute("SELECT count(*) FROM pg_publication");
  }

  static inline std::unique_ptr<ThrowawayPostgres> postgres_;
  PipelineSettings settings_;
};

TEST_P(FailingDisk, LeavesNoSlot) {
  std::set<std::string> messages;
  std::uint64_t n = 0;
  for (bool failed = true; failed;) {
    FaultyFileSystem files;
    files.fail_operation(++n, GetParam());
    const Error error = error_of([&] { start(files); });
    files.fail_operation(0);
    failed = error.message() != "nothing was thrown";
    if (failed) {
      messages.insert(error.message());
      ASSERT_EQ(slots(), "0") << n << ": " << error.what();
      ASSERT_EQ(publications(), "0") << n << ": " << error.what();
      // Also of what is durable nobody can think that there is a slot.
      files.lose_power();
      const auto left = load_origin(files, kJournal);
      ASSERT_FALSE(left && left->created) << n << ": " << error.what();
    }
    if (!failed || GetParam() == Fault::Done) {
      ASSERT_NO_THROW(failed ? start(files) : void()) << n << ": " << error.what();
      ASSERT_EQ(slots(), "1");
      ASSERT_TRUE(load_origin(files, kJournal)->created);
      TearDown();
    }
  }
  EXPECT_GT(n, 15U);
  EXPECT_GT(messages.size(), 8U);
}

INSTANTIATE_TEST_SUITE_P(Faults, FailingDisk, ::testing::Values(Fault::Half, Fault::Done));

}  // namespace
}  // namespace re_dms::first_start_pg_test
