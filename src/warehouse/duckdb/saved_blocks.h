// Saves what a COMMIT overwrites in the DuckDB file beside it until the COMMIT is complete.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace re_dms::duckdb {

/// A checkpoint of DuckDB 1.4 puts its metadata into free places of the blocks that hold the
/// metadata of the one before, and writes these blocks where they are, 256 KiB each. It leaves
/// blocks without a free place alone (as the writes of 1.4.4 show; a test watches them). A process
/// killed inside such a write (Linux ends one between two pages) or a power cut leaves a block
/// whose checksum is wrong, while the file's header still needs it: the file cannot be opened any
/// more. Everything else a checkpoint writes goes to unused blocks, and last of all the new header.
class SavedBlocks {
 public:
  /// `path` is the DuckDB file.
  explicit SavedBlocks(std::string path) : path_(std::move(path)) {}

  /// Copies the file's headers and these blocks into a file beside it, holding one block in memory
  /// at a time. On return the copy and the directory are durable. Reads the file through a
  /// descriptor that stays open: closing it would drop DuckDB's lock on the file. Throws Fatal
  /// where the disk fails.
  void save(const std::vector<std::uint64_t>& blocks, const std::stop_token& stop);

  /// Closes that descriptor: only when DuckDB has closed the file.
  void close() { file_.reset(); }

  /// Closes it and removes the copy: the COMMIT completed. Never throws.
  void forget();

 private:
  std::string read(std::uint64_t at, std::size_t size) const;

  const std::string path_;
  std::unique_ptr<File> file_;
};

/// Puts the saved blocks back if the file's headers are those saved with them: the COMMIT that
/// followed did not complete. Otherwise it did, and what it wrote is made durable. Does nothing
/// when there is no copy. To be called before DuckDB opens the file. Durable on return; throws
/// Transient while another process holds the file, Fatal where the disk fails.
void restore_blocks(const std::string& path);

/// Whether restore_blocks would change the file; false while another process holds it. Writes
/// nothing. Not to be called while this process has the file open: it would lose DuckDB's lock.
bool needs_restoring(const std::string& path);

/// Removes a file that DuckDB was still creating when the process ended: it is empty or ends inside
/// its headers and cannot be opened. Any other file is left alone.
void remove_unfinished_file(const std::string& path);

}  // namespace re_dms::duckdb
