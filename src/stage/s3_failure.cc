#include "stage/s3_failure.h"

#include <fmt/format.h>
#include <time.h>

#include <pugixml.hpp>
#include <set>

#include "base/error.h"
#include "stage/object_store.h"

namespace re_dms {

namespace {

bool is_one_of(const std::string& code, const std::set<std::string_view>& codes) {
  return codes.contains(code);
}

bool is_about_tokens(const S3Failure& failure) {
  return is_one_of(failure.code, {"ExpiredToken", "ExpiredTokenException", "InvalidToken",
                                  "TokenRefreshRequired"});
}

bool is_about_clock(const S3Failure& failure) {
  return failure.code == "RequestTimeTooSkewed" || failure.code == "RequestExpired";
}

bool is_about_region(const S3Failure& failure) {
  return failure.status == 301 || failure.code == "AuthorizationHeaderMalformed" ||
         failure.code == "IllegalLocationConstraintException";
}

bool is_about_room(const S3Failure& failure) {
  return failure.status == 507 || failure.code == "QuotaExceeded" ||
         failure.code == "XMinioStorageFull";
}

std::string text_of(const S3Failure& failure) {
  std::string text = fmt::format("{} {}", failure.status, failure.code);
  if (!failure.message.empty()) {
    text += fmt::format(" ({})", failure.message);
  }
  if (!failure.request_id.empty()) {
    text += fmt::format(", request {}", failure.request_id);
  }
  return text;
}

std::string advice_on_rights(const S3Failure& failure, const S3Question& question,
                             const S3Address& address, const Credentials& credentials) {
  if (failure.message.find("kms:") != std::string::npos) {
    return "Allow kms:GenerateDataKey and kms:Decrypt on the key (stage.kms_key_id, or the "
           "bucket's default) to whom the keys belong, in the key's policy too";
  }
  return fmt::format(
      "The keys ({}) need: {}. A bucket policy or a VPC endpoint's policy may refuse it as well",
      credentials.source,
      iam_statement(question.action, question.of_bucket ? address.arn : address.key_arn));
}

std::string advice_on(const S3Failure& failure, const S3Question& question,
                      const S3Address& address, const Credentials& credentials) {
  const std::string& code = failure.code;
  if (is_about_tokens(failure)) {
    return fmt::format("The session token ({}) is not valid any more: renew it{}",
                       credentials.source, credentials.fixed ? " and restart" : "");
  }
  if (is_about_region(failure)) {
    return failure.region.empty()
               ? "Set stage.region to the bucket's region"
               : fmt::format("The bucket is in another region: set stage.region = \"{}\"",
                             failure.region);
  }
  if (code == "NoSuchBucket") {
    return "Create the bucket, or correct stage.url; for other stores than Amazon's see "
           "stage.endpoint and stage.path_style";
  }
  if (code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch") {
    return fmt::format("The keys ({}) are not those of this store: correct them",
                       credentials.source);
  }
  if (code.starts_with("KMS.")) {
    return "See whether the key of stage.kms_key_id is there, enabled and in the bucket's region";
  }
  if (failure.status == 401 || failure.status == 403) {
    return advice_on_rights(failure, question, address, credentials);
  }
  return "See stage.url and the bucket's settings";
}

}  // namespace

S3Failure failure_of(const HttpResponse& response) {
  S3Failure failure;
  failure.status = response.status;
  pugi::xml_document document;
  document.load_buffer(response.body.data(), response.body.size());
  const pugi::xml_node error = document.child("Error");
  failure.code = error.child_value("Code");
  failure.message = error.child_value("Message");
  failure.request_id = error.child_value("RequestId");
  if (failure.request_id.empty()) {
    failure.request_id = response.header("x-amz-request-id");
  }
  failure.region = response.header("x-amz-bucket-region");
  if (failure.region.empty()) {
    failure.region = error.child_value("Region");
  }
  failure.date = response.header("date");
  return failure;
}

bool may_pass(const S3Failure& failure) {
  return (failure.status >= 500 && !is_about_room(failure)) || failure.status == 429 ||
         failure.status == 307 || failure.status == 408 ||
         is_one_of(failure.code, {"SlowDown", "RequestTimeout", "InternalError", "OperationAborted",
                                  "ServiceUnavailable", "Throttling", "BadDigest",
                                  "XAmzContentSHA256Mismatch", "IncompleteBody"});
}

bool is_about_keys(const S3Failure& failure) {
  return is_about_tokens(failure) || failure.code == "InvalidAccessKeyId";
}

std::optional<std::chrono::seconds> clock_ahead(const std::string& date, SystemTime now) {
  std::tm time{};
  if (::strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time) == nullptr) {
    return std::nullopt;
  }
  return std::chrono::floor<std::chrono::seconds>(now) -
         std::chrono::sys_seconds(std::chrono::seconds(::timegm(&time)));
}

std::string iam_statement(const std::string& action, const std::string& resource) {
  return fmt::format(R"({{"Effect": "Allow", "Action": "{}", "Resource": "{}"}})", action,
                     resource);
}

void throw_failure(const S3Failure& failure, const S3Question& question, const S3Address& address,
                   const Credentials& credentials, SystemTime now) {
  const std::string what = fmt::format("{}: {}", question.what, text_of(failure));
  if (is_about_room(failure)) {
    throw StageFull(ErrorKind::Transient, "the stage is full: " + what,
                    "Give the bucket more room; what was not loaded is safe in the journal and is "
                    "staged again");
  }
  if (is_about_clock(failure)) {
    const auto ahead = clock_ahead(failure.date, now);
    throw Error(
        ErrorKind::Transient,
        ahead ? fmt::format("{}; the clock here differs from S3's by {} s", what, ahead->count())
              : what,
        "Set this machine's clock: chrony or systemd-timesyncd keep it right");
  }
  if (may_pass(failure)) {
    throw Error(ErrorKind::Transient, what);
  }
  const bool renewable = is_about_tokens(failure) && !credentials.fixed;
  throw Error(renewable ? ErrorKind::Transient : ErrorKind::Fatal, what,
              advice_on(failure, question, address, credentials));
}

}  // namespace re_dms
