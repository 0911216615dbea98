#include "aws/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/testing/scripted_client.h"

namespace re_dms::signer_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

SystemTime at(int year, unsigned month, unsigned day, int hour, int minute) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) /
                               std::chrono::day(day)) +
         std::chrono::hours(hour) + std::chrono::minutes(minute);
}

/// The examples of "Authenticating Requests: Using the Authorization Header" in Amazon's S3 API
/// reference.
std::string s3_signature(HttpRequest request) {
  const Credentials keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
  request.origin = "https://examplebucket.s3.amazonaws.com";
  sign(request, keys, {"us-east-1", "s3"}, at(2013, 5, 24, 0, 0));
  return header_of(request, "authorization");
}

TEST(Signer, SignsGetObject) {
  HttpRequest request;
  request.path = "/test.txt";
  request.headers = {{"Range", "bytes=0-9"}};
  EXPECT_EQ(s3_signature(request),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(Signer, SignsPutObject) {
  HttpRequest request;
  request.method = "PUT";
  request.path = "/test%24file.text";
  request.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  request.body = "Welcome to Amazon S3.";
  EXPECT_THAT(s3_signature(request),
              EndsWith("=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"));
}

TEST(Signer, SignsASubresourceWithoutAValue) {
  HttpRequest request;
  request.query = {{"lifecycle", ""}};
  EXPECT_THAT(s3_signature(request),
              EndsWith("=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"));
}

TEST(Signer, SignsAList) {
  HttpRequest request;
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_THAT(s3_signature(request),
              EndsWith("=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"));
}

/// The cases of AWS's Signature Version 4 test suite.
std::string suite_signature(HttpRequest request, const std::string& token = {}) {
  const Credentials keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token};
  request.origin = "https://example.amazonaws.com";
  sign(request, keys, {"us-east-1", "service"}, at(2015, 8, 30, 12, 36));
  const std::string header = header_of(request, "authorization");
  return header.substr(header.find("Signature=") + 10);
}

TEST(Signer, PassesTheSuitesGetVanilla) {
  EXPECT_EQ(suite_signature({}),
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
}

TEST(Signer, PassesTheSuitesQueryOrder) {
  HttpRequest request;
  request.query = {{"Param2", "value2"}, {"Param1", "value1"}};
  EXPECT_EQ(suite_signature(request),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

TEST(Signer, PassesTheSuitesPostVanilla) {
  HttpRequest request;
  request.method = "POST";
  EXPECT_EQ(suite_signature(request),
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

TEST(Signer, PassesTheSuitesRepeatedHeader) {
  HttpRequest request;
  request.headers = {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}};
  EXPECT_EQ(suite_signature(request),
            "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea");
}

TEST(Signer, PassesTheSuitesSpacesInHeaders) {
  HttpRequest request;
  request.headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}};
  EXPECT_EQ(suite_signature(request),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(Signer, PassesTheSuitesForm) {
  HttpRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
  request.body = "Param1=value1";
  EXPECT_EQ(suite_signature(request),
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

TEST(Signer, EscapesThePathOnceMoreUnlessItIsForS3) {
  HttpRequest request;
  request.path = "/%E1%88%B4";
  // The suite's get-utf8 escapes "/ሴ" once; as it is sent here it is escaped already.
  HttpRequest raw;
  raw.path = "/\xE1\x88\xB4";
  EXPECT_EQ(suite_signature(raw),
            "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85");
  EXPECT_NE(suite_signature(request), suite_signature(raw));
}

TEST(Signer, SignsTheTokenAndReplacesWhatItAddedBefore) {
  const Credentials keys{"AKIDEXAMPLE", "secret", "token/1"};
  HttpRequest request;
  request.origin = "http://localhost:8000";
  sign(request, keys, {"us-east-1", "s3"}, at(2015, 8, 30, 12, 36));
  EXPECT_EQ(header_of(request, "x-amz-security-token"), "token/1");
  EXPECT_THAT(header_of(request, "authorization"),
              HasSubstr("host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
  HttpRequest again = request;
  sign(again, {"AKIDEXAMPLE", "secret"}, {"us-east-1", "s3"}, at(2015, 8, 30, 12, 37));
  EXPECT_EQ(again.headers.size(), request.headers.size() - 1);
  EXPECT_EQ(header_of(again, "x-amz-date"), "20150830T123700Z");
}

TEST(HttpRequest, EscapesItsQueryAndSortsItAsItIsSent) {
  HttpRequest request;
  request.origin = "https://h:1";
  request.path = "/a/./b";
  request.query = {{"prefix", "a b/+é"}, {"delete", ""}, {"a", "2"}, {"a", "1"}};
  EXPECT_EQ(request.url(), "https://h:1/a/./b?a=1&a=2&delete=&prefix=a%20b%2F%2B%C3%A9");
  EXPECT_EQ(request.host(), "h:1");
  EXPECT_EQ(percent_decode("a%20b%2F%zz%4"), "a b/%zz%4");
}

}  // namespace
}  // namespace re_dms::signer_test
