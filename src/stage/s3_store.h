// Objects in a bucket of Amazon S3 or of a store that speaks its protocol.
#pragma once

#include <cstddef>
#include <memory>

#include "stage/object_store.h"
#include "stage/s3_client.h"

namespace re_dms {

/// The largest object: its bytes are in memory until it is whole. A part has a few MiB, unless a
/// single row is larger.
inline constexpr std::size_t kS3ObjectBytesMax = 256U << 20;

/// An object becomes visible by one PUT in finish(), which returns its s3:// URL; so nothing is
/// ever unfinished. S3 compares what arrives with a SHA-256 that is signed and a CRC32C that it
/// keeps. finish(), list() and remove() throw as S3Client::send does. Removals are tried even when
/// stop was requested.
std::unique_ptr<ObjectStore> make_s3_store(const S3Settings& settings, S3Wiring wiring);

/// The headers of a PUT that ask for settings' encryption.
std::vector<HttpHeader> encryption_headers(const S3Settings& settings);

/// A signed PUT of `body`. Throws Transient where the answer is none of S3's.
HttpResponse put_object(const S3Client& client, const S3Settings& settings, const std::string& key,
                        std::string_view body);

/// The keys below the prefix that start with `prefix`, sorted; only valid ones, which ours are.
std::vector<std::string> list_objects(const S3Client& client, const std::string& prefix);

void delete_object(const S3Client& client, const std::string& key);

}  // namespace re_dms
