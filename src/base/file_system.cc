#include "base/file_system.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"

namespace re_dms {

namespace {

[[noreturn]] void fail(std::string_view operation, const std::string& path) {
  const int code = errno;
  std::string advice;
  if (code == ENOSPC || code == EDQUOT) {
    advice =
        "Free space on that file system or move the directory to a larger one, then restart; "
        "nothing is lost: PostgreSQL resends whatever was not acknowledged";
  } else if (code == EACCES || code == EPERM) {
    advice = "Give the user that runs re_dms the right to read and write there";
  } else if (code == EROFS) {
    advice = "The file system is read-only: remount it or choose another directory";
  } else if (code == ENOTDIR || code == ELOOP || code == ENAMETOOLONG) {
    advice = "Part of this path is not a directory: choose another path";
  }
  throw Error(ErrorKind::Fatal,
              fmt::format("cannot {} {}: {}", operation, path, std::strerror(code)), advice);
}

/// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

  Descriptor& operator=(Descriptor&&) = delete;

  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  int get() const { return fd_; }

 private:
  int fd_;
};

Descriptor open_file(const std::string& path, int flags, std::string_view operation) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0640);
  if (fd < 0) {
    fail(operation, path);
  }
  return Descriptor(fd);
}

class RealFile final : public File {
 public:
  RealFile(std::string path, Descriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  void append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(fd_.get(), bytes.data(), bytes.size());
      if (wrote < 0) {
        if (errno == EINTR) {
          continue;
        }
        fail("write", path_);
      }
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
  }

  void sync() override {
    if (::fdatasync(fd_.get()) != 0) {
      fail("fsync", path_);
    }
  }

  std::size_t read_at(std::uint64_t offset, char* to, std::size_t size) const override {
    std::size_t done = 0;
    while (done < size) {
      const ssize_t got =
          ::pread(fd_.get(), to + done, size - done, static_cast<off_t>(offset + done));
      if (got < 0) {
        if (errno == EINTR) {
          continue;
        }
        fail("read", path_);
      }
      if (got == 0) {
        break;
      }
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

  std::uint64_t size() const override {
    struct stat status {};

    if (::fstat(fd_.get(), &status) != 0) {
      fail("stat", path_);
    }
    return static_cast<std::uint64_t>(status.st_size);
  }

  void truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      fail("truncate", path_);
    }
  }

 private:
  std::string path_;
  Descriptor fd_;
};

class RealDirectoryLock final : public DirectoryLock {
 public:
  explicit RealDirectoryLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class RealFileSystem final : public FileSystem {
 public:
  std::unique_ptr<File> create(const std::string& path) override {
    return std::make_unique<RealFile>(
        path, open_file(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, "create"));
  }

  std::unique_ptr<File> open_append(const std::string& path) override {
    return std::make_unique<RealFile>(path, open_file(path, O_RDWR | O_APPEND, "open"));
  }

  std::unique_ptr<File> open_read(const std::string& path) override {
    return std::make_unique<RealFile>(path, open_file(path, O_RDONLY, "open"));
  }

  bool exists(const std::string& path) override {
    struct stat status {};

    if (::stat(path.c_str(), &status) == 0) {
      return true;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
      fail("stat", path);
    }
    return false;
  }

  std::vector<std::string> list(const std::string& directory) override {
    std::error_code code;
    std::filesystem::directory_iterator entries(directory, code);
    if (code) {
      errno = code.value();
      fail("list", directory);
    }
    std::vector<std::string> names;
    for (const auto& entry : entries) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  void create_directories(const std::string& directory) override {
    const std::filesystem::path path(directory);
    if (path.empty() || exists(directory)) {
      return;
    }
    const std::string parent = path.parent_path().string();
    create_directories(parent);
    if (::mkdir(directory.c_str(), 0750) != 0 && errno != EEXIST) {
      fail("create directory", directory);
    }
    sync_directory(parent.empty() ? "." : parent);
  }

  void rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      fail("rename", from);
    }
  }

  void remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      fail("remove", path);
    }
  }

  void sync_directory(const std::string& directory) override {
    const Descriptor fd = open_file(directory, O_RDONLY | O_DIRECTORY, "open directory");
    if (::fsync(fd.get()) != 0) {
      fail("fsync directory", directory);
    }
  }

  DiskSpace space(const std::string& directory) override {
    struct statvfs status {};

    if (::statvfs(directory.c_str(), &status) != 0) {
      fail("ask the free space of", directory);
    }
    return {static_cast<std::uint64_t>(status.f_blocks) * status.f_frsize,
            static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize};
  }

  std::unique_ptr<DirectoryLock> lock(const std::string& path) override {
    Descriptor fd = open_file(path, O_RDWR | O_CREAT, "open lock file");
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      char holder[32] = {};
      const ssize_t got = ::pread(fd.get(), holder, sizeof(holder) - 1, 0);
      throw HeldByAnother(
          ErrorKind::Fatal,
          fmt::format("{} is held by another re_dms{}", path,
                      got > 0 ? fmt::format(" (pid {})", holder) : std::string()),
          "Two daemons cannot share a journal: stop the other one or give this one its "
          "own journal.directory and slot");
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      fail("write", path);
    }
    return std::make_unique<RealDirectoryLock>(std::move(fd));
  }
};

}  // namespace

FileSystem& real_file_system() {
  static RealFileSystem files;
  return files;
}

std::string read_file(FileSystem& files, const std::string& path) {
  const std::unique_ptr<File> file = files.open_read(path);
  std::string content(file->size(), '\0');
  content.resize(file->read_at(0, content.data(), content.size()));
  return content;
}

void replace_file(FileSystem& files, const std::string& path, std::string_view content) {
  replace_file(files, path, [content](File& file) { file.append(content); });
}

void replace_file(FileSystem& files, const std::string& path,
                  const std::function<void(File&)>& write) {
  const std::string fresh = path + ".new";
  files.remove(fresh);
  {
    const std::unique_ptr<File> file = files.create(fresh);
    write(*file);
    failpoint("replace-file-written");
    file->sync();
  }
  failpoint("replace-file-synced");
  files.rename(fresh, path);
  failpoint("replace-file-renamed");
  const std::string parent = std::filesystem::path(path).parent_path().string();
  files.sync_directory(parent.empty() ? "." : parent);
}

}  // namespace re_dms
