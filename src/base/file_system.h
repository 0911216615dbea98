// Files as the journal and the stage need them: append, fsync, and directories whose entries are
// made durable too. A seam: tests put a failing or forgetful file system in its place.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace re_dms {

/// One open file. Not thread-safe, except that read_at may run beside append and sync.
class File {
 public:
  virtual ~File() = default;
  /// Appends all bytes; on return they are in the page cache, not on the disk.
  virtual void append(std::string_view bytes) = 0;
  /// fdatasync: on return everything appended is durable. A failure is Fatal and is never retried:
  /// the kernel may have dropped the dirty pages (PostgreSQL wiki, Fsync Errors).
  virtual void sync() = 0;
  /// Reads up to `size` bytes at `offset`; returns how many, fewer only at the end of the file.
  virtual std::size_t read_at(std::uint64_t offset, char* to, std::size_t size) const = 0;
  virtual std::uint64_t size() const = 0;
  /// Cuts the file to `size` bytes; durable after the next sync.
  virtual void truncate(std::uint64_t size) = 0;
};

/// What a file system has left for ordinary users.
struct DiskSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
};

/// What FileSystem::lock throws when another process holds the lock; Fatal.
class HeldByAnother : public Error {
 public:
  using Error::Error;
};

/// Held while a process owns a directory; released when destroyed or when the process dies.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

/// Errors are of kind Fatal and name the path, the operation and the system's reason, except where
/// said otherwise.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Creates a file that must not exist yet. Its directory entry is durable after sync_directory.
  virtual std::unique_ptr<File> create(const std::string& path) = 0;
  virtual std::unique_ptr<File> open_append(const std::string& path) = 0;
  virtual std::unique_ptr<File> open_read(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  /// Names (not paths) of the entries of a directory, sorted.
  virtual std::vector<std::string> list(const std::string& directory) = 0;
  /// Creates the directory and its missing parents, durable on return; it may exist already.
  virtual void create_directories(const std::string& directory) = 0;
  /// Replaces `to` atomically; durable after sync_directory.
  virtual void rename(const std::string& from, const std::string& to) = 0;
  /// Removing a file that does not exist is not an error.
  virtual void remove(const std::string& path) = 0;
  /// fsync of the directory: creations, renames and removals in it are durable on return.
  virtual void sync_directory(const std::string& directory) = 0;
  virtual DiskSpace space(const std::string& directory) = 0;
  /// Takes the lock file `path`; throws Fatal naming the holder's pid when somebody has it.
  virtual std::unique_ptr<DirectoryLock> lock(const std::string& path) = 0;
};

/// The machine's file system. Used from any thread.
FileSystem& real_file_system();

/// The whole content of a small file.
std::string read_file(FileSystem& files, const std::string& path);

/// Replaces a small file with `content`: written beside it, fsynced, renamed, directory fsynced.
/// On return the new content is durable; after a crash the file holds the old or the new content.
void replace_file(FileSystem& files, const std::string& path, std::string_view content);

/// The same for content too large to hold: `write` appends it in pieces. When it throws, the file
/// keeps the old content.
void replace_file(FileSystem& files, const std::string& path,
                  const std::function<void(File&)>& write);

}  // namespace re_dms
