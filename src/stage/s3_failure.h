// What S3 answers when it refuses, and what a person can do about it.
#pragma once

#include <string>

#include "aws/credentials.h"
#include "aws/http_client.h"
#include "base/clock.h"
#include "stage/s3_address.h"

namespace re_dms {

struct S3Failure {
  int status = 0;
  std::string code;  ///< "AccessDenied"; empty where the answer has none
  std::string message;
  std::string request_id;
  std::string region;  ///< where the bucket is, if the answer says so
  std::string date;    ///< S3's time of day, as its Date header has it
};

S3Failure failure_of(const HttpResponse& response);

/// Asking again may help: S3 is busy, or something on the way was lost.
bool may_pass(const S3Failure& failure);

/// The keys are not, or not any more, what S3 knows: newer ones may be there.
bool is_about_keys(const S3Failure& failure);

/// How far the clock here is ahead of the answer's Date header; empty: it has none.
std::optional<std::chrono::seconds> clock_ahead(const std::string& date, SystemTime now);

/// A statement that allows `action`, to paste into a policy.
std::string iam_statement(const std::string& action, const std::string& resource);

/// What was asked for, for the text of an error.
struct S3Question {
  std::string what;        ///< "cannot write s3://bucket/key"
  std::string action;      ///< "s3:PutObject"
  bool of_bucket = false;  ///< the action's resource is the bucket, not the objects in it
};

/// Throws what follows: StageFull where the store has no room; Transient where may_pass or a person
/// may help while the daemon waits (clock, tokens that somebody renews); else Fatal.
[[noreturn]] void throw_failure(const S3Failure& failure, const S3Question& question,
                                const S3Address& address, const Credentials& credentials,
                                SystemTime now);

}  // namespace re_dms
