#include "telemetry/metric_push.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/retry.h"
#include "observe/log.h"
#include "telemetry/host_lookup.h"
#include "telemetry/statsd.h"

namespace re_dms::metric_push_test {
namespace {

TEST(SampleTaker, CountersAreByHowMuchTheyGrewSinceWhatArrived) {
  Metrics metrics;
  SampleTaker taker;
  metrics.counter("re_dms_rows_loaded_total").Increment(5);
  auto samples = taker.take(metrics.collect());
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].value, 5);
  metrics.counter("re_dms_rows_loaded_total").Increment(2);
  EXPECT_EQ(taker.take(metrics.collect())[0].value, 7) << "the first round did not arrive";
  samples = taker.take(metrics.collect());
  taker.keep(samples);
  EXPECT_TRUE(taker.take(metrics.collect()).empty());
  metrics.counter("re_dms_rows_loaded_total").Increment(1);
  EXPECT_EQ(taker.take(metrics.collect())[0].value, 1);
}

TEST(SampleTaker, HistogramsAreTheBucketsThatGrew) {
  Metrics metrics;
  SampleTaker taker;
  auto& changes = metrics.histogram("re_dms_batch_changes");
  changes.Observe(5);
  changes.Observe(7);
  changes.Observe(5000);
  auto samples = taker.take(metrics.collect());
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].value, 5012);
  EXPECT_EQ(samples[0].buckets, (std::vector<BucketSample>{{10, 2}, {10'000, 1}}));
  taker.keep(samples);
  changes.Observe(1e12);
  samples = taker.take(metrics.collect());
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].buckets, (std::vector<BucketSample>{{1e8, 1}}));
}

TEST(SampleTaker, AGaugeThatIsNoNumberIsLeftOut) {
  Metrics metrics;
  metrics.gauge("re_dms_copy_remaining_seconds").Set(std::nan(""));
  EXPECT_TRUE(SampleTaker().take(metrics.collect()).empty());
}

/// A resolver that answers once it may.
class SlowResolver {
 public:
  HostLookup::Resolver resolver() {
    return [state = state_](const std::string&, const std::string&) {
      state->asked.release();
      state->may_answer.acquire();
      return std::vector<SocketAddress>(1);
    };
  }

  void await_question() { state_->asked.acquire(); }

  void answer() { state_->may_answer.release(); }

 private:
  struct State {
    std::counting_semaphore<> asked{0};
    std::counting_semaphore<> may_answer{0};
  };

  std::shared_ptr<State> state_ = std::make_shared<State>();  ///< the asking thread's too
};

TEST(HostLookup, AStopEndsTheWaitAndTheNextCallHasTheAnswer) {
  SlowResolver slow;
  HostLookup lookup("metrics.example", "8125", slow.resolver());
  std::stop_source stop;
  const std::jthread stopper([&] {
    slow.await_question();
    stop.request_stop();
  });
  EXPECT_THROW(lookup.ask(stop.get_token()), Stopped);
  slow.answer();
  EXPECT_EQ(lookup.ask({}).size(), 1U);
}

TEST(MetricPush, AResolverThatHangsDoesNotHoldTheEndUp) {
  Metrics metrics;
  metrics.gauge("re_dms_lag_bytes").Set(1);
  SlowResolver slow;
  {
    const MetricPush push(
        open_statsd({"metrics.example:8125", true, "etl"}, slow.resolver()), metrics, [] {},
        std::chrono::milliseconds(1));
    slow.await_question();
  }
  // Here only because it did not wait for the answer.
  slow.answer();
}

constexpr std::size_t kAll = SIZE_MAX;

/// Takes each sample by itself, and of a round as many as the script says.
class PickyReceiver final : public MetricReceiver {
 public:
  struct Script {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::size_t> takes;  ///< of the next rounds; all once it is empty
    std::map<std::string, int> received;
    int rounds = 0;
  };

  explicit PickyReceiver(Script& script) : script_(script) {}

  std::string_view name() const override { return "statsd"; }

  std::vector<MetricParcel> pack(const std::vector<Sample>& samples) override {
    std::vector<MetricParcel> parcels;
    for (const Sample& sample : samples) {
      parcels.push_back({fmt::format("{} {}", sample.label, sample.value), 1});
    }
    const std::lock_guard lock(script_.mutex);
    left_ = script_.takes.empty() ? kAll : script_.takes.front();
    if (!script_.takes.empty()) {
      script_.takes.pop_front();
    }
    ++script_.rounds;
    script_.changed.notify_all();
    return parcels;
  }

  void send(const MetricParcel& parcel, const std::stop_token&) override {
    if (left_ == 0) {
      throw Error(ErrorKind::Transient, "it does not take it");
    }
    --left_;
    const std::lock_guard lock(script_.mutex);
    const std::size_t space = parcel.text.find(' ');
    script_.received[parcel.text.substr(0, space)] += std::stoi(parcel.text.substr(space));
  }

 private:
  Script& script_;
  std::size_t left_ = kAll;
};

/// Until so many rounds have begun, and one more at the end.
void push_rounds(Metrics& metrics, PickyReceiver::Script& script, int rounds) {
  const MetricPush push(
      std::make_unique<PickyReceiver>(script), metrics, [] {}, std::chrono::milliseconds(1));
  std::unique_lock lock(script.mutex);
  script.changed.wait(lock, [&] { return script.rounds >= rounds; });
}

TEST(MetricPush, WhatArrivedOfARoundThatFailedIsNotSentAgain) {
  Metrics metrics;
  PickyReceiver::Script script;
  script.takes = {1};
  metrics.counter("re_dms_retries_total", "source").Increment(5);
  metrics.counter("re_dms_retries_total", "stage").Increment(7);
  push_rounds(metrics, script, 2);
  EXPECT_EQ(script.received["source"], 5);
  EXPECT_EQ(script.received["stage"], 7);
}

/// Counts the warnings that metrics do not arrive.
class CountedWarnings final : public LogListener {
 public:
  CountedWarnings() { set_log_listener(this); }

  ~CountedWarnings() override { set_log_listener(nullptr); }

  CountedWarnings(const CountedWarnings&) = delete;
  CountedWarnings& operator=(const CountedWarnings&) = delete;

  void logged(LogLevel, std::string_view event, std::string_view,
              std::initializer_list<LogField>) override {
    count_ += event == "metrics_fail" ? 1 : 0;
  }

  int count() const { return count_; }

 private:
  std::atomic<int> count_ = 0;
};

TEST(MetricPush, AReceiverThatComesAndGoesIsLoggedOnce) {
  Metrics metrics;
  metrics.gauge("re_dms_lag_bytes").Set(1);
  PickyReceiver::Script script;
  script.takes = {0, kAll, 0, kAll, 0, kAll, kAll, 0};
  const CountedWarnings warnings;
  push_rounds(metrics, script, 8);
  EXPECT_EQ(warnings.count(), 1);
}

TEST(MetricPush, RoundsAreCountedByWhatBecameOfThem) {
  Metrics metrics;
  PickyReceiver::Script script;
  metrics.gauge("re_dms_lag_bytes").Set(1);
  script.takes = {0, kAll, 0};
  push_rounds(metrics, script, 3);
  EXPECT_EQ(metrics.counter("re_dms_exports_failed_total", "statsd").Value(), 2);
  EXPECT_EQ(metrics.counter("re_dms_exports_total", "statsd").Value(), script.rounds - 2);
  EXPECT_EQ(metrics.gauge("re_dms_exports_failing", "statsd").Value(), 0);
  script.takes.assign(1000, 0);
  push_rounds(metrics, script, script.rounds + 1);
  EXPECT_EQ(metrics.gauge("re_dms_exports_failing", "statsd").Value(), 1);
}

TEST(MetricPush, AReceiverThatWasBackAndGoesAgainIsLoggedAgain) {
  Metrics metrics;
  metrics.gauge("re_dms_lag_bytes").Set(1);
  PickyReceiver::Script script;
  script.takes.assign(12, kAll);
  script.takes.front() = 0;
  script.takes.back() = 0;
  const CountedWarnings warnings;
  push_rounds(metrics, script, 13);
  EXPECT_EQ(warnings.count(), 2);
}

}  // namespace
}  // namespace re_dms::metric_push_test
