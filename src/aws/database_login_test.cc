#include "aws/database_login.h"

#include <gmock/gmock.h>

#include "aws/testing/scripted_client.h"
#include "base/error.h"

namespace re_dms::database_login_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DatabaseLoginTest : public ::testing::Test {
 protected:
  DatabaseLogin ask(const LoginRequest& login) {
    AwsContext context{[](const std::string&) { return std::nullopt; },
                       [](const std::string&) { return std::nullopt; }, http_, real_clock()};
    context.region = "eu-west-1";
    return database_login(context, {"AKID", "secret", "token"}, login, {});
  }

  std::string refusal(const LoginRequest& login, ErrorKind kind) {
    try {
      ask(login);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      return error.what();
    }
    return "nothing was thrown";
  }

  ScriptedClient http_;
};

TEST_F(DatabaseLoginTest, OfAUserOfACluster) {
  http_.answer(200,
               "<GetClusterCredentialsResponse><GetClusterCredentialsResult>"
               "<DbUser>IAM:loader</DbUser><DbPassword>p&amp;w</DbPassword>"
               "</GetClusterCredentialsResult></GetClusterCredentialsResponse>");
  const DatabaseLogin login = ask({"main", "", "dev", "loader"});
  EXPECT_EQ(login.user, "IAM:loader");
  EXPECT_EQ(login.password, "p&w");
  const SentRequest& sent = http_.sent().at(0);
  EXPECT_EQ(sent.request.origin, "https://redshift.eu-west-1.amazonaws.com");
  EXPECT_EQ(sent.body,
            "Action=GetClusterCredentials&Version=2012-12-01&ClusterIdentifier=main&DbName=dev&"
            "DurationSeconds=3600&DbUser=loader&AutoCreate=false");
}

TEST_F(DatabaseLoginTest, OfWhoAsks) {
  http_.answer(200,
               "<GetClusterCredentialsWithIAMResponse><GetClusterCredentialsWithIAMResult>"
               "<DbUser>IAMR:role</DbUser><DbPassword>pw</DbPassword>"
               "</GetClusterCredentialsWithIAMResult></GetClusterCredentialsWithIAMResponse>");
  EXPECT_EQ(ask({"main", "", "dev", ""}).user, "IAMR:role");
  EXPECT_THAT(http_.sent().at(0).body, HasSubstr("Action=GetClusterCredentialsWithIAM&"));
  EXPECT_THAT(http_.sent().at(0).body, Not(HasSubstr("DbUser")));
}

TEST_F(DatabaseLoginTest, OfAWorkgroup) {
  http_.answer(200, R"({"dbUser":"IAMR:role","dbPassword":"pw","expiration":1.7E9})");
  EXPECT_EQ(ask({"", "etl", "dev", ""}).password, "pw");
  const SentRequest& sent = http_.sent().at(0);
  EXPECT_EQ(sent.request.origin, "https://redshift-serverless.eu-west-1.amazonaws.com");
  EXPECT_EQ(sent.body, R"({"dbName":"dev","durationSeconds":3600,"workgroupName":"etl"})");
}

TEST_F(DatabaseLoginTest, WhatRefusesSaysWhatIsMissing) {
  http_.answer(403,
               "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not "
               "authorized</Message></Error></ErrorResponse>");
  EXPECT_THAT(refusal({"main", "", "dev", "loader"}, ErrorKind::Fatal),
              HasSubstr("allowed redshift:GetClusterCredentials on it"));
  http_.forget_answers();
  http_.answer(400, R"({"__type":"ResourceNotFoundException","message":"no workgroup"})");
  EXPECT_THAT(refusal({"", "etl", "dev", ""}, ErrorKind::Fatal),
              HasSubstr("workgroup etl: 400 ResourceNotFoundException no workgroup"));
  http_.forget_answers();
  http_.answer(503, "");
  refusal({"", "etl", "dev", ""}, ErrorKind::Transient);
  http_.forget_answers();
  http_.answer(200, "{}");
  refusal({"", "etl", "dev", ""}, ErrorKind::Transient);
}

}  // namespace
}  // namespace re_dms::database_login_test
