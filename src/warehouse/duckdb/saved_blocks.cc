#include "warehouse/duckdb/saved_blocks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "base/retry.h"

namespace re_dms::duckdb {

namespace {

// DuckDB 1.4, storage_info.hpp and single_file_block_manager.cpp: a main header and two database
// headers of 4 KiB each, written in turn, the one with the higher iteration counts; then the
// blocks.
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::size_t kHeadersBytes = 3 * kHeaderBytes;
constexpr std::size_t kIterationAt = 8;  // behind the checksum
constexpr std::size_t kBlockBytesAt = 40;

constexpr std::size_t kMagicAt = 8;  // of the main header
constexpr std::string_view kDuckdbMagic = "DUCK";

constexpr std::string_view kMagic = "re_dms saved blocks 1\n";

std::string copy_path(const std::string& path) {
  return path + ".saved_blocks";
}

/// The database header that counts.
std::string_view active_header(std::string_view headers) {
  const std::string_view first = headers.substr(kHeaderBytes, kHeaderBytes);
  const std::string_view second = headers.substr(2 * kHeaderBytes, kHeaderBytes);
  const auto iteration = [](std::string_view header) {
    return load_le<std::uint64_t>(header.data() + kIterationAt);
  };
  return iteration(first) > iteration(second) ? first : second;
}

std::uint64_t block_bytes(std::string_view headers) {
  return load_le<std::uint64_t>(active_header(headers).data() + kBlockBytesAt);
}

/// What was saved, read a block at a time.
class Copy {
 public:
  struct Block {
    std::uint64_t at = 0;  ///< offset in the DuckDB file
    std::string bytes;
  };

  /// Nothing when there is none or it is incomplete: then the file was not written to after it.
  static std::optional<Copy> open(const std::string& path) {
    FileSystem& files = real_file_system();
    if (!files.exists(copy_path(path))) {
      return std::nullopt;
    }
    Copy copy(files.open_read(copy_path(path)));
    if (!copy.is_whole()) {
      return std::nullopt;
    }
    copy.headers_ = copy.read(kMagic.size(), kHeadersBytes);
    copy.block_bytes_ = block_bytes(copy.headers_);
    return copy;
  }

  const std::string& headers() const { return headers_; }

  std::uint64_t blocks() const {
    return (file_->size() - kBlocksAt - kCrcBytes) / (sizeof(std::uint64_t) + block_bytes_);
  }

  Block block(std::uint64_t index) const {
    std::string bytes = read(kBlocksAt + index * (sizeof(std::uint64_t) + block_bytes_),
                             sizeof(std::uint64_t) + block_bytes_);
    const auto number = load_le<std::uint64_t>(bytes.data());
    return {kHeadersBytes + number * block_bytes_, bytes.substr(sizeof(std::uint64_t))};
  }

 private:
  static constexpr std::size_t kBlocksAt = kMagic.size() + kHeadersBytes;
  static constexpr std::size_t kCrcBytes = sizeof(std::uint32_t);

  explicit Copy(std::unique_ptr<File> file) : file_(std::move(file)) {}

  /// Fewer bytes at the end of the file only.
  std::string read(std::uint64_t at, std::size_t size) const {
    std::string bytes(size, '\0');
    bytes.resize(file_->read_at(at, bytes.data(), size));
    return bytes;
  }

  bool is_whole() const {
    constexpr std::size_t kPiece = 256 << 10;
    const std::uint64_t size = file_->size();
    if (size < kBlocksAt + kCrcBytes || read(0, kMagic.size()) != kMagic) {
      return false;
    }
    std::uint32_t crc = 0;
    for (std::uint64_t at = 0; at < size - kCrcBytes; at += kPiece) {
      crc = crc32c(crc, read(at, std::min<std::uint64_t>(kPiece, size - kCrcBytes - at)));
    }
    const std::string stored = read(size - kCrcBytes, kCrcBytes);
    return stored.size() == kCrcBytes && load_le<std::uint32_t>(stored.data()) == crc;
  }

