#include "app/stage_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/config.h"
#include "base/error.h"

namespace re_dms::stage_config_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Surroundings nothing_around() {
  return {[](const std::string&) -> std::optional<std::string> { return std::nullopt; },
          [](const std::string&) { return std::string(); }};
}

/// What is read of these lines of [stage]; faults are thrown.
std::optional<S3Settings> read(const std::string& lines) {
  const Surroundings surroundings = nothing_around();
  ConfigReader reader("[stage]\n" + lines, "/etc/x/re.toml", surroundings);
  const std::string url = reader.text("stage.url").value_or("");
  auto s3 = read_s3(reader, url, "/etc/x");
  reader.finish();
  return s3;
}

std::string faults(const std::string& lines) {
  try {
    read(lines);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    return error.what();
  }
  ADD_FAILURE() << "was not refused: " << lines;
  return {};
}

TEST(StageConfig, AUrlIsEnough) {
  const auto s3 = read("url = \"s3://bucket/prefix\"\n");
  ASSERT_TRUE(s3);
  EXPECT_EQ(s3->url, "s3://bucket/prefix");
  EXPECT_EQ(s3->region, "");
  EXPECT_FALSE(s3->path_style);
}

TEST(StageConfig, EveryKeyIsTaken) {
  const auto s3 = read(R"(url = "s3://bucket/prefix"
region = "eu-west-1"
endpoint = "https://minio.internal:9000"
path_style = true
profile = "etl"
sse = "aws:kms"
kms_key_id = "alias/etl"
ca_file = "ca.pem"
proxy = "http://proxy:3128"
)");
  ASSERT_TRUE(s3);
  EXPECT_EQ(s3->region, "eu-west-1");
  EXPECT_EQ(s3->endpoint, "https://minio.internal:9000");
  EXPECT_TRUE(s3->path_style);
  EXPECT_EQ(s3->profile, "etl");
  EXPECT_EQ(s3->sse, "aws:kms");
  EXPECT_EQ(s3->kms_key_id, "alias/etl");
  EXPECT_EQ(s3->ca_file, "/etc/x/ca.pem");
  EXPECT_EQ(s3->proxy, "http://proxy:3128");
}

TEST(StageConfig, SaysWhatIsWrong) {
  EXPECT_THAT(faults("url = \"s3://a//b\"\n"), HasSubstr("expected s3://bucket/prefix"));
  EXPECT_THAT(faults("url = \"s3://bucket\"\nregion = \"Ireland\"\nendpoint = \"minio:9000\"\n"
                     "sse = \"yes\"\n"),
              AllOf(HasSubstr("stage.region"), HasSubstr("https://host:port, without a path"),
                    HasSubstr("stage.sse")));
  EXPECT_THAT(faults("url = \"s3://bucket\"\nkms_key_id = \"k\"\n"),
              HasSubstr("counts with stage.sse"));
  EXPECT_THAT(faults("url = \"s3://arn:aws:s3:eu-west-1:1:accesspoint/x\"\n"
                     "endpoint = \"https://h\"\n"),
              HasSubstr("not with an ARN"));
  EXPECT_THAT(faults("url = \"file:///x\"\nregion = \"eu-west-1\"\n"),
              HasSubstr("counts for an s3:// stage only"));
}

TEST(StageConfig, DuckDbReadsNoS3) {
  try {
    parse_config(
        "[source]\nurl = \"dbname=a\"\n[stage]\nurl = \"s3://bucket/x\"\n[warehouse]\n"
        "url = \"duckdb:///w.duckdb\"\n",
        "/etc/x/re.toml", nothing_around());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("stage.url: DuckDB reads its files from a directory"));
  }
}

}  // namespace
}  // namespace re_dms::stage_config_test
