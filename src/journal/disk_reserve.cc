#include "journal/disk_reserve.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "observe/log.h"

namespace re_dms {

namespace {

constexpr std::uint64_t kAskEveryBytes = 16U << 20;
// Room for what was received and not yet written when reading pauses.
constexpr std::uint64_t kPauseMarginBytes = 64U << 20;

}  // namespace

DiskReserve::DiskReserve(FileSystem& files, std::string directory, std::uint64_t reserve_bytes,
                         std::function<std::uint64_t()> spilled_bytes)
    : files_(files),
      directory_(std::move(directory)),
      reserve_bytes_(reserve_bytes),
      spilled_bytes_(std::move(spilled_bytes)),
      unasked_bytes_(kAskEveryBytes) {}

void DiskReserve::before_write(std::uint64_t bytes, const StreamTrack& track) {
  unasked_bytes_ += bytes;
  if (unasked_bytes_ < kAskEveryBytes) [[likely]] {
    return;
  }
  unasked_bytes_ = 0;
  const std::uint64_t free = ask();
  if (!track.open || free >= reserve_bytes_ + bytes) {
    return;
  }
  const std::uint64_t spilled = spilled_bytes_ ? spilled_bytes_() : 0;
  if (free + std::min(spilled, reserve_bytes_ / 2) < reserve_bytes_ + bytes) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format(
            "transaction {} with commit LSN {} does not fit the journal's disk: {} bytes "
            "of it are written, {} are free in {} and {} must stay free; a load's temporary "
            "files hold {}",
            track.xid, track.commit_lsn, track.open_bytes, free, directory_, reserve_bytes_,
            spilled),
        "No part of a transaction can be loaded before its commit. Give journal.directory more "
        "room or lower journal.reserve_bytes, then restart: PostgreSQL sends the transaction "
        "again");
  }
}

bool DiskReserve::low() {
  if (!low_) [[likely]] {
    return false;
  }
  if (Steady::now().time_since_epoch().count() - asked_at_ >=
      Steady::duration(std::chrono::seconds(1)).count()) {
    ask();
  }
  return low_;
}

std::uint64_t DiskReserve::ask() {
  const std::uint64_t free = files_.space(directory_).free_bytes;
  asked_at_ = Steady::now().time_since_epoch().count();
  const bool low = reserve_bytes_ > 0 && free < reserve_bytes_ + kPauseMarginBytes;
  if (low_.exchange(low) != low) {
    log(LogLevel::Warn, low ? "journal_disk_low" : "journal_disk_recovered",
        low ? "the journal's disk is nearly full: reading pauses between transactions"
            : "the journal's disk has room again: reading resumes",
        {{"directory", directory_}, {"free_bytes", free}, {"reserve_bytes", reserve_bytes_}});
  }
  return free;
}

}  // namespace re_dms
