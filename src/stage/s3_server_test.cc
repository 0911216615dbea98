// The S3 store against a real server, radosgw.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <thread>

#include "base/error.h"
#include "stage/s3_check.h"
#include "stage/s3_store.h"
#include "stage/stager.h"
#include "stage/testing/throwaway_radosgw.h"

namespace re_dms::s3_server_test {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class GivenKeys final : public CredentialSource {
 public:
  explicit GivenKeys(Credentials keys) : keys_(std::move(keys)) {}

  std::string name() const override { return "given"; }

  SourceAnswer ask(const std::stop_token&) override { return {keys_, {}}; }

 private:
  Credentials keys_;
};

/// An hour behind.
class SlowClock final : public Clock {
 public:
  SystemTime now() const override { return real_clock().now() - std::chrono::hours(1); }

  SteadyTime steady() const override { return real_clock().steady(); }
};

S3Wiring wire(const S3Settings& settings, const Credentials& keys, Clock& clock = real_clock(),
              const std::stop_token& stop = {}) {
  HttpSettings http;
  http.ca_file = settings.ca_file;
  http.stall_patience = std::chrono::seconds(3);
  std::vector<std::unique_ptr<CredentialSource>> sources;
  sources.push_back(std::make_unique<GivenKeys>(keys));
  S3Wiring wiring{open_http_client(http),
                  std::make_shared<CredentialChain>(std::move(sources), clock), clock, "", stop};
  wiring.patience = milliseconds(1500);
  return wiring;
}

std::string put(ObjectStore& store, const std::string& key, std::string_view body = "x") {
  const auto object = store.create(key);
  object->append(body);
  return object->finish();
}

/// Kind and text of what `step` throws.
std::pair<ErrorKind, std::string> failure_of_step(const std::function<void()>& step) {
  try {
    step();
  } catch (const Error& error) {
    return {error.kind(), error.what()};
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

/// A bucket of its own for each test, on one server of the suite's.
class S3Server : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<ThrowawayRadosgw>(); }

  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    settings_.endpoint = server_->endpoint;
    bucket_ = fmt::format("bucket-{}", ++buckets_);
    settings_.url = fmt::format("s3://{}/stage", bucket_);
    client().send({"PUT", ""}, {"cannot make a bucket", "s3:CreateBucket"});
  }

  S3Client client() const { return {settings_, wire(settings_, server_->owner)}; }

  std::unique_ptr<ObjectStore> store() const { return store_of(server_->owner); }

  std::unique_ptr<ObjectStore> store_of(const Credentials& keys) const {
    return make_s3_store(settings_, wire(settings_, keys));
  }

  std::string content(const std::string& key) const {
    return client().send({"GET", key}, {"cannot read", "s3:GetObject"}).body;
  }

  inline static std::unique_ptr<ThrowawayRadosgw> server_;
  inline static int buckets_ = 0;
  std::string bucket_;
  S3Settings settings_;
};

TEST_F(S3Server, KeepsWhatIsWrittenListsAndRemovesIt) {
  const auto s3 = store();
  const std::string large(3 << 20, 'y');
  EXPECT_EQ(put(*s3, "a/1", "one"), fmt::format("s3://{}/stage/a/1", bucket_));
  put(*s3, "a/1", "another");
  put(*s3, "a/2", large);
  put(*s3, "b", "");
  EXPECT_EQ(content("a/1"), "another");
  EXPECT_EQ(content("a/2"), large);
  EXPECT_THAT(s3->list(""), ElementsAre("a/1", "a/2", "b"));
  EXPECT_THAT(s3->list("a/"), ElementsAre("a/1", "a/2"));
  s3->remove("a/1");
  s3->remove("a/1");
  s3->remove_all({"a/2", "never/there"});
  EXPECT_THAT(s3->list(""), ElementsAre("b"));
}

