// Where staged files go: a directory or S3.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace re_dms {

enum class Compression {
  Fast,    ///< ISA-L at level 1
  Stored,  ///< none: gzip's blocks of bytes as they are, the cheapest to write and to read
};

/// What a store throws when it has no room; Transient: room may become free.
class StageFull : public Error {
 public:
  using Error::Error;
};

/// An object being written. Destroyed without finish(): nothing becomes visible.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual void append(std::string_view bytes) = 0;
  /// Makes the object visible, whole, under its key. Returns the path a target reads it by.
  virtual std::string finish() = 0;
};

/// Keys are relative, with '/' between parts; no part is empty, "." or "..". From any thread.
/// Errors are Transient where trying again may help (StageFull, the store is away) and Fatal
/// where a person must act (rights, a read-only file system).
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Replaces an object of that key when finished.
  virtual std::unique_ptr<ObjectWriter> create(const std::string& key) = 0;
  /// Keys that start with `prefix`, sorted.
  virtual std::vector<std::string> list(const std::string& prefix) = 0;
  /// What starts with `prefix` and was begun but not finished: by writers at work now, or by ones
  /// that died. Under names that remove() takes and no finished object has; sorted.
  virtual std::vector<std::string> list_unfinished(const std::string& prefix) = 0;
  /// Removing what is not there is fine.
  virtual void remove(const std::string& key) = 0;

  /// All of them, in as few requests as the store can. After a failure some may be left.
  virtual void remove_all(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) {
      remove(key);
    }
  }

  /// What is worth its time for the parts: whether a target reads them on this machine, or over a
  /// network from a store that is paid by bytes.
  virtual Compression compression() const = 0;

  /// How much more it takes; 0 where that cannot be told.
  virtual std::uint64_t free_bytes() const = 0;

  /// The key of an object whose path finish() returned.
  virtual std::string key_of(const std::string& path) const = 0;
};

/// Objects as files below `directory`, written beside their place and renamed into it. Directories
/// come with their first object and go with their last. Staged files are not fsynced: a batch that
/// was not loaded is staged again from the journal after a crash.
std::unique_ptr<ObjectStore> open_directory_store(const std::string& directory);

}  // namespace re_dms
