#include "pipeline/slot_watch.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/error.h"
#include "base/retry.h"
#include "observe/log.h"
#include "source/connection/connection.h"
#include "source/connection/identity.h"

namespace re_dms {

namespace {

constexpr std::chrono::seconds kAnswerPatience(5);

}  // namespace

void SlotWatch::run(std::chrono::milliseconds interval, const std::stop_token& stop) {
  do {
    try {
      look(stop);
    } catch (const Stopped&) {
      return;
    } catch (const Error& error) {
      log(LogLevel::Debug, "slot_not_seen", error.what());
    }
  } while (wait_for(interval, stop));
}

void SlotWatch::look(const std::stop_token& stop) {
  Connection plain(source_, ConnectionPurpose::Sql, stop);
  plain.wait_at_most(kAnswerPatience);
  plain.stop_with(stop);
  require_same_cluster(origin_, plain);
  show(look_at_slot(plain, origin_.slot));
}

void SlotWatch::show(const SlotHealth& health) {
  const SystemTime now = real_clock().now();
  const auto since_1970 = std::chrono::duration<double>(now.time_since_epoch());
  metrics_.gauge("re_dms_slot_active").Set(health.active ? 1 : 0);
  metrics_.gauge("re_dms_slot_wal_status").Set(static_cast<double>(health.wal_status));
  if (health.safe_wal_bytes) {
    metrics_.gauge("re_dms_slot_safe_wal_bytes").Set(static_cast<double>(*health.safe_wal_bytes));
  } else if (had_limit_) {
    // The limit was taken away, or the slot is lost: the last number is no longer true.
    metrics_.gauge("re_dms_slot_safe_wal_bytes").Set(std::numeric_limits<double>::quiet_NaN());
  }
  had_limit_ = had_limit_ || health.safe_wal_bytes;
  metrics_.gauge("re_dms_slot_lag_bytes").Set(static_cast<double>(health.held_bytes));
  metrics_.gauge("re_dms_slot_spilled_bytes").Set(static_cast<double>(health.spilled_bytes));
  const Lsn confirmed = std::min(health.confirmed, health.server_end);
  metrics_.gauge("re_dms_slot_unconfirmed_bytes")
      .Set(static_cast<double>(health.server_end.value - confirmed.value));
  metrics_.gauge("re_dms_slot_lag_seconds")
      .Set(age_.seen(health.server_end, health.confirmed, now).count());
  metrics_.gauge("re_dms_slot_seen_timestamp_seconds").Set(since_1970.count());
}

}  // namespace re_dms
