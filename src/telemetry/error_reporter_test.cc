#include "telemetry/error_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/retry.h"

namespace re_dms::error_reporter_test {
namespace {

constexpr std::chrono::seconds kPatience(20);

/// What a service got; it can be away, and it can hang until it is told to stop.
struct ServiceLog {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::vector<ErrorReport> got;
  int failures = 0;  ///< tries still to fail
  int asked = 0;
  bool hangs = false;
  bool refuses = false;

  std::vector<ErrorReport> wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, kPatience, [&] { return got.size() >= count; });
    return got;
  }
};

class FakeService final : public ReportService {
 public:
  explicit FakeService(ServiceLog& log) : log_(log) {}

  std::string_view name() const override { return "Rollbar"; }

  void send(const ErrorReport& report, const std::stop_token& stop) override {
    std::unique_lock lock(log_.mutex);
    ++log_.asked;
    log_.changed.notify_all();
    if (log_.hangs) {
      log_.changed.wait(lock, stop, [] { return false; });
      throw Stopped();
    }
    if (log_.refuses) {
      throw Error(ErrorKind::Fatal, "refused");
    }
    if (log_.failures > 0) {
      --log_.failures;
      throw Error(ErrorKind::Transient, "away");
    }
    log_.got.push_back(report);
    log_.changed.notify_all();
  }

 private:
  ServiceLog& log_;
};

class ErrorReporterTest : public ::testing::Test {
 protected:
  ErrorReporterTest()
      : folder_(std::filesystem::temp_directory_path() / ("re_dms_reports." + random_hex())) {
    configure_log(LogFormat::Text, LogLevel::Error);
    ::testing::internal::CaptureStderr();
  }

  ~ErrorReporterTest() override {
    ::testing::internal::GetCapturedStderr();
    configure_log(LogFormat::Text, LogLevel::Info);
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<ErrorReporter> open(ServiceLog& log) {
    std::vector<std::unique_ptr<ReportService>> services;
    services.push_back(std::make_unique<FakeService>(log));
    ErrorReporterSettings settings{folder_, nullptr, LogLevel::Warn, {{"hunter2"}, false}};
    settings.retry = {std::chrono::milliseconds(1), std::chrono::milliseconds(5)};
    return std::make_unique<ErrorReporter>(std::move(settings), std::move(services),
                                           real_file_system(), metrics_);
  }

  double counted(std::string_view outcome) {
    return metrics_.counter("re_dms_error_reports_total", outcome).Value();
  }

  std::filesystem::path folder_;
  Metrics metrics_;
};

TEST_F(ErrorReporterTest, ReportsWarningsAndErrorsWithTheirContextScrubbed) {
  ServiceLog service;
  const auto reporter = open(service);
  log(LogLevel::Info, "batch_loaded", "nothing to report");
  log(LogLevel::Error, "table_set_aside", "Key (id)=(5) refused with hunter2 [23505]",
      {{"table", "public.t"}, {"position", "0/1A"}});
  const auto got = service.wait_for(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].event, "table_set_aside");
  EXPECT_EQ(got[0].level, "error");
  EXPECT_EQ(got[0].table, "public.t");
  EXPECT_EQ(got[0].lsn, "0/1A");
  EXPECT_EQ(got[0].sqlstate, "23505");
  EXPECT_EQ(got[0].message, "Key (id)=([value]) refused with [secret] [23505]");
}

TEST_F(ErrorReporterTest, AnOutageOfTheServiceDelaysReports) {
  ServiceLog service;
  service.failures = 5;
  const auto reporter = open(service);
  log(LogLevel::Error, "failed", "first");
  log(LogLevel::Error, "source_refused", "second");
  EXPECT_EQ(service.wait_for(2).size(), 2U);
  reporter->flush(kPatience);
  EXPECT_EQ(counted("sent"), 2);
}

TEST_F(ErrorReporterTest, WhatWasNotSentIsSentByTheNextStart) {
  ServiceLog away;
  away.hangs = true;
  {
    const auto reporter = open(away);
    log(LogLevel::Error, "failed", "the last words");
  }
  ServiceLog service;
  const auto reporter = open(service);
  const auto got = service.wait_for(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].message, "the last words");
}

