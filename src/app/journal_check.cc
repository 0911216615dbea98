#include "app/journal_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "base/quantities.h"

namespace re_dms {

namespace {

namespace fs = std::filesystem;

/// The directory itself, or the nearest one above it that exists.
fs::path existing_part(fs::path directory) {
  std::error_code ignored;
  while (!fs::exists(directory, ignored) && directory.has_relative_path()) {
    directory = directory.parent_path();
  }
  return directory;
}

std::string fix_of(int code, const fs::path& directory) {
  switch (code) {
    case EROFS:
      return "the file system is read-only: remount it or choose another directory";
    case ENOSPC:
    case EDQUOT:
      return "free space there, or choose a larger disk";
    default:
      return fmt::format("create {} and give it to the user that runs re_dms", directory.string());
  }
}

CheckResult check_writable(std::string_view what, const fs::path& directory,
                           const fs::path& existing) {
  CheckResult result{CheckResult::Status::Ok, fmt::format("{}: directory", what),
                     directory.string(), ""};
  std::error_code ignored;
  std::string probe = existing / ".re_dms-check-XXXXXX";
  if (!fs::is_directory(existing, ignored)) {
    result.status = CheckResult::Status::Fail;
    result.finding = fmt::format("{} is not a directory", existing.string());
    result.fix = "choose another directory";
    return result;
  }
  const int fd = ::mkostemp(probe.data(), O_CLOEXEC);
  if (fd < 0) {
    result.status = CheckResult::Status::Fail;
    result.finding = fmt::format("cannot write in {}: {}", existing.string(), std::strerror(errno));
    result.fix = fix_of(errno, directory);
    return result;
  }
  ::unlink(probe.c_str());
  if (::write(fd, "probe", 5) != 5) {
    result.status = CheckResult::Status::Fail;
    result.finding = fmt::format("cannot write in {}: {}", existing.string(), std::strerror(errno));
    result.fix = fix_of(errno, directory);
  } else if (::fsync(fd) != 0) {
    result.status = CheckResult::Status::Fail;
    result.finding = fmt::format("fsync in {} failed: {}", existing.string(), std::strerror(errno));
    result.fix = "choose another disk: the journal must be able to rely on fsync";
  } else if (existing != directory) {
    result.finding += ", will be created";
  }
  ::close(fd);
  return result;
}

std::uint64_t bytes_in(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    if (entry.is_regular_file(ignored)) {
      const std::uint64_t size = entry.file_size(ignored);
      bytes += ignored ? 0 : size;
    }
  }
  return bytes;
}

}  // namespace

CheckResult judge_file_system(unsigned long magic) {
  // statfs(2): f_type.
  constexpr unsigned long kTmpfs = 0x01021994;
  constexpr unsigned long kRamfs = 0x858458F6;
  constexpr unsigned long kOverlay = 0x794C7630;
  constexpr unsigned long kNfs = 0x6969;
  constexpr unsigned long kCifs = 0xFF534D42;
  constexpr unsigned long kSmb2 = 0xFE534D42;
  constexpr unsigned long kFuse = 0x65735546;
  const std::string name = "journal: file system";
  const std::string fix =
      "put journal.directory on a local disk or a volume that outlives the host";
  switch (magic & 0xFFFFFFFF) {
    case kTmpfs:
    case kRamfs:
      return {CheckResult::Status::Fail, name,
              "lies in memory: a restart of the host would lose what "
              "PostgreSQL was told is safe",
              fix};
    case kOverlay:
      return {CheckResult::Status::Warn, name,
              "is a container's own layer, which is deleted with the container", fix};
    case kNfs:
    case kCifs:
    case kSmb2:
      return {CheckResult::Status::Warn, name,
              "is a network file system: every commit waits for it, and "
              "its locks may not hold",
              fix};
    case kFuse:
      return {CheckResult::Status::Warn, name, "is a FUSE file system, which may not honour fsync",
              fix};
    default:
      return {CheckResult::Status::Ok, name, "a disk", ""};
  }
}

CheckResult judge_space(const JournalLimits& limits, DiskSpace space, std::uint64_t used_bytes) {
  CheckResult result{CheckResult::Status::Ok, "journal: room", "", ""};
  const std::uint64_t needed = limits.max_bytes + limits.reserve_bytes;
  result.finding =
      fmt::format("{} free of {}; max_bytes and reserve_bytes need {}", size_text(space.free_bytes),
                  size_text(space.total_bytes), size_text(needed));
  if (needed > space.total_bytes) {
    result.status = CheckResult::Status::Fail;
    result.fix = "lower journal.max_bytes, or choose a larger disk";
  } else if (needed > space.free_bytes + used_bytes) {
    result.status = CheckResult::Status::Warn;
    result.fix =
        "free space there, or lower journal.max_bytes: other files may fill the disk before the "
        "journal reaches its limit";
  }
  return result;
}

CheckResult check_stage_directory(const std::string& directory) {
  return check_writable("stage", directory, existing_part(directory));
}

std::vector<CheckResult> check_journal_directory(const JournalLimits& limits) {
  const fs::path directory = limits.directory;
  const fs::path existing = existing_part(directory);
  std::vector<CheckResult> results = {check_writable("journal", directory, existing)};

  struct statfs status {};

  if (::statfs(existing.c_str(), &status) != 0) {
    results.push_back({CheckResult::Status::Warn, "journal: file system",
                       fmt::format("cannot be examined: {}", std::strerror(errno)), ""});
    return results;
  }
  results.push_back(judge_file_system(static_cast<unsigned long>(status.f_type)));
  const auto block = static_cast<std::uint64_t>(status.f_frsize);
  const DiskSpace space{status.f_blocks * block, status.f_bavail * block};
  results.push_back(judge_space(limits, space, bytes_in(directory)));
  return results;
}

}  // namespace re_dms
