#include "stage/s3_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/retry.h"
#include "stage/testing/s3_fixture.h"

namespace re_dms::s3_store_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class S3Store : public S3Test {
 protected:
  std::string put(const std::string& key, std::string_view body = "x") {
    const auto store_of_it = store();
    const auto object = store_of_it->create(key);
    object->append(body);
    return object->finish();
  }

  std::string put_fails(ErrorKind kind, bool fixed_keys = false) {
    try {
      const auto store_of_it = store(fixed_keys);
      store_of_it->create("k")->finish();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "was written";
    return {};
  }

  void stored() { http_->answer(200, "", {{"ETag", "\"e\""}}); }
};

TEST_F(S3Store, WritesAnObjectWithOneSignedPut) {
  stored();
  settings_.sse = "aws:kms";
  settings_.kms_key_id = "key-1";
  const auto s3 = store();
  const auto object = s3->create("7/a b/c+é.csv.gz");
  object->append("1234");
  object->append("56789");
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_EQ(object->finish(), "s3://bucket-1/pre fix/7/a b/c+é.csv.gz");
  EXPECT_EQ(s3->key_of("s3://bucket-1/pre fix/7/a b/c+é.csv.gz"), "7/a b/c+é.csv.gz");
  EXPECT_THROW(s3->key_of("s3://bucket-1/other/7"), Error);
  ASSERT_EQ(sent().size(), 1U);
  const HttpRequest& request = sent()[0].request;
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.url(),
            "https://bucket-1.s3.eu-west-1.amazonaws.com/pre%20fix/7/a%20b/c%2B%C3%A9.csv.gz");
  EXPECT_EQ(sent()[0].body, "123456789");
  // RFC 3720's CRC32C of "123456789" is E3069283.
  EXPECT_EQ(header_of(request, "x-amz-checksum-crc32c"), "4waSgw==");
  EXPECT_EQ(header_of(request, "x-amz-content-sha256"),
            "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
  EXPECT_EQ(header_of(request, "x-amz-server-side-encryption"), "aws:kms");
  EXPECT_EQ(header_of(request, "x-amz-server-side-encryption-aws-kms-key-id"), "key-1");
  EXPECT_THAT(header_of(request, "authorization"),
              AllOf(HasSubstr("AKIA1/20260101/eu-west-1/s3/aws4_request"),
                    HasSubstr("x-amz-server-side-encryption;")));
}

TEST_F(S3Store, WritesNothingOfAnAbandonedObject) {
  {
    const auto s3 = store();
    const auto object = s3->create("k");
    object->append("half");
  }
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_THAT(store()->list_unfinished(""), IsEmpty());
}

TEST_F(S3Store, RefusesNamesThatAreNoKeys) {
  for (const char* key : {"", "a/", "/a", "a//b", "a/../b", "a\nb"}) {
    EXPECT_THROW(store()->create(key), Error) << key;
    EXPECT_THROW(store()->remove(key), Error) << key;
  }
}

TEST_F(S3Store, HoldsAnObjectOfStatedSizeAtMost) {
  const auto s3 = store();
  const auto object = s3->create("k");
  object->append(std::string(kS3ObjectBytesMax, 'x'));
  EXPECT_THROW(object->append("x"), Error);
}

TEST_F(S3Store, RepeatsWhatMayPass) {
  http_->answer(503, error_xml("SlowDown", "Please reduce your request rate."));
  http_->answer(500, error_xml("InternalError", "x"));
  http_->answer(400, error_xml("RequestTimeout", "x"));
  http_->answer(429, "");
  http_->no_answer();
  stored();
  EXPECT_EQ(put("k"), "s3://bucket-1/pre fix/k");
  EXPECT_EQ(sent().size(), 6U);
}

TEST_F(S3Store, GivesUpInTimeAndLeavesTheRestToThePipeline) {
  http_->answer(503, error_xml("SlowDown", "Please reduce your request rate."));
  EXPECT_THAT(put_fails(ErrorKind::Transient),
              HasSubstr("cannot write s3://bucket-1/pre fix/k: 503 SlowDown (Please reduce your "
                        "request rate.), request R1"));
  EXPECT_GT(sent().size(), 2U);
  EXPECT_LT(sent().size(), 13U);
}

TEST_F(S3Store, SaysWhichStatementIsMissing) {
  http_->answer(403, error_xml("AccessDenied", "Access Denied"));
  EXPECT_THAT(put_fails(ErrorKind::Fatal),
              AllOf(HasSubstr("403 AccessDenied (Access Denied), request R1"),
                    HasSubstr(R"({"Effect": "Allow", "Action": "s3:PutObject", "Resource": )"
                              R"("arn:aws:s3:::bucket-1/pre fix/*"})"),
                    HasSubstr("numbered keys")));
  EXPECT_EQ(sent().size(), 1U);
  try {
    store()->list("");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr(R"("s3:ListBucket", "Resource": "arn:aws:s3:::bucket-1"})"));
  }
}

TEST_F(S3Store, SaysWhatToDoAboutEachRefusal) {
  const std::vector<std::tuple<int, std::string, std::string>> cases = {
      {404, error_xml("NoSuchBucket", "x"), "Create the bucket"},
      {403, error_xml("SignatureDoesNotMatch", "x"), "are not those of this store"},
      {400, error_xml("AuthorizationHeaderMalformed", "x", "<Region>us-west-2</Region>"),
       "stage.region = \"us-west-2\""},
      {403, error_xml("AccessDenied", "not authorized to perform: kms:GenerateDataKey"),
       "kms:GenerateDataKey and kms:Decrypt"},
      {400, error_xml("KMS.NotFoundException", "x"), "stage.kms_key_id"},
  };
  for (const auto& [status, body, advice] : cases) {
    http_->forget_answers();
    http_->answer(status, body);
    EXPECT_THAT(put_fails(ErrorKind::Fatal), HasSubstr(advice));
  }
  http_->forget_answers();
  http_->answer(301, "", {{"x-amz-bucket-region", "ap-south-1"}});
  EXPECT_THAT(put_fails(ErrorKind::Fatal), HasSubstr("stage.region = \"ap-south-1\""));
}

TEST_F(S3Store, AsksForOtherKeysOnce) {
  http_->answer(400, error_xml("ExpiredToken", "x"));
  stored();
  put("k");
  ASSERT_EQ(sent().size(), 2U);
  EXPECT_THAT(header_of(sent()[0].request, "authorization"), HasSubstr("AKIA1/"));
  EXPECT_THAT(header_of(sent()[1].request, "authorization"), HasSubstr("AKIA2/"));
  http_->forget_answers();
  http_->answer(403, error_xml("InvalidAccessKeyId", "x"));
  put_fails(ErrorKind::Fatal);
  EXPECT_EQ(sent().size(), 4U);
  http_->forget_answers();
  http_->answer(400, error_xml("ExpiredToken", "x"));
  EXPECT_THAT(put_fails(ErrorKind::Transient), HasSubstr("renew it"));
  EXPECT_THAT(put_fails(ErrorKind::Fatal, true), HasSubstr("renew it and restart"));
}

TEST_F(S3Store, SaysHowFarTheClockIsOff) {
  http_->answer(403, error_xml("RequestTimeTooSkewed", "x"),
                {{"Date", "Thu, 01 Jan 2026 01:00:00 GMT"}});
  EXPECT_THAT(put_fails(ErrorKind::Transient),
              AllOf(HasSubstr("the clock here differs from S3's by -3"), HasSubstr("chrony")));
}

TEST_F(S3Store, AFullStoreIsAFullStage) {
  http_->answer(403, error_xml("QuotaExceeded", "x"));
  EXPECT_THROW(store()->create("k")->finish(), StageFull);
}

TEST_F(S3Store, WhatAProxyAnswersIsNoAnswer) {
  http_->answer(200, "<html>Sign in</html>");
  EXPECT_THAT(put_fails(ErrorKind::Transient), HasSubstr("none of S3's"));
  EXPECT_THROW(store()->list(""), Error);
  EXPECT_THROW(store()->remove_all({"a"}), Error);
}

TEST_F(S3Store, ListsAllPages) {
  http_->answer(200,
                "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                "<NextContinuationToken>t+/=</NextContinuationToken>"
                "<Contents><Key>pre%20fix/b/2%2B</Key></Contents>"
                "<Contents><Key>pre%20fix/b/</Key></Contents></ListBucketResult>");
  http_->answer(200,
                "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
                "<Contents><Key>pre%20fix/b/1&amp;</Key></Contents></ListBucketResult>");
  EXPECT_THAT(store()->list("b/"), ElementsAre("b/1&", "b/2+"));
  EXPECT_EQ(sent()[0].request.url(),
            "https://bucket-1.s3.eu-west-1.amazonaws.com/?encoding-type=url&list-type=2&prefix="
            "pre%20fix%2Fb%2F");
  EXPECT_THAT(sent()[1].request.url(), HasSubstr("continuation-token=t%2B%2F%3D&"));
}

TEST_F(S3Store, RemovesAThousandKeysAtOnce) {
  http_->answer(200, "<DeleteResult/>");
  std::vector<std::string> keys;
  for (int i = 0; i < 1001; ++i) {
    keys.push_back(fmt::format("k<&>{}", i));
  }
  store()->remove_all(keys);
  store()->remove_all({});
  ASSERT_EQ(sent().size(), 2U);
  EXPECT_THAT(sent()[0].request.url(), EndsWith("amazonaws.com/?delete="));
  EXPECT_EQ(sent()[1].body,
            "<Delete><Quiet>true</Quiet><Object><Key>pre fix/k&lt;&amp;&gt;1000</Key></Object>"
            "</Delete>");
  EXPECT_EQ(header_of(sent()[1].request, "content-md5").size(), 24U);
}

TEST_F(S3Store, SaysWhichKeyWasNotRemoved) {
  http_->answer(200,
                "<DeleteResult><Error><Key>k0</Key><Code>NoSuchKey</Code></Error>"
                "<Error><Key>k1</Key><Code>AccessDenied</Code><Message>no</Message></Error>"
                "</DeleteResult>");
  try {
    store()->remove_all({"k0", "k1"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Fatal);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("k1: no"), HasSubstr("s3:DeleteObject")));
  }
}

TEST_F(S3Store, EndsWhenStopIsRequested) {
  http_->answer(503, "");
  stop_.request_stop();
  const auto s3 = store();
  EXPECT_THROW(s3->create("k")->finish(), Stopped);
  EXPECT_THAT(sent(), IsEmpty());
  EXPECT_THROW(s3->remove("k"), Error);  // tried all the same, and not again
  EXPECT_EQ(sent().size(), 1U);
}

}  // namespace
}  // namespace re_dms::s3_store_test
