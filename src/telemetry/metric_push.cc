#include "telemetry/metric_push.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "base/error.h"
#include "base/retry.h"
#include "base/thread.h"
#include "observe/log.h"

namespace re_dms {

namespace {

/// So many rounds in a row, and a receiver that comes and goes is one that is back.
constexpr int kBackAfter = 10;

}  // namespace

MetricPush::MetricPush(std::unique_ptr<MetricReceiver> receiver, Metrics& metrics,
                       std::function<void()> refresh, std::chrono::milliseconds interval)
    : receiver_(std::move(receiver)),
      metrics_(metrics),
      refresh_(std::move(refresh)),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void MetricPush::run(const std::stop_token& stop) {
  begin_thread("metrics");
  while (wait_for(interval_, stop)) {
    round(stop);
  }
  // The last values. One who does not answer is not waited for.
  std::stop_source soon;
  const std::jthread limit([&soon](const std::stop_token& done) {
    begin_thread("metrics-end");
    wait_for(std::chrono::seconds(2), done);
    soon.request_stop();
  });
  round(soon.get_token());
}

void MetricPush::round(const std::stop_token& stop) {
  const std::string_view name = receiver_->name();
  try {
    refresh_();
    const std::vector<Sample> samples = taker_.take(metrics_.collect());
    std::size_t taken = 0;
    for (const MetricParcel& parcel : receiver_->pack(samples)) {
      receiver_->send(parcel, stop);
      taker_.keep(std::span(samples).subspan(taken, parcel.samples));
      taken += parcel.samples;
    }
    metrics_.counter("re_dms_exports_total", name).Increment();
    metrics_.gauge("re_dms_exports_failing", name).Set(0);
    if (failing_ && ++arrived_since_failure_ == kBackAfter) {
      failing_ = false;
      log(LogLevel::Info, "metrics_arrive", "metrics arrive again", {{"to", name}});
    }
  } catch (const Stopped&) {
    return;
  } catch (const std::exception& error) {
    metrics_.counter("re_dms_exports_failed_total", name).Increment();
    metrics_.gauge("re_dms_exports_failing", name).Set(1);
    arrived_since_failure_ = 0;
    if (!std::exchange(failing_, true)) {
      log(LogLevel::Warn, "metrics_fail",
          fmt::format("{}. Replication goes on; this is tried again every {} s", error.what(),
                      interval_.count() / 1000),
          {{"to", name}});
    }
  }
}

}  // namespace re_dms