TEST_F(S3Server, TakesOddKeys) {
  const auto s3 = store();
  std::vector<std::string> keys = {"sp ace",       "a+b",      "\xc5\xbc\xc3\xb3-\xe8\xa1\xa8",
                                   "pct%20lit",    "t~*'()!",  "a&b=c@d:e,f;g$",
                                   "q?x#y",        "<x>&amp;", "\"quoted\"\\",
                                   "x/.hidden/..x"};
  for (const std::string& key : keys) {
    put(*s3, key, key);
    EXPECT_EQ(content(key), key);
  }
  std::ranges::sort(keys);
  EXPECT_THAT(s3->list(""), ElementsAreArray(keys));
  for (const std::string& key : keys) {
    EXPECT_THAT(s3->list(key), ElementsAre(key));
  }
  s3->remove_all(keys);
  EXPECT_THAT(s3->list(""), IsEmpty());
}

TEST_F(S3Server, ListsAndRemovesMoreThanAPage) {
  const auto s3 = store();
  std::vector<std::string> keys;
  for (int i = 0; i < 1003; ++i) {
    keys.push_back(fmt::format("k{:04}", i));
    put(*s3, keys.back());
  }
  EXPECT_EQ(s3->list("k"), keys);
  s3->remove_all(keys);
  EXPECT_THAT(s3->list(""), IsEmpty());
}

TEST_F(S3Server, WritesFromSeveralThreads) {
  const auto s3 = store();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 25; ++i) {
          put(*s3, fmt::format("{}/{}", thread, i), std::string(100'000, 'z'));
        }
      });
    }
  }
  EXPECT_EQ(s3->list("").size(), 100U);
}

TEST_F(S3Server, RemovesWhatOlderRunsHaveLeft) {
  const auto s3 = store();
  const StageNames names{"7000", "re_dms", 2, "c0ffee"};
  put(*s3, "7000/re_dms/1-beef/b1-l0-p0.csv.gz");
  put(*s3, "7000/re_dms/2-c0ffee/b1-l0-p0.csv.gz");
  put(*s3, "7000/re_dms/3-beef/b1-l0-p0.csv.gz");
  put(*s3, "7000/another/1-beef/b1-l0-p0.csv.gz");
  remove_older_runs(*s3, names);
  EXPECT_THAT(s3->list(""), ElementsAre("7000/another/1-beef/b1-l0-p0.csv.gz",
                                        "7000/re_dms/2-c0ffee/b1-l0-p0.csv.gz",
                                        "7000/re_dms/3-beef/b1-l0-p0.csv.gz"));
}

TEST_F(S3Server, RefusesWrongKeysForGood) {
  Credentials wrong = server_->owner;
  wrong.secret_access_key += "x";
  auto [kind, text] = failure_of_step([&] { put(*store_of(wrong), "k"); });
  EXPECT_EQ(kind, ErrorKind::Fatal);
  EXPECT_THAT(text, AllOf(HasSubstr("403 SignatureDoesNotMatch"),
                          HasSubstr("are not those of this store")));
  EXPECT_THAT(text, ::testing::Not(HasSubstr(wrong.secret_access_key)));
  wrong.access_key_id = "AKIANOBODY";
  EXPECT_THAT(failure_of_step([&] { put(*store_of(wrong), "k"); }).second,
              HasSubstr("403 InvalidAccessKeyId"));
  const auto denied = failure_of_step([&] { store_of(server_->stranger)->list(""); });
  EXPECT_EQ(denied.first, ErrorKind::Fatal);
  EXPECT_THAT(denied.second, AllOf(HasSubstr("403 AccessDenied"), HasSubstr("s3:ListBucket")));
}

TEST_F(S3Server, SaysThatThereIsNoSuchBucket) {
  settings_.url = "s3://nobody-made-this/stage";
  const auto [kind, text] = failure_of_step([&] { put(*store(), "k"); });
  EXPECT_EQ(kind, ErrorKind::Fatal);
  EXPECT_THAT(text, AllOf(HasSubstr("404 NoSuchBucket"), HasSubstr("Create the bucket")));
}

TEST_F(S3Server, SaysThatTheClockIsOff) {
  SlowClock clock;
  const auto results = check_s3(settings_, wire(settings_, server_->owner, clock));
  EXPECT_EQ(results.back().status, CheckResult::Status::Fail);
  EXPECT_THAT(results.back().finding, AllOf(HasSubstr("RequestTimeTooSkewed"),
                                            HasSubstr("the clock here differs from S3's by -3")));
}

