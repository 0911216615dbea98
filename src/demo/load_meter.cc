#include "demo/load_meter.h"

#include <fmt/format.h>

#include "base/quantities.h"
#include "demo/summary.h"

namespace re_dms::demo {

namespace {

/// Rows arrive a batch at a time, every two seconds; the rate is taken over a few of them.
constexpr std::chrono::seconds kRateWindow{6};

}  // namespace

void LoadMeter::observe(const std::optional<DaemonStatus>& status, Moment now) {
  answering_ = status.has_value();
  if (status) {
    if (last_ && status->uptime_seconds < last_->uptime_seconds) {
      rows_before_ += last_->warehouse.rows_loaded;
      batches_before_ += last_->warehouse.batches_loaded;
    }
    last_ = status;
  }
  samples_.push_back({now, rows_before_ + (last_ ? last_->warehouse.rows_loaded : 0)});
  while (samples_.front().at < now - kRateWindow) {
    samples_.pop_front();
  }
}

std::string LoadMeter::line(Moment since, Moment now) const {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - since).count();
  std::string text = fmt::format("  {:>3} s", seconds);
  if (!last_) {
    return text + "   waiting for the daemon";
  }
  text += fmt::format("   {:>7} rows/s   {:>9} rows in {}",
                      count_text(static_cast<std::uint64_t>(rows_per_second())),
                      count_text(rows_before_ + last_->warehouse.rows_loaded),
                      batches_text(batches_before_ + last_->warehouse.batches_loaded));
  if (!answering_) {
    return text + "   daemon away";
  }
  text += fmt::format("   lag {}", size_text(last_->lag.bytes));
  if (last_->lag.seconds) {
    text += fmt::format(", {}", duration_text(*last_->lag.seconds));
  }
  if (last_->state != DaemonState::Streaming) {
    text += fmt::format("   {}", state_text(*last_));
  }
  return text;
}

double LoadMeter::rows_per_second() const {
  if (samples_.size() < 2) {
    return 0;
  }
  const std::chrono::duration<double> time = samples_.back().at - samples_.front().at;
  return time.count() <= 0
             ? 0
             : static_cast<double>(samples_.back().rows - samples_.front().rows) / time.count();
}

}  // namespace re_dms::demo
