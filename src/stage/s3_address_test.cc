#include "stage/s3_address.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace re_dms::s3_address_test {
namespace {

S3Settings settings_of(const std::string& url) {
  S3Settings settings;
  settings.url = url;
  return settings;
}

TEST(S3Address, AUrlNamesBucketAndPrefix) {
  EXPECT_EQ(parse_s3_url("s3://my-bucket")->bucket, "my-bucket");
  EXPECT_EQ(parse_s3_url("s3://my-bucket/")->prefix, "");
  EXPECT_EQ(parse_s3_url("s3://my-bucket/a/b c/")->prefix, "a/b c");
  for (const char* url : {"", "s3://", "s3://ab", "s3:///x", "file:///x", "s3://bucket/a//b",
                          "s3://bucket/../b", "s3://bucket/.", "s3://bucket/a?b", "s3://a b/c",
                          "s3://arn:aws:s3:eu-west-1:1:bucket/x", "s3://arn:aws:s3:::bucket"}) {
    EXPECT_EQ(parse_s3_url(url), std::nullopt) << url;
  }
}

TEST(S3Address, AmazonsBucketsAreNamedByTheHost) {
  const S3Address address = s3_address(settings_of("s3://my-bucket/a/b"), "eu-west-1");
  EXPECT_EQ(address.origin, "https://my-bucket.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(address.bucket_path, "");
  EXPECT_EQ(address.prefix, "a/b/");
  EXPECT_EQ(address.region, "eu-west-1");
  EXPECT_EQ(address.arn, "arn:aws:s3:::my-bucket");
  EXPECT_EQ(address.key_arn, "arn:aws:s3:::my-bucket/a/b/*");
  const S3Address china = s3_address(settings_of("s3://my-bucket"), "cn-north-1");
  EXPECT_EQ(china.origin, "https://my-bucket.s3.cn-north-1.amazonaws.com.cn");
  EXPECT_EQ(china.key_arn, "arn:aws-cn:s3:::my-bucket/*");
  // The alias of an access point is a bucket's name like any other.
  EXPECT_EQ(s3_address(settings_of("s3://etl-abc123-s3alias/x"), "eu-west-1").origin,
            "https://etl-abc123-s3alias.s3.eu-west-1.amazonaws.com");
}

TEST(S3Address, NamesThatNoCertificateFitsStandInThePath) {
  const S3Address address = s3_address(settings_of("s3://my.bucket"), "eu-west-1");
  EXPECT_EQ(address.origin, "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(address.bucket_path, "/my.bucket");
}

TEST(S3Address, AnAccessPointsArnSaysRegionAndHost) {
  const S3Address address =
      s3_address(settings_of("s3://arn:aws:s3:eu-central-1:123456789012:accesspoint/etl/a/b"), "");
  EXPECT_EQ(address.origin, "https://etl-123456789012.s3-accesspoint.eu-central-1.amazonaws.com");
  EXPECT_EQ(address.region, "eu-central-1");
  EXPECT_EQ(address.prefix, "a/b/");
  EXPECT_EQ(address.key_arn, "arn:aws:s3:eu-central-1:123456789012:accesspoint/etl/object/a/b/*");
}

TEST(S3Address, AnotherStoreIsAskedAtItsEndpoint) {
  S3Settings settings = settings_of("s3://my-bucket/a");
  settings.endpoint = "https://minio.internal:9000/";
  EXPECT_EQ(s3_address(settings, "").origin, "https://my-bucket.minio.internal:9000");
  EXPECT_EQ(s3_address(settings, "").region, "us-east-1");
  settings.path_style = true;
  EXPECT_EQ(s3_address(settings, "").origin, "https://minio.internal:9000");
  EXPECT_EQ(s3_address(settings, "").bucket_path, "/my-bucket");
  settings.path_style = false;
  settings.endpoint = "http://127.0.0.1:9000";
  EXPECT_EQ(s3_address(settings, "").bucket_path, "/my-bucket");
}

TEST(S3Address, AmazonNeedsARegion) {
  try {
    s3_address(settings_of("s3://my-bucket"), "");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
  }
}

}  // namespace
}  // namespace re_dms::s3_address_test