TEST_F(S3Server, IsAskedOverTlsWithItsAuthorityOnly) {
  settings_.endpoint = server_->tls_endpoint;
  settings_.path_style = true;
  settings_.ca_file = server_->ca_file;
  put(*store(), "k", "over TLS");
  EXPECT_EQ(content("k"), "over TLS");
  settings_.ca_file.clear();
  const auto [kind, text] = failure_of_step([&] { put(*store(), "k"); });
  EXPECT_EQ(kind, ErrorKind::Fatal);
  EXPECT_THAT(text, AllOf(HasSubstr("certificate"), HasSubstr("stage.ca_file")));
}

TEST_F(S3Server, IsAskedByTheBucketsName) {
  settings_.endpoint = server_->named_endpoint;
  const S3Client by_name = client();
  EXPECT_THAT(by_name.address().origin, HasSubstr("//" + bucket_ + ".localhost:"));
  put(*store(), "a b", "by name");
  EXPECT_EQ(content("a b"), "by name");
  EXPECT_THAT(store()->list(""), ElementsAre("a b"));
}

TEST_F(S3Server, EncryptsAsAskedAndIsChecked) {
  settings_.sse = "aws:kms";
  settings_.kms_key_id = server_->kms_key_id;
  const auto results = check_s3(settings_, wire(settings_, server_->owner));
  EXPECT_EQ(results.size(), 8U);
  for (const CheckResult& result : results) {
    EXPECT_EQ(result.status, CheckResult::Status::Ok)
        << result.name << ": " << result.finding << " -> " << result.fix;
  }
  EXPECT_THAT(store()->list(""), IsEmpty());
}

TEST_F(S3Server, ItsEndIsWaitedFor) {
  const auto s3 = store();
  put(*s3, "before");
  server_->signal(SIGKILL);
  const auto [kind, text] = failure_of_step([&] { put(*s3, "k"); });
  EXPECT_EQ(kind, ErrorKind::Transient);
  EXPECT_THAT(text, HasSubstr("cannot write s3://" + bucket_ + "/stage/k: PUT http://127.0.0.1"));
  server_->restart();
  put(*s3, "k");
  EXPECT_THAT(s3->list(""), ElementsAre("before", "k"));
}

TEST_F(S3Server, ItsSilenceIsAnErrorAndDoesNotHoldUpAStop) {
  std::stop_source stop;
  const auto s3 =
      make_s3_store(settings_, wire(settings_, server_->owner, real_clock(), stop.get_token()));
  put(*s3, "before");
  server_->signal(SIGSTOP);
  EXPECT_EQ(failure_of_step([&] { put(*s3, "k"); }).first, ErrorKind::Transient);
  const auto begin = std::chrono::steady_clock::now();
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop.request_stop();
  });
  EXPECT_THROW(put(*s3, "k"), Stopped);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(2500));
  server_->signal(SIGCONT);
  EXPECT_THAT(store()->list(""), ::testing::Contains("before"));
}

TEST(BusyS3Server, IsAskedAgainUntilItHasTime) {
  const ThrowawayRadosgw server({"rgw max concurrent requests = 2"});
  S3Settings settings;
  settings.endpoint = server.endpoint;
  settings.url = "s3://bucket-1";
  S3Wiring wiring = wire(settings, server.owner);
  wiring.patience = std::chrono::minutes(2);
  wiring.retry = {milliseconds(50), milliseconds(500)};
  S3Client(settings, wiring).send({"PUT", ""}, {"cannot make a bucket", "s3:CreateBucket"});
  const auto s3 = make_s3_store(settings, wiring);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 10; ++i) {
          put(*s3, fmt::format("{}/{}", thread, i), std::string(200'000, 'z'));
        }
      });
    }
  }
  EXPECT_EQ(s3->list("").size(), 80U);
}

}  // namespace
}  // namespace re_dms::s3_server_test
