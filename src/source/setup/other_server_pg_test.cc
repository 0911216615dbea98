// The receive loop when a connection leads to a server that is not the journal's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "source/testing/stream_test.h"

namespace re_dms::other_server_pg_test {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

/// Beside the suite's server another one with the same table, publication and slot.
class OtherServer : public StreamTest {
 protected:
  void SetUp() override {
    StreamTest::SetUp();
    other_.execute("CREATE TABLE t (id int PRIMARY KEY, v text)");
    SourceSettings there = settings_;
    there.url = other_.url();
    Source(there).create_slot({}, [](const Origin&) {});
    other_.execute("INSERT INTO t VALUES (66, 'of another cluster')");
  }

  void TearDown() override {
    fs::remove_all(folder_);
    StreamTest::TearDown();
  }

  static std::string socket_folder(const ThrowawayPostgres& server) {
    const std::string url = server.url();
    return url.substr(url.find("host=") + 5);
  }

  /// A URL whose first connection leads to `first` and every later one to `then`: its host is a
  /// link that the password command turns.
  void lead_to(const ThrowawayPostgres& first, const ThrowawayPostgres& then) {
    std::string folder = (fs::temp_directory_path() / "re_dms_link_XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    settings_.url = "postgresql://postgres@/postgres?host=" + folder + "/link";
    settings_.password_command = "cd " + folder + "; if mkdir once 2>&-; then ln -s " +
                                 socket_folder(first) + " link; else ln -sfn " +
                                 socket_folder(then) + " link; fi; echo unused";
  }

  void expect_refusal() {
    const auto stream = start();
    const std::optional<Error> error = stream->ended();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->kind(), ErrorKind::Fatal) << error->what();
    EXPECT_THAT(error->message(), HasSubstr("the cluster"));
    EXPECT_THAT(stream->records(), ::testing::IsEmpty());
  }

  ThrowawayPostgres other_{{}, ThrowawayPostgres::Identity::Own};
  fs::path folder_ = "/nonexistent";
};

TEST_F(OtherServer, IsRefusedForBothConnections) {
  settings_.url = other_.url();
  expect_refusal();
}

TEST_F(OtherServer, IsRefusedForTheStreamAlone) {
  lead_to(*postgres_, other_);
  expect_refusal();
}

TEST_F(OtherServer, IsRefusedForCatalogQuestionsAlone) {
  lead_to(other_, *postgres_);
  expect_refusal();
}

}  // namespace
}  // namespace re_dms::other_server_pg_test
