// Keeps the journal from using the last of its disk.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/file_system.h"
#include "journal/stream_track.h"

namespace re_dms {

/// Asks for the free space at most once per 16 MiB written, so the reserve may be missed by that
/// much. Between transactions reading can pause: low() says so 64 MiB early. Inside one it cannot,
/// because nothing is loaded and freed before the commit.
class DiskReserve {
 public:
  /// `files` must outlive it. `spilled_bytes` as in JournalLimits; may be empty.
  DiskReserve(FileSystem& files, std::string directory, std::uint64_t reserve_bytes,
              std::function<std::uint64_t()> spilled_bytes);

  /// Before each write, by the journal's thread. Throws Fatal when a transaction is open and the
  /// write would leave less than the reserve, of which temporary files may take half; names the
  /// transaction and its size.
  void before_write(std::uint64_t bytes, const StreamTrack& track);

  /// Too little is left for another transaction. From any thread; while it is so, asks again once a
  /// second.
  bool low();

  /// Asks now; gives the bytes that are free. From any thread.
  std::uint64_t ask();

 private:
  using Steady = std::chrono::steady_clock;

  FileSystem& files_;
  const std::string directory_;
  const std::uint64_t reserve_bytes_;
  const std::function<std::uint64_t()> spilled_bytes_;
  std::uint64_t unasked_bytes_;  ///< written since the last question
  std::atomic<bool> low_{false};
  std::atomic<Steady::duration::rep> asked_at_{0};
};

}  // namespace re_dms
