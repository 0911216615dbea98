// An S3 that answers what a test says.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "aws/testing/scripted_client.h"
#include "base/error.h"
#include "base/testing/manual_clock.h"
#include "stage/s3_store.h"

namespace re_dms {

/// Gives numbered keys.
class NumberedKeys final : public CredentialSource {
 public:
  explicit NumberedKeys(bool fixed) : fixed_(fixed) {}

  std::string name() const override { return "numbered"; }

  SourceAnswer ask(const std::stop_token&) override {
    return {Credentials{"AKIA" + std::to_string(++asked_), "secret", "", std::nullopt,
                        "numbered keys", fixed_},
            {}};
  }

 private:
  bool fixed_;
  int asked_ = 0;
};

/// A clock whose steady time moves by 100 ms at each look.
class RunningClock final : public Clock {
 public:
  SystemTime now() const override { return clock_.now(); }

  SteadyTime steady() const override {
    clock_.advance(std::chrono::milliseconds(100));
    return clock_.steady();
  }

 private:
  mutable ManualClock clock_;
};

class S3Test : public ::testing::Test {
 protected:
  S3Test() { settings_.url = "s3://bucket-1/pre fix"; }

  S3Wiring wiring(bool fixed_keys = false) {
    std::vector<std::unique_ptr<CredentialSource>> sources;
    sources.push_back(std::make_unique<NumberedKeys>(fixed_keys));
    S3Wiring wiring{http_, std::make_shared<CredentialChain>(std::move(sources), clock_), clock_,
                    "eu-west-1", stop_.get_token()};
    wiring.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(1)};
    wiring.patience = std::chrono::milliseconds(1000);
    return wiring;
  }

  std::unique_ptr<ObjectStore> store(bool fixed_keys = false) {
    return make_s3_store(settings_, wiring(fixed_keys));
  }

  const std::vector<SentRequest>& sent() const { return http_->sent(); }

  RunningClock clock_;
  std::stop_source stop_;
  S3Settings settings_;
  std::shared_ptr<ScriptedClient> http_ = std::make_shared<ScriptedClient>();
};

inline std::string error_xml(const std::string& code, const std::string& message,
                             const std::string& more = {}) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>" + code + "</Code><Message>" +
         message + "</Message><RequestId>R1</RequestId>" + more + "</Error>";
}

}  // namespace re_dms
