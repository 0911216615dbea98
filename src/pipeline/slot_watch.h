// The thread that asks the server about the slot now and then, for metrics: also while nothing is
// read, which is when the slot holds most.
#pragma once

#include <chrono>
#include <stop_token>

#include "model/origin.h"
#include "observe/metrics.h"
#include "source/settings.h"
#include "source/setup/slot_health.h"

namespace re_dms {

class SlotWatch {
 public:
  /// All outlive it.
  SlotWatch(const SourceSettings& source, const Origin& origin, Metrics& metrics)
      : source_(source), origin_(origin), metrics_(metrics) {}

  /// Until stop is requested. Each look has a connection of its own, so that no shutdown of the
  /// server waits for it; one that fails is logged for debugging only and shows in
  /// re_dms_slot_seen_timestamp_seconds. Never throws.
  void run(std::chrono::milliseconds interval, const std::stop_token& stop);

 private:
  void look(const std::stop_token& stop);
  void show(const SlotHealth& health);

  const SourceSettings& source_;
  const Origin& origin_;
  Metrics& metrics_;
  SlotAge age_;
  bool had_limit_ = false;  ///< safe_wal_bytes has been shown
};

}  // namespace re_dms
