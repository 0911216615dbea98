#include "aws/credential_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/credential_json.h"
#include "aws/testing/scripted_client.h"
#include "base/testing/manual_clock.h"

namespace re_dms::credential_sources_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kServiceKeys =
    R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"s3cret","Token":"tok",)"
    R"("Expiration":"2026-01-01T06:00:00Z"})";

constexpr const char* kStsAnswer =
    "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
    "<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA2</AccessKeyId>"
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    "<Expiration>2026-01-01T01:00:00Z</Expiration></Credentials>"
    "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

class CredentialSourcesTest : public ::testing::Test {
 protected:
  AwsContext context() { return machine_.context(http_, clock_); }

  /// What the whole chain says when nothing is kept yet.
  Credentials get() { return open_credentials(context())->get({}); }

  std::string refusal(ErrorKind kind) {
    try {
      get();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "was not refused";
    return {};
  }

  ScriptedClient http_;
  ManualClock clock_;
  MadeUpMachine machine_;
};

TEST_F(CredentialSourcesTest, TheEnvironmentComesFirst) {
  machine_.variables = {{"AWS_ACCESS_KEY_ID", "AKIA"},
                        {"AWS_SECRET_ACCESS_KEY", "s"},
                        {"AWS_SESSION_TOKEN", "t"},
                        {"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}};
  const Credentials found = get();
  EXPECT_EQ(found.access_key_id, "AKIA");
  EXPECT_EQ(found.session_token, "t");
  EXPECT_TRUE(found.fixed);
  machine_.variables.erase("AWS_SECRET_ACCESS_KEY");
  EXPECT_THAT(refusal(ErrorKind::Fatal), HasSubstr("AWS_SECRET_ACCESS_KEY is not"));
}

TEST_F(CredentialSourcesTest, AWebIdentityIsExchangedForARole) {
  machine_.variables = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"},
                        {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"}};
  machine_.files = {{"/token", "ey/J+\n"}};
  http_.answer(200, kStsAnswer);
  const Credentials found = get();
  EXPECT_EQ(found.access_key_id, "ASIA2");
  EXPECT_EQ(found.source, "role arn:aws:iam::1:role/x");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(http_.sent()[0].request.url(), "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_EQ(http_.sent()[0].body,
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
            "role%2Fx&RoleSessionName=re_dms&WebIdentityToken=ey%2FJ%2B");
  EXPECT_EQ(header_of(http_.sent()[0].request, "authorization"), "");
}

TEST_F(CredentialSourcesTest, StsSaysWhyItRefuses) {
  machine_.variables = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"},
                        {"AWS_ROLE_ARN", "arn:aws:iam::1:role/x"},
                        {"AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9/"}};
  machine_.files = {{"/token", "secret-token"}};
  http_.answer(403,
               "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized</Message>"
               "</Error></ErrorResponse>");
  const std::string text = refusal(ErrorKind::Fatal);
  EXPECT_THAT(text, HasSubstr("web identity: STS (http://127.0.0.1:9) refuses role "
                              "arn:aws:iam::1:role/x: 403 AccessDenied Not authorized"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("secret-token")));
  http_.forget_answers();
  http_.answer(503, "busy");
  refusal(ErrorKind::Transient);
}

TEST_F(CredentialSourcesTest, AContainerIsAskedWithItsToken) {
  machine_.variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/c?a=b"},
                        {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/pod-token"}};
  machine_.files = {{"/pod-token", "Bearer x\n"}};
  http_.answer(200, kServiceKeys);
  EXPECT_EQ(get().access_key_id, "ASIA1");
  const HttpRequest& request = http_.sent()[0].request;
  EXPECT_EQ(request.url(), "http://169.254.170.23/v1/c?a=b");
  EXPECT_EQ(header_of(request, "authorization"), "Bearer x");
  EXPECT_TRUE(request.direct);
}

TEST_F(CredentialSourcesTest, AContainersAddressHasToBeNear) {
  machine_.variables = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/keys"}};
  EXPECT_THAT(refusal(ErrorKind::Fatal), HasSubstr("neither https:// nor an address"));
  EXPECT_TRUE(http_.sent().empty());
}

TEST_F(CredentialSourcesTest, AContainerAgentIsAskedThreeTimes) {
  machine_.variables = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/x"}};
  http_.answer(500, "");
  http_.no_answer();
  http_.answer(200, kServiceKeys);
  EXPECT_EQ(get().access_key_id, "ASIA1");
  EXPECT_EQ(http_.sent()[2].request.url(), "http://169.254.170.2/v2/credentials/x");
}

TEST_F(CredentialSourcesTest, AnInstanceIsAskedForATokenFirst) {
  http_.answer(200, "imds-token");
  http_.answer(200, "etl-role");
  http_.answer(200, kServiceKeys);
  const Credentials found = get();
  EXPECT_EQ(found.access_key_id, "ASIA1");
  EXPECT_EQ(found.session_token, "tok");
  EXPECT_EQ(found.source, "role etl-role of the instance");
  ASSERT_EQ(http_.sent().size(), 3U);
  EXPECT_EQ(http_.sent()[0].request.method, "PUT");
  EXPECT_EQ(http_.sent()[0].request.url(), "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(http_.sent()[2].request.url(),
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/etl-role");
  EXPECT_EQ(header_of(http_.sent()[2].request, "x-aws-ec2-metadata-token"), "imds-token");
}

TEST_F(CredentialSourcesTest, WithoutAnySourceTheErrorNamesThemAll) {
  machine_.variables = {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9"},
                        {"HOME", "/h"}};
  http_.no_answer();
  const std::string text = refusal(ErrorKind::Fatal);
  EXPECT_THAT(text, HasSubstr("environment: AWS_ACCESS_KEY_ID is not set; web identity: "
                              "AWS_WEB_IDENTITY_TOKEN_FILE is not set; profile: no profile "
                              "\"default\" in /h/.aws/config or /h/.aws/credentials; container: "));
  EXPECT_THAT(text, HasSubstr("instance metadata: http://127.0.0.1:9 does not answer"));
  machine_.variables["AWS_EC2_METADATA_DISABLED"] = "true";
  EXPECT_THAT(refusal(ErrorKind::Fatal), HasSubstr("AWS_EC2_METADATA_DISABLED is true"));
}

TEST_F(CredentialSourcesTest, AnAnswerThatIsSomethingElseIsNotShown) {
  machine_.variables = {{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"}};
  http_.answer(200, R"({"AccessKeyId":"AKIA","SecretAccessKey":"hush","Expiration":"soon"})");
  const std::string text = refusal(ErrorKind::Transient);
  EXPECT_THAT(text, HasSubstr("container: its answer is not JSON with AccessKeyId"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("hush")));
}

TEST(CredentialTimes, AreReadInEveryFormThatIsInUse) {
  const SystemTime noon =
      std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + std::chrono::hours(12);
  for (const char* text :
       {"2026-01-31T12:00:00Z", "2026-01-31T12:00:00.123Z", "2026-01-31T14:00:00+02:00",
        "2026-01-31T11:30:00-00:30", "2026-01-31T12:00:00UTC"}) {
    EXPECT_EQ(time_of_text(text), noon) << text;
  }
  for (const char* text :
       {"", "soon", "2026-13-31T12:00:00Z", "2026-01-31T12:00:00", "2026-01-31 12:00:00Z"}) {
    EXPECT_EQ(time_of_text(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace re_dms::credential_sources_test
