#include "telemetry/error_reporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/thread.h"

namespace re_dms {

namespace {

constexpr std::size_t kIncomingMax = 256;

/// What went wrong with a report is in the log, but is not reported itself.
constexpr std::string_view kOwnEvent = "error_reports_fail";

std::string folder_of(std::string_view service) {
  std::string folder(service);
  std::ranges::transform(folder, folder.begin(), [](unsigned char c) { return std::tolower(c); });
  return folder;
}

}  // namespace

ErrorReporter::ErrorReporter(ErrorReporterSettings settings,
                             std::vector<std::unique_ptr<ReportService>> services,
                             FileSystem& files, Metrics& metrics)
    : settings_(std::move(settings)), files_(files), metrics_(metrics) {
  for (const std::string_view outcome : {"sent", "dropped", "refused"}) {
    metrics_.counter("re_dms_error_reports_total", outcome);
  }
  for (auto& service : services) {
    desks_.push_back(std::make_unique<Desk>());
    desks_.back()->service = std::move(service);
  }
  for (const auto& desk : desks_) {
    desk->thread =
        std::jthread([this, &desk = *desk](const std::stop_token& stop) { run(desk, stop); });
  }
  set_log_listener(this);
}

ErrorReporter::~ErrorReporter() {
  set_log_listener(nullptr);
  for (const auto& desk : desks_) {
    desk->thread.request_stop();
  }
  for (const auto& desk : desks_) {
    desk->thread.join();
  }
}

void ErrorReporter::logged(LogLevel level, std::string_view event, std::string_view message,
                           std::initializer_list<LogField> fields) {
  if (level >= settings_.least && event != kOwnEvent) {
    add(report_of(level, event, message, fields, real_clock().now()));
  }
}

void ErrorReporter::add(const ErrorReport& report) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& desk : desks_) {
      if (desk->incoming.size() < kIncomingMax) {
        desk->incoming.push_back(report);
        desk->busy = true;
      } else {
        count("dropped");
      }
    }
  }
  changed_.notify_all();
}

void ErrorReporter::flush(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] {
    return std::ranges::none_of(desks_, [](const auto& desk) { return desk->busy; });
  });
}

void ErrorReporter::count(std::string_view outcome) {
  metrics_.counter("re_dms_error_reports_total", outcome).Increment();
}

void ErrorReporter::run(Desk& desk, const std::stop_token& stop) {
  begin_thread("reports");
  const std::string folder = settings_.spool + "/" + folder_of(desk.service->name());
  try {
    ReportSpool spool(files_, folder, settings_.limits);
    std::chrono::milliseconds wait{0};
    SteadyTime next_try{};
    while (!stop.stop_requested()) {
      try {
        store_incoming(desk, spool);
        if (real_clock().steady() >= next_try) {
          const bool sent = send_next(desk, spool, stop);
          wait = sent ? std::chrono::milliseconds(0)
                      : std::clamp(wait * 2, settings_.retry.first, settings_.retry.longest);
          next_try = real_clock().steady() + wait;
        }
      } catch (const Error& error) {
        // A disk that is full or fails; what came meanwhile may be lost.
        count("dropped");
        log(LogLevel::Warn, kOwnEvent, error.what(), {{"to", desk.service->name()}});
        wait = settings_.retry.longest;
        next_try = real_clock().steady() + wait;
      }
      // New reports are stored at once; the service is asked again when its time has come.
      std::unique_lock lock(mutex_);
      const auto incoming = [&desk] { return !desk.incoming.empty(); };
      if (wait.count() > 0) {
        changed_.wait_until(lock, stop, next_try, incoming);
      } else {
        changed_.wait(lock, stop, [&] { return desk.busy || incoming(); });
      }
    }
    store_incoming(desk, spool);
  } catch (const std::exception& error) {
    log(LogLevel::Warn, kOwnEvent,
        fmt::format("{}: errors are reported to nobody until the next start", error.what()),
        {{"to", desk.service->name()}});
  }
}

void ErrorReporter::store_incoming(Desk& desk, ReportSpool& spool) {
  std::deque<ErrorReport> incoming;
  {
    const std::lock_guard lock(mutex_);
    incoming.swap(desk.incoming);
  }
  for (ErrorReport& report : incoming) {
    report.message = scrub(report.message, settings_.scrub);
    if (spool.add(std::move(report)) == ReportSpool::Taken::Dropped) {
      count("dropped");
    }
  }
}

/// False when the service is to be asked again later.
bool ErrorReporter::send_next(Desk& desk, ReportSpool& spool, const std::stop_token& stop) {
  const std::optional<ErrorReport> report = spool.next();
  if (!report) {
    {
      const std::lock_guard lock(mutex_);
      desk.busy = !desk.incoming.empty();
    }
    changed_.notify_all();
    return true;
  }
  try {
    desk.service->send(*report, stop);
    count("sent");
  } catch (const Stopped&) {
    return false;
  } catch (const Error& error) {
    log(LogLevel::Debug, kOwnEvent, error.what(), {{"to", desk.service->name()}});
    if (error.kind() == ErrorKind::Transient) {
      return false;
    }
    count("refused");
    log(LogLevel::Warn, kOwnEvent, error.what(), {{"to", desk.service->name()}});
  }
  spool.done(*report);
  return true;
}

}  // namespace re_dms
