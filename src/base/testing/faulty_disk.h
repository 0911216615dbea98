// The state behind FaultyFileSystem: what files and directories hold, and what of it is durable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/testing/faulty_file_system.h"

namespace re_dms {

/// A file's content apart from its names.
struct FaultyInode {
  std::string content;  ///< as in the page cache
  std::string durable;  ///< as on the disk
  /// So much of the content's beginning the kernel takes for written. Not all of it need be on the
  /// disk: see Fault::KeptClean.
  std::size_t clean_bytes = 0;
  bool cut = false;  ///< truncated since the last sync

  /// The kernel writes the first `bytes` of what it knows to be unwritten; where earlier bytes
  /// never came, the file has a hole.
  void write_back(std::size_t bytes);
};

/// Shared by the file system and what it opened. All members are guarded by `mutex`; the functions
/// are called with it held.
struct FaultyDisk {
  using Entries = std::map<std::string, std::shared_ptr<FaultyInode>>;

  /// One change of a directory that is not durable yet: an entry that was made, one that was
  /// removed, or both at once.
  struct Change {
    std::string made;
    std::shared_ptr<FaultyInode> inode;
    std::string removed;
  };

  mutable std::mutex mutex;
  Entries entries;
  Entries durable_entries;
  std::map<std::string, std::vector<Change>> changes;  ///< by directory, in order
  std::set<std::string> directories;
  std::set<std::string> locks;
  DiskSpace space{1ULL << 40, 1ULL << 40};
  std::uint64_t operations = 0;
  std::set<std::string> kinds;  ///< of the operations so far
  std::uint64_t failing = 0;
  Fault fault = Fault::Half;     ///< of the operation that is to fail
  std::uint64_t generation = 0;  ///< counts kills and power losses

  /// Counts an operation; true when it is the one to fail.
  bool fails(std::string_view operation);

  /// Counts an operation that changes nothing; throws when it is the one to fail.
  void question(std::string_view operation, const std::string& path);

  /// Counts an operation that changes something as a whole; throws when it is the one to fail,
  /// unless it is to take place first.
  void step(std::string_view operation, const std::string& path);

  /// Behind a change that step() let pass: throws when its answer is to be lost.
  void answer(std::string_view operation, const std::string& path);

  /// The file of that name; throws when there is none.
  const std::shared_ptr<FaultyInode>& find(std::string_view operation, const std::string& path);

  void change(const std::string& directory, Change change);

  /// Makes the changes of a directory durable.
  void sync_changes(const std::string& directory);

  void lose_power(Survives survives, std::uint32_t seed);
};

/// The directory part of a path.
std::string parent_of(const std::string& path);

[[noreturn]] void fail_operation_on(std::string_view operation, const std::string& path,
                                    std::string_view reason);

}  // namespace re_dms
