#include "warehouse/staged_file_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/crc32c.h"
#include "base/error.h"

namespace re_dms {

namespace {

constexpr std::size_t kPieceBytes = 256U << 10;

Error damaged(const StagedFile& file, const std::string& how) {
  return {
      ErrorKind::Fatal,
      fmt::format("the staged file {} {}; loading it would lose or change rows", file.path, how),
      "Restart re_dms: what was not loaded is staged again from the journal. Nothing else may "
      "write or clean up below stage.url"};
}

/// Owns a descriptor.
class OpenFile {
 public:
  explicit OpenFile(const StagedFile& file)
      : file_(file), fd_(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) {
      fail();
    }
  }

  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  ~OpenFile() { ::close(fd_); }

  /// How many bytes came; 0 at the end.
  std::size_t read(char* to, std::size_t size) const {
    ssize_t got = -1;
    do {
      got = ::read(fd_, to, size);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
      fail();
    }
    return static_cast<std::size_t>(got);
  }

 private:
  [[noreturn]] void fail() const {
    const std::string how = fmt::format("cannot be read: {}", std::strerror(errno));
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
      throw Error(ErrorKind::Transient, fmt::format("the staged file {} {}", file_.path, how));
    }
    throw damaged(file_, how);
  }

  const StagedFile& file_;
  int fd_;
};

}  // namespace

void check_staged_file(const StagedFile& file) {
  const OpenFile open(file);
  const auto piece = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;
  while (const std::size_t got = open.read(piece.get(), kPieceBytes)) {
    bytes += got;
    crc = crc32c(crc, {piece.get(), got});
  }
  if (bytes != file.stored_bytes) {
    throw damaged(file,
                  fmt::format("has {} bytes where {} were written", bytes, file.stored_bytes));
  }
  if (crc != file.crc32c) {
    throw damaged(file, "does not hold the bytes that were written");
  }
}

}  // namespace re_dms
