// The keys of [stage] that are about S3.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "app/config_reader.h"
#include "stage/s3_address.h"

namespace re_dms {

/// The settings of an s3:// `url`; faults are noted. With any other URL none, and each key that is
/// for S3 alone is a fault.
std::optional<S3Settings> read_s3(ConfigReader& reader, const std::string& url,
                                  const std::filesystem::path& folder);

}  // namespace re_dms