  std::unique_ptr<File> file_;
  std::string headers_;
  std::uint64_t block_bytes_ = 0;
};

[[noreturn]] void fail(std::string_view what, const std::string& path) {
  throw Error(ErrorKind::Fatal, fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

/// The open file, locked against other processes as DuckDB locks it.
class LockedFile {
 public:
  explicit LockedFile(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}

  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;

  ~LockedFile() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  /// False when there is no such file that may be written, or another process has it.
  bool lock() const {
    struct flock wanted {};

    wanted.l_type = F_WRLCK;
    wanted.l_whence = SEEK_SET;
    return fd_ >= 0 && ::fcntl(fd_, F_SETLK, &wanted) == 0;
  }

  /// The process that has it; 0: none any more, or unknown.
  pid_t holder() const {
    struct flock wanted {};

    wanted.l_type = F_WRLCK;
    wanted.l_whence = SEEK_SET;
    return fd_ >= 0 && ::fcntl(fd_, F_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK
               ? wanted.l_pid
               : 0;
  }

  /// Empty when the file ends before.
  std::string read(std::uint64_t at, std::size_t size) const {
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got =
          ::pread(fd_, bytes.data() + done, size - done, static_cast<off_t>(at + done));
      if (got < 0 && errno != EINTR) {
        fail("read", path_);
      }
      if (got == 0) {
        return {};
      }
      done += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
    return bytes;
  }

  void write(std::uint64_t at, std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (put < 0 && errno != EINTR) {
        fail("write", path_);
      }
      if (put > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(put));
        at += static_cast<std::uint64_t>(put);
      }
    }
  }

  void sync() const {
    if (::fsync(fd_) != 0) {
      fail("fsync", path_);
    }
  }

 private:
  const std::string& path_;
  const int fd_;
};

}  // namespace

void SavedBlocks::save(const std::vector<std::uint64_t>& blocks, const std::stop_token& stop) {
  FileSystem& files = real_file_system();
  if (!file_) {
    file_ = files.open_read(path_);
  }
  replace_file(files, copy_path(path_), [&](File& copy) {
    std::uint32_t crc = 0;
    const auto append = [&](std::string_view bytes) {
      crc = crc32c(crc, bytes);
      copy.append(bytes);
    };
    const std::string headers = read(0, kHeadersBytes);
    append(kMagic);
    append(headers);
    const std::uint64_t bytes = block_bytes(headers);
    for (const std::uint64_t block : blocks) {
      if (stop.stop_requested()) {
        throw Stopped();
      }
      std::string number;
      append_le(number, block);
      append(number);
      append(read(kHeadersBytes + block * bytes, bytes));
    }
    std::string end;
    append_le(end, crc);
    copy.append(end);
  });
}

std::string SavedBlocks::read(std::uint64_t at, std::size_t size) const {
  std::string bytes(size, '\0');
  if (file_->read_at(at, bytes.data(), size) != size) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("{} ends before offset {}, where it should hold metadata", path_, at + size));
  }
  return bytes;
}

void SavedBlocks::forget() {
  file_.reset();
  // A copy that stays does no harm: the file's headers differ by now.
  std::error_code ignored;
  std::filesystem::remove(copy_path(path_), ignored);
}

void restore_blocks(const std::string& path) {
  const std::optional<Copy> copy = Copy::open(path);
  if (!copy || !real_file_system().exists(path)) {
    return;
  }
  const LockedFile file(path);
  if (!file.lock()) {
    const pid_t holder = file.holder();
    throw Error(ErrorKind::Transient,
                fmt::format("the warehouse file {} {}", path,
                            holder != 0 ? fmt::format("is held by another process (PID {})", holder)
                                        : "cannot be opened for writing"),
                "A crash interrupted a load, and the blocks it overwrote will be restored as soon "
                "as that process closes the file");
  }
  const std::string headers = file.read(0, kHeadersBytes);
  if (headers == copy->headers()) {
    for (std::uint64_t i = 0; i < copy->blocks(); ++i) {
      const Copy::Block block = copy->block(i);
      file.write(block.at, block.bytes);
    }
  } else {
    // The COMMIT completed, but its header may be in the page cache only, and what follows writes
    // over blocks that the header before it needs.
    file.write(0, headers);
  }
  // After a failed fsync the kernel keeps the bytes and treats them as written: only bytes that are
  // written again get synced.
  file.sync();
}

bool needs_restoring(const std::string& path) {
  const std::optional<Copy> copy = Copy::open(path);
  if (!copy || !real_file_system().exists(path)) {
    return false;
  }
  const LockedFile file(path);
  // Whoever holds it has put it right before, or is inside a COMMIT.
  if (!file.lock() || file.read(0, kHeadersBytes) != copy->headers()) {
    return false;
  }
  for (std::uint64_t i = 0; i < copy->blocks(); ++i) {
    const Copy::Block block = copy->block(i);
    if (file.read(block.at, block.bytes.size()) != block.bytes) {
      return true;
    }
  }
  return false;
}

void remove_unfinished_file(const std::string& path) {
  const LockedFile file(path);
  if (!file.lock() || !file.read(0, kHeadersBytes).empty()) {
    return;
  }
  // DuckDB writes the three headers of a new file one after the other.
  const bool nothing = file.read(0, 1).empty();
  const std::string first = file.read(0, kHeaderBytes);
  if (!nothing && (first.empty() || first.substr(kMagicAt, kDuckdbMagic.size()) != kDuckdbMagic)) {
    return;
  }
  real_file_system().remove(path);
}

}  // namespace re_dms::duckdb
