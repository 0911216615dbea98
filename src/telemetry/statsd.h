// Metrics for a StatsD server, over UDP: gauges, and counters by how much they grew.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "telemetry/host_lookup.h"
#include "telemetry/metric_push.h"
#include "telemetry/samples.h"

namespace re_dms {

struct StatsdSettings {
  std::string address;  ///< HOST:PORT
  bool tags = true;     ///< as DogStatsD has them; else labels are parts of the name
  std::string slot;     ///< each metric says whose it is: tag "slot"
};

/// Lines in packets that fit an Ethernet frame, those of a sample together unless they need more
/// than one. Of a histogram: NAME_count, NAME_sum and, with
/// tags, NAME_bucket with the tag "le" are counters.
std::vector<MetricParcel> statsd_packets(const std::vector<Sample>& samples,
                                         const StatsdSettings& settings);

/// Throws Usage unless settings.address is HOST:PORT; the host is looked up when something is sent.
std::unique_ptr<MetricReceiver> open_statsd(const StatsdSettings& settings,
                                            HostLookup::Resolver resolver = &resolve);

/// Throws where the host is not found.
void check_statsd(const StatsdSettings& settings);

}  // namespace re_dms
