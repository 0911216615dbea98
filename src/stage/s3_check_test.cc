#include "stage/s3_check.h"

#include <gmock/gmock.h>

#include "stage/testing/s3_fixture.h"

namespace re_dms::s3_check_test {
namespace {

using ::testing::HasSubstr;
using Status = CheckResult::Status;

class S3Check : public S3Test {
 protected:
  /// A bucket that has what was written to it.
  void bucket_answers(const std::vector<HttpHeader>& headers) {
    http_->answer([headers](const HttpRequest& request) -> HttpResponse {
      if (request.method == "PUT") {
        return {200, headers, ""};
      }
      if (request.method == "POST") {
        return {200, {}, "<DeleteResult/>"};
      }
      if (!request.query.empty()) {
        return {200,
                {},
                "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>" +
                    request.query.back().second + "</Key></Contents></ListBucketResult>"};
      }
      return {200, {}, "re_dms check"};
    });
  }

  const CheckResult& result(const std::vector<CheckResult>& results, const std::string& name) {
    for (const CheckResult& given : results) {
      if (given.name == name) {
        return given;
      }
    }
    ADD_FAILURE() << "nothing of " << name;
    return results.front();
  }
};

TEST_F(S3Check, WritesReadsListsAndRemovesAProbe) {
  bucket_answers({{"ETag", "e"},
                  {"Date", "Thu, 01 Jan 2026 00:00:30 GMT"},
                  {"x-amz-server-side-encryption", "AES256"}});
  const auto results = check_s3(settings_, wiring());
  EXPECT_EQ(results.size(), 8U);
  for (const CheckResult& given : results) {
    EXPECT_EQ(given.status, Status::Ok) << given.name << ": " << given.finding;
  }
  EXPECT_EQ(result(results, "stage: credentials").finding, "numbered keys");
  EXPECT_EQ(result(results, "stage: region").finding,
            "eu-west-1, at https://bucket-1.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(result(results, "stage: encryption").finding, "AES256 (the bucket's default)");
}

TEST_F(S3Check, NamesTheStatementThatIsMissing) {
  http_->answer(403, error_xml("AccessDenied", "Access Denied"));
  const auto results = check_s3(settings_, wiring());
  EXPECT_EQ(results.back().name, "stage: write");
  EXPECT_EQ(results.back().status, Status::Fail);
  EXPECT_THAT(results.back().fix, HasSubstr("\"s3:PutObject\""));
}

TEST_F(S3Check, NoticesAnotherEncryptionAndAClockThatIsOff) {
  settings_.sse = "aws:kms";
  bucket_answers({{"ETag", "e"},
                  {"Date", "Thu, 01 Jan 2026 00:05:00 GMT"},
                  {"x-amz-server-side-encryption", "AES256"}});
  const auto results = check_s3(settings_, wiring());
  EXPECT_EQ(result(results, "stage: encryption").status, Status::Fail);
  EXPECT_EQ(result(results, "stage: encryption").finding,
            "asked for aws:kms (stage.sse), the store took AES256");
  EXPECT_EQ(result(results, "stage: clock").status, Status::Warn);
  EXPECT_THAT(result(results, "stage: clock").finding, HasSubstr("s behind the store's"));
}

}  // namespace
}  // namespace re_dms::s3_check_test
