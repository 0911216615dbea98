// The thread that hands the metrics to a service which does not fetch them itself. It reads atomic
// values only: whatever the service does, nothing else waits for it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "observe/metrics.h"
#include "telemetry/samples.h"

namespace re_dms {

/// A part of a round that arrives as a whole or not at all.
struct MetricParcel {
  std::string text;
  std::size_t samples = 0;  ///< how many more the receiver has taken once it holds this
};

/// Where metrics are pushed to.
class MetricReceiver {
 public:
  virtual ~MetricReceiver() = default;
  /// "statsd", "cloudwatch".
  virtual std::string_view name() const = 0;
  /// A round, in the order of its samples.
  virtual std::vector<MetricParcel> pack(const std::vector<Sample>& samples) = 0;
  /// Throws Error when it did not arrive, also after what the receiver itself tried again; Stopped.
  virtual void send(const MetricParcel& parcel, const std::stop_token& stop) = 0;
};

/// Sends from construction to destruction, each `interval` and once at the end, for which it waits
/// two seconds at most. What did not arrive of counters is sent with the next round, and nothing of
/// what did.
class MetricPush {
 public:
  /// `refresh` sets the gauges that are read; it and `metrics` outlive this.
  MetricPush(std::unique_ptr<MetricReceiver> receiver, Metrics& metrics,
             std::function<void()> refresh, std::chrono::milliseconds interval);

 private:
  void run(const std::stop_token& stop);
  void round(const std::stop_token& stop);

  std::unique_ptr<MetricReceiver> receiver_;
  Metrics& metrics_;
  std::function<void()> refresh_;
  std::chrono::milliseconds interval_;
  SampleTaker taker_;
  bool failing_ = false;           ///< as the log has it
  int arrived_since_failure_ = 0;  ///< rounds
  std::jthread thread_;
};

}  // namespace re_dms
