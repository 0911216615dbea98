#include "control/verbs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/error.h"
#include "observe/http_fetch.h"
#include "tables/loading_pause.h"

namespace re_dms::verbs_test {
namespace {

using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience(10);
constexpr std::chrono::milliseconds kNoPatience(0);
constexpr const char* kBusy =
    "the target is busy: this is done after the load that runs, unless re_dms ends before\n";

using Wishes = std::vector<std::pair<Oid, Wish>>;

class Verbs : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/re_dms_verbs_XXXXXX";
    ASSERT_NE(::mkdtemp(pattern), nullptr);
    directory_ = pattern;
    socket_ = directory_ + "/control.sock";
    tables_.begin({}, {});
    for (const Oid oid : {1U, 2U}) {
      tables_.live(oid, {"public", "t" + std::to_string(oid)});
    }
    start();
  }

  void TearDown() override {
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(socket_));
    std::filesystem::remove_all(directory_);
  }

  void start() {
    server_ = std::make_unique<HttpServer>(
        SocketFile{socket_, ""},
        control_routes({tables_, real_file_system(), directory_, kNoPatience}));
    server_->start();
  }

  HttpAnswer ask(const std::string& verb, const std::vector<std::string>& tables) const {
    return http_post(socket_, "/" + verb, tables, kPatience);
  }

  HttpAnswer resync(const std::vector<std::string>& tables) const { return ask("resync", tables); }

  /// As the target has it now.
  void granted(Oid oid, TableState state, Lsn position = {}) {
    TableRecord table;
    table.oid = oid;
    table.name = {"public", "t" + std::to_string(oid)};
    table.state = state;
    table.position = position;
    table.schema = std::make_shared<const TableSchema>();
    tables_.granted(table);
  }

  std::string directory_;
  std::string socket_;
  TableStates tables_{real_clock(), copy_pauses()};
  std::unique_ptr<HttpServer> server_;
};

TEST_F(Verbs, ResyncIsHandedToWhoeverLoads) {
  const HttpAnswer answer = resync({"public.t1", "t*"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            "public.t1 is copied anew\npublic.t2 is copied anew\n" + std::string(kBusy));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Copy}, {2, Wish::Copy}}));
  EXPECT_TRUE(tables_.take_wishes().empty());
}

TEST_F(Verbs, ATableIsPausedAndGoesOn) {
  EXPECT_EQ(ask("pause", {"t1"}).body,
            "public.t1 is paused: the journal keeps its changes\n" + std::string(kBusy));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Pause}}));
  granted(1, TableState::Paused, Lsn{500});
  EXPECT_THAT(ask("pause", {"t1"}).body, HasSubstr("public.t1 is paused already\n"));
  EXPECT_EQ(ask("resume", {"t*"}).body,
            "public.t1 goes on where it stands\npublic.t2 is live already\n" + std::string(kBusy));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Pause}, {2, Wish::Resume}}))
      << "an earlier pause may not be done yet";
}

TEST_F(Verbs, WhatTheJournalHasNotKeptIsNotResumed) {
  granted(1, TableState::Paused, Lsn{500});
  granted(2, TableState::Paused, Lsn{700});
  EXPECT_EQ(tables_.let_go(Lsn{900})->oid, 1U);
  HttpAnswer answer = ask("resume", {"t1"});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("public.t1 cannot go on where it stands"));
  EXPECT_TRUE(tables_.take_wishes().empty()) << "nothing was changed";
  answer = ask("resume", {"*"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("public.t1 cannot go on where it stands"));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{2, Wish::Resume}})) << "the others do";
  EXPECT_EQ(resync({"t1"}).status, 200);
}

TEST_F(Verbs, NothingIsSaidOfTablesBeforeTheTargetIsOpen) {
  TableStates unopened(real_clock(), copy_pauses());
  const auto routes = control_routes({unopened, real_file_system(), directory_, kNoPatience});
  EXPECT_THROW(routes.at(0).act({"t1"}), Error);
}

TEST_F(Verbs, LoadingIsPausedBeyondTheProcess) {
  EXPECT_EQ(ask("resume", {}).body, "loading was not paused\n");
  EXPECT_EQ(ask("pause", {}).status, 200);
  EXPECT_TRUE(tables_.loading_paused());
  EXPECT_TRUE(loading_is_paused(real_file_system(), directory_));
  EXPECT_THAT(ask("pause", {"t1"}).body, HasSubstr("all loading is paused"));
  EXPECT_EQ(ask("resume", {}).body, "loading goes on\n");
  EXPECT_FALSE(tables_.loading_paused());
  EXPECT_FALSE(loading_is_paused(real_file_system(), directory_));
}

TEST_F(Verbs, APatternWithoutTablesChangesNothing) {
  const HttpAnswer answer = resync({"t1", "public.missing"});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("no table matches public.missing"));
  EXPECT_EQ(resync({}).status, 400);
  EXPECT_EQ(resync({"a.b.c"}).status, 400);
  EXPECT_TRUE(tables_.take_wishes().empty());
}

TEST_F(Verbs, WhatIsNeverCopiedIsLeftAloneWhileItIsFollowed) {
  tables_.forbid_copies([](const QualifiedName& name) { return name.name != "t1"; });
  tables_.leave({3, {"public", "t3"}, "a value does not fit", {}});
  HttpAnswer answer = resync({"public.t2"});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("public.t2 is not copied anew: its initial_copy is"));
  answer = resync({"*"});
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("public.t1 is copied anew\n"));
  EXPECT_THAT(answer.body, HasSubstr("public.t2 is not copied anew: its initial_copy is"));
  EXPECT_THAT(answer.body, HasSubstr("public.t3 begins again without its rows"));
  EXPECT_EQ(tables_.take_wishes(), (Wishes{{1, Wish::Copy}, {3, Wish::Copy}}));
}

TEST_F(Verbs, TheSocketIsForOwnerAndGroupAndReplacedWhenNobodyListens) {
  struct stat found {};

  ASSERT_EQ(::stat(socket_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0660U);
  HttpServer second(SocketFile{socket_, ""},
                    control_routes({tables_, real_file_system(), directory_, kNoPatience}));
  EXPECT_THROW(second.start(), Error);
  EXPECT_EQ(resync({"t1"}).status, 200) << "the first one goes on";
}

}  // namespace
}  // namespace re_dms::verbs_test
