// The journal directory beside its segments: who owns it, whose changes it is for, and its end.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "model/origin.h"

namespace re_dms {

/// Makes the directory and takes it for this process; to be held while a JournalWriter lives.
/// Throws Fatal naming the holder when another process has it.
std::unique_ptr<DirectoryLock> lock_journal(FileSystem& files, const std::string& directory);

/// What origin.json says; empty when there is none. Throws Fatal when it cannot be read, or is
/// missing beside segments: they may hold rows that the slot no longer has.
std::optional<Origin> load_origin(FileSystem& files, const std::string& directory);

/// Replaces origin.json, making the directory if need be; durable on return.
void store_origin(FileSystem& files, const std::string& directory, const Origin& origin);

/// Removes all segments, for a first start that was interrupted and begins again. The caller holds
/// the lock. Durable on return.
void remove_segments(FileSystem& files, const std::string& directory);

/// Removes segments and origin.json, for a first start that failed and whose slot is dropped. The
/// caller holds the lock. Durable on return; may be repeated.
void remove_beginning(FileSystem& files, const std::string& directory);

/// Removes segments, origin.json and lock, for teardown. The directory itself and files that are
/// not ours stay. `held` is the caller's lock of the directory. Durable on return; may be repeated.
void remove_journal(FileSystem& files, const std::string& directory, const DirectoryLock& held);

}  // namespace re_dms
