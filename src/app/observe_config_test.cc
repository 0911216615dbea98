#include "app/observe_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "app/config.h"
#include "base/error.h"

namespace re_dms::observe_config_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

ObserveSettings parse(const std::string& lines) {
  const Surroundings surroundings{[](const std::string&) { return std::nullopt; },
                                  [](const std::string&) { return std::string(); }};
  const std::string text =
      "[source]\nurl = \"postgresql://u@h/d\"\n[warehouse]\nurl = \"duckdb:///w.duckdb\"\n"
      "[journal]\ndirectory = \"/data/j\"\n[observe]\n" +
      lines;
  return parse_config(text, "/etc/x/re_dms.toml", surroundings).observe;
}

std::string refusal(const std::string& lines) {
  try {
    parse(lines);
  } catch (const Error& error) {
    return error.what();
  }
  return "taken";
}

TEST(ObserveConfig, TellsNobodyUnlessItIsAskedTo) {
  const ObserveSettings observe = parse("");
  EXPECT_EQ(observe.statsd, "");
  EXPECT_EQ(observe.cloudwatch_namespace, "");
  EXPECT_FALSE(observe.reports.wanted());
  EXPECT_EQ(observe.reports.least, LogLevel::Warn);
  EXPECT_EQ(observe.reports.directory, "/data/j.reports");
  EXPECT_EQ(observe.table_metrics, 100U);
}

TEST(ObserveConfig, EveryKeyIsRead) {
  const ObserveSettings observe = parse(
      "table_metrics = 7\nslot_interval = \"1m\"\nstatsd = \"metrics.internal:8125\"\n"
      "statsd_tags = false\nstatsd_interval = \"5s\"\ncloudwatch_namespace = \"re_dms\"\n"
      "cloudwatch_region = \"eu-west-1\"\ncloudwatch_interval = \"2m\"\nrollbar_token = \"t\"\n"
      "rollbar_url = \"http://127.0.0.1:1\"\nsentry_dsn = \"https://k@h/1\"\n"
      "environment = \"staging\"\nreport_level = \"error\"\nreport_values = true\n");
  EXPECT_EQ(observe.table_metrics, 7U);
  EXPECT_EQ(observe.slot_interval, std::chrono::minutes(1));
  EXPECT_EQ(observe.statsd, "metrics.internal:8125");
  EXPECT_FALSE(observe.statsd_tags);
  EXPECT_EQ(observe.statsd_interval, std::chrono::seconds(5));
  EXPECT_EQ(observe.cloudwatch_namespace, "re_dms");
  EXPECT_EQ(observe.cloudwatch_region, "eu-west-1");
  EXPECT_EQ(observe.cloudwatch_interval, std::chrono::minutes(2));
  EXPECT_EQ(observe.reports.rollbar_token, "t");
  EXPECT_EQ(observe.reports.rollbar_url, "http://127.0.0.1:1");
  EXPECT_EQ(observe.reports.sentry_dsn, "https://k@h/1");
  EXPECT_EQ(observe.reports.environment, "staging");
  EXPECT_EQ(observe.reports.least, LogLevel::Error);
  EXPECT_TRUE(observe.reports.values);
}

TEST(ObserveConfig, FaultsNameTheKeyAndNoSecret) {
  for (const char* line : {"statsd = \"host\"", "statsd = \":8125\"", "statsd_interval = \"1ms\"",
                           "cloudwatch_namespace = \"AWS/RDS\"", "rollbar_url = \"api\"",
                           "report_level = \"info\"", "table_metrics = -1"}) {
    const std::string key = std::string(line).substr(0, std::string(line).find(' '));
    EXPECT_THAT(refusal(line), HasSubstr("observe." + key)) << line;
  }
  const std::string wrong = refusal("sentry_dsn = \"topsecret\"");
  EXPECT_THAT(wrong, HasSubstr("observe.sentry_dsn"));
  EXPECT_THAT(wrong, Not(HasSubstr("topsecret")));
}

TEST(ObserveConfig, PasswordsAreFoundInEveryFormOfAUrl) {
  EXPECT_THAT(passwords_in("postgresql://u:p%40ss@h/d"), ElementsAre("p%40ss", "p@ss"));
  EXPECT_THAT(passwords_in("postgresql:///d?host=/s&password=abc&user=u"), ElementsAre("abc"));
  EXPECT_THAT(passwords_in("host=h password='abc' user=u"), ElementsAre("abc"));
  EXPECT_THAT(passwords_in("postgresql://u@h/d"), IsEmpty());
}

}  // namespace
}  // namespace re_dms::observe_config_test
