#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "aws/credentials.h"
#include "base/error.h"
#include "base/retry.h"
#include "base/testing/manual_clock.h"

namespace re_dms::credential_chain_test {
namespace {

using std::chrono::minutes;
using ::testing::AllOf;
using ::testing::HasSubstr;

class FakeSource final : public CredentialSource {
 public:
  using Ask = std::function<SourceAnswer()>;

  FakeSource(std::string name, Ask ask) : name_(std::move(name)), ask_(std::move(ask)) {}

  std::string name() const override { return name_; }

  SourceAnswer ask(const std::stop_token&) override { return ask_(); }

 private:
  std::string name_;
  Ask ask_;
};

class CredentialChainTest : public ::testing::Test {
 protected:
  void add(const std::string& name, FakeSource::Ask ask) {
    sources_.push_back(std::make_unique<FakeSource>(name, std::move(ask)));
  }

  /// Numbered keys that live for an hour.
  void add_hourly() {
    add("hourly", [this]() -> SourceAnswer {
      ++asked_;
      if (failing_) {
        throw Error(ErrorKind::Transient, "is away");
      }
      return {
          Credentials{"id" + std::to_string(asked_), "secret", "token", clock_.now() + minutes(60)},
          {}};
    });
  }

  CredentialChain& chain() {
    if (!chain_) {
      chain_ = std::make_unique<CredentialChain>(std::move(sources_), clock_);
    }
    return *chain_;
  }

  std::string get() { return chain().get({}).access_key_id; }

  ManualClock clock_;
  int asked_ = 0;
  bool failing_ = false;
  std::vector<std::unique_ptr<CredentialSource>> sources_;
  std::unique_ptr<CredentialChain> chain_;
};

TEST_F(CredentialChainTest, TakesTheFirstThatAreThere) {
  add("a", [] { return SourceAnswer{std::nullopt, "is not set"}; });
  add_hourly();
  add("c", []() -> SourceAnswer { throw Error(ErrorKind::Fatal, "must not be asked"); });
  EXPECT_EQ(get(), "id1");
  EXPECT_EQ(get(), "id1");
}

TEST_F(CredentialChainTest, NamesEachSourceWhenThereAreNone) {
  add("environment", [] { return SourceAnswer{std::nullopt, "X is not set"}; });
  add("instance", [] { return SourceAnswer{std::nullopt, "does not answer", true}; });
  try {
    get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("environment: X is not set"),
                                    HasSubstr("instance: does not answer")));
  }
}

TEST_F(CredentialChainTest, ASourceThatFailsIsNotPassedOver) {
  add("profile",
      []() -> SourceAnswer { throw Error(ErrorKind::Fatal, "has no secret", "Add it"); });
  add_hourly();
  try {
    get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.what(), HasSubstr("profile: has no secret. Add it"));
  }
}

TEST_F(CredentialChainTest, RenewsBeforeTheyExpire) {
  add_hourly();
  EXPECT_EQ(get(), "id1");
  clock_.advance(minutes(44));
  EXPECT_EQ(get(), "id1");
  clock_.advance(minutes(2));
  EXPECT_EQ(get(), "id2");
}

TEST_F(CredentialChainTest, GoesOnWithTheOldOnesWhileTheyAreValid) {
  add_hourly();
  get();
  failing_ = true;
  clock_.advance(minutes(50));
  EXPECT_EQ(get(), "id1");
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(get(), "id1");
  EXPECT_EQ(asked_, 2);  // not again within a minute
  clock_.advance(minutes(2));
  EXPECT_EQ(get(), "id1");
  EXPECT_EQ(asked_, 3);
  clock_.advance(minutes(8));
  EXPECT_THROW(get(), Error);
  failing_ = false;
  EXPECT_EQ(get(), "id5");
}

TEST_F(CredentialChainTest, AsksAgainForThoseThatWereRefused) {
  add_hourly();
  const Credentials first = chain().get({});
  chain().refused(first);
  EXPECT_EQ(get(), "id2");
  chain().refused(first);  // somebody else who was refused with the old ones
  EXPECT_EQ(get(), "id2");
}

TEST_F(CredentialChainTest, RefusesWhatHasExpiredAlready) {
  add("late", [this] {
    return SourceAnswer{Credentials{"a", "b", "c", clock_.now() - minutes(1)}, {}};
  });
  try {
    get();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Transient);
    EXPECT_THAT(error.what(), HasSubstr("late: it gave credentials that expired at 2025-12-31"));
  }
}

TEST_F(CredentialChainTest, OneThreadRenewsWhileOthersGoOn) {
  std::latch begun(1);
  std::latch let_go(1);
  add("slow", [&]() -> SourceAnswer {
    if (++asked_ == 2) {
      begun.count_down();
      let_go.wait();
    }
    return {Credentials{"id" + std::to_string(asked_), "s", "t", clock_.now() + minutes(60)}, {}};
  });
  get();
  clock_.advance(minutes(50));
  std::jthread renewer([&] { EXPECT_EQ(get(), "id2"); });
  begun.wait();
  EXPECT_EQ(get(), "id1");
  let_go.count_down();
  renewer.join();
  EXPECT_EQ(get(), "id2");
  EXPECT_EQ(asked_, 2);
}

TEST_F(CredentialChainTest, WhoWaitsIsStopped) {
  std::latch begun(1);
  std::latch let_go(1);
  add("slow", [&]() -> SourceAnswer {
    begun.count_down();
    let_go.wait();
    return {Credentials{"id", "s"}, {}};
  });
  chain();
  std::jthread asker([&] { EXPECT_EQ(get(), "id"); });
  begun.wait();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(chain().get(stop.get_token()), Stopped);
  let_go.count_down();
}

}  // namespace
}  // namespace re_dms::credential_chain_test
