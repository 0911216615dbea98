#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aws/credential_sources.h"
#include "aws/shared_files.h"
#include "aws/testing/scripted_client.h"
#include "base/testing/manual_clock.h"

namespace re_dms::profile_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kRoleAnswer =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA3</AccessKeyId>"
    "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
    "<Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>";

class ProfileTest : public ::testing::Test {
 protected:
  ProfileTest() { machine_.variables = {{"HOME", "/h"}}; }

  AwsContext context() {
    AwsContext context = machine_.context(http_, clock_);
    context.profile = asked_for_;
    return context;
  }

  Credentials get() { return open_credentials(context())->get({}); }

  std::string refusal(ErrorKind kind = ErrorKind::Fatal) {
    try {
      get();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "was not refused";
    return {};
  }

  std::string& config() { return machine_.files["/h/.aws/config"]; }

  std::string& keys() { return machine_.files["/h/.aws/credentials"]; }

  ScriptedClient http_;
  ManualClock clock_;
  MadeUpMachine machine_;
  std::string asked_for_;
};

TEST_F(ProfileTest, FilesAreReadAsAwsReadsThem) {
  config() =
      "# a comment\n[default]\nregion = eu-west-1 # here\ns3 =\n  region = nested\n"
      "[profile \"my etl\"]\r\nRegion=us-east-2\r\naws_access_key_id = from_config\n"
      "[sso-session corp]\nsso_region = eu-central-1\n[etl]\nregion = not a profile here\n";
  keys() = "[my etl]\naws_access_key_id = from_keys\naws_secret_access_key = a=b#c\n";
  const SharedFiles files(context());
  EXPECT_EQ(files.value("default", "region"), "eu-west-1");
  EXPECT_EQ(files.value("my etl", "region"), "us-east-2");
  EXPECT_EQ(files.value("my etl", "aws_access_key_id"), "from_keys");
  EXPECT_EQ(files.value("my etl", "aws_secret_access_key"), "a=b#c");
  EXPECT_EQ(files.session_value("corp", "sso_region"), "eu-central-1");
  EXPECT_FALSE(files.has_profile("etl"));
  EXPECT_EQ(configured_region(context()), "eu-west-1");
  machine_.variables["AWS_REGION"] = "ap-south-1";
  EXPECT_EQ(configured_region(context()), "ap-south-1");
  asked_for_ = "my etl";
  EXPECT_EQ(configured_region(context()), "us-east-2");
}

TEST_F(ProfileTest, KeysOfTheDefaultProfile) {
  keys() = "[default]\naws_access_key_id = AKIA\naws_secret_access_key = s\n";
  EXPECT_EQ(get().access_key_id, "AKIA");
}

TEST_F(ProfileTest, AProfileThatIsAskedForHasToBeThere) {
  machine_.variables["AWS_ACCESS_KEY_ID"] = "unused";
  asked_for_ = "etl";
  EXPECT_THAT(refusal(), HasSubstr("profile \"etl\" is not there"));
  config() = "[profile etl]\nregion = eu-west-1\n";
  EXPECT_THAT(refusal(), HasSubstr("profile \"etl\" has no keys, role_arn"));
}

TEST_F(ProfileTest, ARoleIsAssumedWithTheKeysOfAnotherProfile) {
  config() =
      "[profile etl]\nrole_arn = arn:aws:iam::1:role/etl\nsource_profile = base\n"
      "external_id = x1\n";
  keys() = "[base]\naws_access_key_id = AKIA\naws_secret_access_key = s\n";
  machine_.variables["AWS_PROFILE"] = "etl";
  http_.answer(200, kRoleAnswer);
  EXPECT_EQ(get().access_key_id, "ASIA3");
  EXPECT_THAT(http_.sent()[0].body, HasSubstr("Action=AssumeRole&"));
  EXPECT_THAT(http_.sent()[0].body, HasSubstr("ExternalId=x1"));
  EXPECT_THAT(header_of(http_.sent()[0].request, "authorization"),
              HasSubstr("Credential=AKIA/20260101/eu-west-1/sts/aws4_request"));
}

TEST_F(ProfileTest, RolesAreChainedAndCirclesFound) {
  config() =
      "[profile a]\nrole_arn = arn:a\nsource_profile = b\n"
      "[profile b]\nrole_arn = arn:b\nsource_profile = b\naws_access_key_id = AKIA\n"
      "aws_secret_access_key = s\n"
      "[profile c]\nrole_arn = arn:c\nsource_profile = d\n"
      "[profile d]\nrole_arn = arn:d\nsource_profile = c\n";
  asked_for_ = "a";
  http_.answer(200, kRoleAnswer);
  EXPECT_EQ(get().source, "role arn:a");
  EXPECT_EQ(http_.sent().size(), 2U);
  asked_for_ = "c";
  EXPECT_THAT(refusal(), HasSubstr("profile \"c\" is its own source_profile"));
}

TEST_F(ProfileTest, ARoleIsAssumedWithWhatThePlaceGives) {
  config() = "[profile etl]\nrole_arn = arn:x\ncredential_source = Environment\n";
  machine_.variables["AWS_ACCESS_KEY_ID"] = "AKIA9";
  machine_.variables["AWS_SECRET_ACCESS_KEY"] = "s";
  asked_for_ = "etl";
  http_.answer(200, kRoleAnswer);
  EXPECT_EQ(get().access_key_id, "ASIA3");
  EXPECT_THAT(header_of(http_.sent()[0].request, "authorization"), HasSubstr("AKIA9"));
  config() = "[profile etl]\nrole_arn = arn:x\ncredential_source = Moon\n";
  EXPECT_THAT(refusal(), HasSubstr("neither source_profile nor a known credential_source"));
}

TEST_F(ProfileTest, ACommandWritesKeys) {
  config() =
      "[profile etl]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AK\", "
      "\"SecretAccessKey\": \"s\", \"Expiration\": \"2026-01-01T01:00:00+00:00\"}'\n";
  asked_for_ = "etl";
  const Credentials found = get();
  EXPECT_EQ(found.access_key_id, "AK");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  config() = "[profile etl]\ncredential_process = exit 3\n";
  EXPECT_THAT(refusal(ErrorKind::Transient), HasSubstr("ended with status 3"));
}

TEST_F(ProfileTest, ASignOnIsExchangedForItsRole) {
  config() =
      "[profile etl]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = reader\n"
      "[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp\n";
  asked_for_ = "etl";
  EXPECT_THAT(refusal(ErrorKind::Transient), HasSubstr("aws sso login --profile etl"));
  // The name of the file is the SHA-1 of the session's name.
  std::string& token =
      machine_.files["/h/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"];
  token = R"({"accessToken": "at", "expiresAt": "2025-01-01T00:00:00Z"})";
  EXPECT_THAT(refusal(ErrorKind::Transient), HasSubstr("ended at 2025-01-01T00:00:00Z"));
  token = R"({"accessToken": "at", "expiresAt": "2026-01-02T00:00:00Z"})";
  http_.answer(200, R"({"roleCredentials": {"accessKeyId": "ASIA4", "secretAccessKey": "s",)"
                    R"( "sessionToken": "t", "expiration": 1767229200000}})");
  const Credentials found = get();
  EXPECT_EQ(found.access_key_id, "ASIA4");
  EXPECT_EQ(found.expires, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(http_.sent()[0].request.url(),
            "https://portal.sso.eu-central-1.amazonaws.com/federation/credentials?account_id=1&"
            "role_name=reader");
  EXPECT_EQ(header_of(http_.sent()[0].request, "x-amz-sso_bearer_token"), "at");
}

}  // namespace
}  // namespace re_dms::profile_test
