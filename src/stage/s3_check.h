// What `re_dms check` says of an s3:// stage.
#pragma once

#include <vector>

#include "model/check.h"
#include "stage/s3_client.h"

namespace re_dms {

/// Looks for credentials, writes a small object below the prefix, reads, lists and removes it, and
/// looks at its encryption and S3's clock. Each failure has its remedy, as words or as a statement
/// for an IAM policy. Nothing is repeated for long: a person waits.
std::vector<CheckResult> check_s3(const S3Settings& settings);

/// As above; by the given wiring.
std::vector<CheckResult> check_s3(const S3Settings& settings, const S3Wiring& wiring);

}  // namespace re_dms
