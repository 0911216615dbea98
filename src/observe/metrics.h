// The numbers the daemon counts, in one small registry that every exporter reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace re_dms {

enum class MetricKind { Counter, Gauge };

/// One number. Adding and setting are a single relaxed atomic operation.
class Metric {
 public:
  Metric(std::string name, std::string help, MetricKind kind)
      : name_(std::move(name)), help_(std::move(help)), kind_(kind) {}

  void add(double amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }

  void set(double value) { value_.store(value, std::memory_order_relaxed); }

  double value() const { return value_.load(std::memory_order_relaxed); }

  const std::string& name() const { return name_; }

  const std::string& help() const { return help_; }

  MetricKind kind() const { return kind_; }

 private:
  std::string name_;
  std::string help_;
  MetricKind kind_;
  std::atomic<double> value_{0};
};

/// All metrics of a process. Metrics live as long as the registry.
class Metrics {
 public:
  /// Names follow Prometheus: re_dms_…_total for counters, the unit last (_bytes, _seconds). `help`
  /// is never empty. Asking again for a name gives the same metric.
  Metric& counter(std::string_view name, std::string_view help);
  Metric& gauge(std::string_view name, std::string_view help);

  /// Prometheus text format 0.0.4, sorted by name.
  std::string to_prometheus() const;

 private:
  Metric& find_or_add(std::string_view name, std::string_view help, MetricKind kind);

  mutable std::mutex mutex_;
  std::deque<Metric> metrics_;
};

}  // namespace re_dms
