// The stage that a configuration asks for.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "stage/object_store.h"
#include "stage/s3_address.h"

namespace re_dms {

struct StageSettings {
  std::string directory;         ///< absolute; empty with s3
  std::optional<S3Settings> s3;  ///< for an s3:// URL

  /// For people.
  const std::string& name() const { return s3 ? s3->url : directory; }
};

/// Once stop is requested, requests to S3 end with Stopped within about a second. Throws Usage
/// where S3's region is neither configured nor found.
std::unique_ptr<ObjectStore> open_store(const StageSettings& settings, std::stop_token stop);

}  // namespace re_dms
