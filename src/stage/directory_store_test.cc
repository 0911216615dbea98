#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/error.h"
#include "stage/object_store.h"
#include "stage/testing/staged_reader.h"

namespace re_dms::directory_store_test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class DirectoryStore : public testing::Test {
 protected:
  std::string put(const std::string& key, std::string_view content = "x") {
    const auto object = store_->create(key);
    object->append(content);
    return object->finish();
  }

  bool is_empty() const { return fs::is_empty(root_); }

  ScratchDirectory scratch_;
  std::string root_ = scratch_.path() + "/stage";
  std::unique_ptr<ObjectStore> store_ = open_directory_store(root_);
};

TEST_F(DirectoryStore, KeepsAnObjectUnderItsKey) {
  const std::string path = put("a/b/c.csv", "hello");
  EXPECT_EQ(path, root_ + "/a/b/c.csv");
  EXPECT_EQ(content_of(path), "hello");
  EXPECT_EQ(store_->key_of(path), "a/b/c.csv");
  EXPECT_EQ(put("a/b/c.csv", "again"), path);
  EXPECT_EQ(content_of(path), "again");
}

TEST_F(DirectoryStore, ShowsAnObjectOnlyWhenItIsFinished) {
  auto object = store_->create("a/b.csv");
  object->append("half");
  EXPECT_THAT(store_->list(""), IsEmpty());
  EXPECT_FALSE(fs::exists(root_ + "/a/b.csv"));
  EXPECT_THAT(store_->list_unfinished(""), ElementsAre("a/b.csv.partial"));
  object->finish();
  EXPECT_THAT(store_->list(""), ElementsAre("a/b.csv"));
  EXPECT_THAT(store_->list_unfinished(""), IsEmpty());
  EXPECT_THROW(object->finish(), Error);
}

TEST_F(DirectoryStore, LeavesNothingOfAnAbandonedObject) {
  {
    const auto object = store_->create("a/b/c.csv");
    object->append("half");
  }
  EXPECT_TRUE(is_empty());
}

TEST_F(DirectoryStore, AnAbandonedRewriteLeavesTheOldObject) {
  const std::string path = put("a/b.csv", "old");
  store_->create("a/b.csv")->append("new");
  EXPECT_EQ(content_of(path), "old");
}

TEST_F(DirectoryStore, ListsByPrefixInOrder) {
  for (const char* key : {"1/s/2-b/y", "1/s/2-b/x", "1/s/10-a/z", "1/s2/1-a/x", "2/s/1-a/x"}) {
    put(key);
  }
  EXPECT_THAT(store_->list("1/s/"), ElementsAre("1/s/10-a/z", "1/s/2-b/x", "1/s/2-b/y"));
  EXPECT_THAT(store_->list("1/s/2"), ElementsAre("1/s/2-b/x", "1/s/2-b/y"));
  EXPECT_EQ(store_->list("1/s").size(), 4U);
  EXPECT_EQ(store_->list("").size(), 5U);
  EXPECT_THAT(store_->list("3/"), IsEmpty());
}

TEST_F(DirectoryStore, TakesItsDirectoriesAwayWithTheLastObject) {
  put("a/b/c");
  put("a/d");
  store_->remove("a/b/c");
  EXPECT_FALSE(fs::exists(root_ + "/a/b"));
  EXPECT_TRUE(fs::exists(root_ + "/a/d"));
  store_->remove("a/d");
  store_->remove("a/d");
  store_->remove("never/was");
  EXPECT_TRUE(is_empty());
  put("a/b/c");
  EXPECT_THAT(store_->list(""), ElementsAre("a/b/c"));
}

TEST_F(DirectoryStore, RefusesKeysThatLeaveItsDirectory) {
  for (const char* key : {"", "/a", "../a", "a/../b", "a/..", "a//b", "a/", "./a", "a/."}) {
    EXPECT_THROW(store_->create(key), Error) << key;
    EXPECT_THROW(store_->remove(key), Error) << key;
  }
  EXPECT_THROW(store_->create("a.partial"), Error);
  EXPECT_THROW(store_->list("../"), Error);
  EXPECT_THROW(store_->key_of("/elsewhere/a"), Error);
  EXPECT_THROW(store_->key_of(root_ + "2/a"), Error);
}

TEST_F(DirectoryStore, ASlashAtTheEndOfTheDirectoryDoesNotMatter) {
  const auto store = open_directory_store(root_ + "/./x/..//");
  EXPECT_EQ(store->create("k")->finish(), root_ + "/k");
}

TEST_F(DirectoryStore, WritersAndRemovalsInOneDirectoryDoNotDisturbEachOther) {
  std::vector<std::jthread> threads;
  threads.reserve(4);
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([this, thread] {
      const std::string key = "deep/er/" + std::to_string(thread);
      for (int i = 0; i < 300; ++i) {
        put(key);
        store_->remove(key);
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(is_empty());
}

TEST_F(DirectoryStore, AFullDiskIsTriedAgainAndLeavesNothing) {
  // A limit on the size of files fails a write as a full disk does, and needs no rights.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  ErrorKind kind = ErrorKind::Usage;
  std::string advice;
  try {
    put("a/b", std::string(100'000, 'x'));
  } catch (const Error& error) {
    kind = error.kind();
    advice = error.advice();
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(kind, ErrorKind::Transient);
  EXPECT_NE(advice, "");
  EXPECT_TRUE(is_empty());
}

TEST_F(DirectoryStore, AFileInTheWayOfADirectoryIsFatal) {
  std::ofstream(root_ + "/a") << "x";
  try {
    put("a/b");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
  }
}

}  // namespace
}  // namespace re_dms::directory_store_test
