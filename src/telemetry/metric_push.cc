#include "telemetry/metric_push.h"

#include <fmt/format.h>
#include <pthread.h>

#include <utility>

#include "base/error.h"
#include "base/retry.h"
#include "observe/log.h"

namespace re_dms {

MetricPush::MetricPush(std::unique_ptr<MetricReceiver> receiver, Metrics& metrics,
                       std::function<void()> refresh, std::chrono::milliseconds interval)
    : receiver_(std::move(receiver)),
      metrics_(metrics),
      refresh_(std::move(refresh)),
      interval_(interval),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void MetricPush::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "metrics");
  while (wait_for(interval_, stop)) {
    round(stop);
  }
  // The last values. One who does not answer is not waited for.
  std::stop_source soon;
  const std::jthread limit([&soon](const std::stop_token& done) {
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
    receiver_->send(samples, stop);
    taker_.keep();
    metrics_.counter("re_dms_exports_total", name).Increment();
    if (std::exchange(failing_, false)) {
      log(LogLevel::Info, "metrics_arrive", "metrics arrive again", {{"to", name}});
    }
  } catch (const Stopped&) {
    return;
  } catch (const std::exception& error) {
    metrics_.counter("re_dms_exports_failed_total", name).Increment();
    if (!std::exchange(failing_, true)) {
      log(LogLevel::Warn, "metrics_fail",
          fmt::format("{}. Replication goes on; this is tried again every {} s", error.what(),
                      interval_.count() / 1000),
          {{"to", name}});
    }
  }
}

}  // namespace re_dms