TEST_F(ErrorReporterTest, AServiceThatHangsHoldsNobodyUp) {
  ServiceLog service;
  service.hangs = true;
  const auto reporter = open(service);
  log(LogLevel::Error, "failed", "begins to hang");
  {
    std::unique_lock lock(service.mutex);
    ASSERT_TRUE(service.changed.wait_for(lock, kPatience, [&] { return service.asked > 0; }));
  }
  // Each returns, though the thread that sends does not: what is beyond the bound is dropped.
  for (int i = 0; i < 300; ++i) {
    log(LogLevel::Error, "failed", "while it hangs");
  }
  EXPECT_EQ(counted("dropped"), 300 - 256);
}

TEST_F(ErrorReporterTest, AReportThatIsRefusedIsNotSentAgain) {
  ServiceLog service;
  service.refuses = true;
  const auto reporter = open(service);
  log(LogLevel::Error, "failed", "of a kind nobody takes");
  reporter->flush(kPatience);
  EXPECT_EQ(counted("refused"), 1);
  EXPECT_EQ(service.asked, 1);
}

const Reporter kReporter{"staging", "etl-1", "re_dms"};

ErrorReport sample() {
  ErrorReport report = report_of(LogLevel::Error, "table_set_aside", "why [22P02]",
                                 {{"table", "public.t"}, {"position", "0/1A"}}, SystemTime());
  report.count = 3;
  return report;
}

TEST(ReportService, RollbarGetsAnItem) {
  const ErrorReport report = sample();
  const auto item = nlohmann::json::parse(rollbar_item(report, kReporter))["data"];
  EXPECT_EQ(item["environment"], "staging");
  EXPECT_EQ(item["body"]["message"]["body"], "why [22P02]");
  EXPECT_EQ(item["level"], "error");
  EXPECT_EQ(item["fingerprint"], report.fingerprint);
  EXPECT_EQ(item["title"], "table_set_aside: public.t: why [22P02]");
  EXPECT_EQ(item["custom"]["table"], "public.t");
  EXPECT_EQ(item["custom"]["lsn"], "0/1A");
  EXPECT_EQ(item["custom"]["sqlstate"], "22P02");
  EXPECT_EQ(item["custom"]["count"], 3);
  EXPECT_EQ(item["server"]["host"], "etl-1");
}

TEST(ReportService, SentryGetsAnEnvelopeWithOneEvent) {
  ErrorReport report = sample();
  report.level = "critical";
  const std::string envelope = sentry_envelope(report, kReporter);
  const std::size_t first = envelope.find('\n');
  const std::size_t second = envelope.find('\n', first + 1);
  const auto header = nlohmann::json::parse(envelope.substr(0, first));
  const auto item = nlohmann::json::parse(envelope.substr(first + 1, second - first - 1));
  const std::string body = envelope.substr(second + 1, item["length"].get<std::size_t>());
  const auto event = nlohmann::json::parse(body);
  EXPECT_EQ(envelope.size(), second + 1 + body.size() + 1);
  EXPECT_EQ(header["event_id"], report.id);
  EXPECT_EQ(item["type"], "event");
  EXPECT_EQ(event["level"], "fatal");
  EXPECT_EQ(event["fingerprint"], nlohmann::json::array({report.fingerprint}));
  EXPECT_EQ(event["tags"]["table"], "public.t");
  EXPECT_EQ(event["extra"]["lsn"], "0/1A");
  EXPECT_EQ(event["environment"], "staging");
}

TEST(ReportService, ADsnNamesOriginPathAndKey) {
  const SentrySettings plain = parse_sentry_dsn("https://abc@o1.ingest.sentry.io/42");
  EXPECT_EQ(plain.origin, "https://o1.ingest.sentry.io");
  EXPECT_EQ(plain.path, "/api/42/envelope/");
  EXPECT_EQ(plain.key, "abc");
  const SentrySettings own = parse_sentry_dsn("http://abc:def@sentry.internal:9000/base/7");
  EXPECT_EQ(own.origin, "http://sentry.internal:9000");
  EXPECT_EQ(own.path, "/base/api/7/envelope/");
  EXPECT_EQ(own.key, "abc");
  for (const char* wrong : {"", "abc", "https://host/1", "https://@host/1", "https://key@host/"}) {
    EXPECT_THROW(parse_sentry_dsn(wrong), Error) << wrong;
  }
}

}  // namespace
}  // namespace re_dms::error_reporter_test
