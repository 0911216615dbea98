// A file system in memory that fails on demand, loses power and survives kills, for tests of
// everything that promises to be durable.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"

namespace re_dms {

struct FaultyDisk;

/// What a power loss leaves of bytes that were not fsynced.
enum class Survives {
  Nothing,
  /// A random beginning of them, sometimes with zeros where a page was not written, and any of the
  /// unsynced changes of directories: nothing promises their order.
  RandomPrefix,
};

/// What an operation that fails has done.
enum class Fault {
  /// Nothing. After a failed fsync the page cache has lost what was to be written, as where clean
  /// pages are thrown away at once.
  NotDone,
  /// Nothing. After a failed fsync the page cache still has what was to be written, marked clean,
  /// as
  /// ext4 and XFS leave it (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX
  /// ATC 2020): reads find it, the next fsync succeeds without writing it, a power loss shows that
  /// it never was on the disk.
  KeptClean,
  Half,  ///< writes and fsyncs: the first half of their bytes; others: nothing
  Done,  ///< everything, as when only the answer was lost
};

/// From any thread. Files opened before kill() or lose_power() are dead: using them throws.
class FaultyFileSystem final : public FileSystem {
 public:
  FaultyFileSystem();
  ~FaultyFileSystem() override;

  /// The n-th operation from now (1 is the next one) throws a Fatal Error, those after it work; 0:
  /// none.
  void fail_operation(std::uint64_t n, Fault fault = Fault::Half);

  /// Operations so far: every call of a file or of the file system, reads included.
  std::uint64_t operations() const;

  /// What they were: "write", "fsync", "read" and so on, as failures name them.
  std::set<std::string> kinds_of_operations() const;

  /// As kill -9: what was written stays, locks are gone.
  void kill();

  /// As a power loss: files have what was synced, directories the entries that were.
  void lose_power(Survives survives = Survives::Nothing, std::uint32_t seed = 0);

  void set_space(DiskSpace space);

  /// Makes a durable file with this content, in place of one that was there.
  void put(const std::string& path, std::string_view content);

  /// Bytes of a file as a reader would see them now. Counts as no operation.
  std::string content(const std::string& path) const;

  std::unique_ptr<File> create(const std::string& path) override;
  std::unique_ptr<File> open_append(const std::string& path) override;
  std::unique_ptr<File> open_read(const std::string& path) override;
  bool exists(const std::string& path) override;
  std::vector<std::string> list(const std::string& directory) override;
  void create_directories(const std::string& directory) override;
  void rename(const std::string& from, const std::string& to) override;
  void remove(const std::string& path) override;
  void sync_directory(const std::string& directory) override;
  DiskSpace space(const std::string& directory) override;
  std::unique_ptr<DirectoryLock> lock(const std::string& path) override;

 private:
  std::shared_ptr<FaultyDisk> disk_;
};

}  // namespace re_dms
