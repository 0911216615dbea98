#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "stage/object_key.h"
#include "stage/object_store.h"

namespace re_dms {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinishedSuffix = ".partial";

[[noreturn]] void fail(std::string_view operation, const std::string& path, int code) {
  ErrorKind kind = ErrorKind::Transient;
  std::string advice;
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
    throw StageFull(
        kind,
        fmt::format("the stage's disk is full: cannot {} {}: {}", operation, path,
                    std::strerror(code)),
        "Free space on that file system, or move stage.url to a larger one and restart; what "
        "was not loaded is safe in the journal and is staged again");
  }
  if (code == EACCES || code == EPERM) {
    kind = ErrorKind::Fatal;
    advice = "Give the user that runs re_dms the right to read and write there";
  } else if (code == EROFS) {
    kind = ErrorKind::Fatal;
    advice = "The file system is read-only: remount it or choose another stage.url";
  } else if (code == ENOTDIR || code == ENAMETOOLONG || code == ELOOP) {
    kind = ErrorKind::Fatal;
    advice = "Choose another directory for stage.url";
  }
  throw Error(kind, fmt::format("cannot {} {}: {}", operation, path, std::strerror(code)), advice);
}

bool is_unfinished(std::string_view name) {
  return name.ends_with(kUnfinishedSuffix);
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

/// Another thread may prune a directory while this one works below it: then less is there on return
/// than was made, and the caller finds out.
void make_directories(const std::string& directory) {
  for (std::size_t slash = directory.find('/', 1);; slash = directory.find('/', slash + 1)) {
    const std::string part = directory.substr(0, slash);
    if (::mkdir(part.c_str(), 0750) != 0 && errno != EEXIST) {
      if (errno == ENOENT) {
        return;
      }
      fail("create directory", part, errno);
    }
    if (slash == directory.npos) {
      return;
    }
  }
}

/// Removes the directories from that of `path` up to `root` (which stays) that are empty. A
/// directory that cannot go is left: at worst an empty one stays behind.
void prune_directories(const std::string& path, const std::string& root) {
  std::string directory = parent_of(path);
  while (directory.size() > root.size() && ::rmdir(directory.c_str()) == 0) {
    directory = parent_of(directory);
  }
}

int open_unfinished(const std::string& path) {
  // Directories may be pruned between their creation and the open: then once more.
  constexpr int kTries = 100;
  for (int tries = 0; tries < kTries; ++tries) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd >= 0) {
      return fd;
    }
    if (errno != ENOENT) {
      break;
    }
    make_directories(parent_of(path));
  }
  fail("create", path, errno);
}

class FileObject final : public ObjectWriter {
 public:
  FileObject(std::string path, std::string root)
      : path_(std::move(path)),
        unfinished_(path_ + std::string(kUnfinishedSuffix)),
        root_(std::move(root)),
        fd_(open_unfinished(unfinished_)) {}

  FileObject(const FileObject&) = delete;
  FileObject& operator=(const FileObject&) = delete;

  ~FileObject() override {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    if (!finished_) {
      ::unlink(unfinished_.c_str());
      prune_directories(path_, root_);
    }
  }

  void append(std::string_view bytes) override {
    RE_DMS_CHECK(fd_ >= 0);
    while (!bytes.empty()) {
      const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
      if (wrote >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
      } else if (errno != EINTR) {
        fail("write", unfinished_, errno);
      }
    }
  }

  std::string finish() override {
    RE_DMS_CHECK(fd_ >= 0);
    if (::close(std::exchange(fd_, -1)) != 0) {
      fail("write", unfinished_, errno);
    }
    if (::rename(unfinished_.c_str(), path_.c_str()) != 0) {
      fail("rename", unfinished_, errno);
    }
    finished_ = true;
    return path_;
  }

 private:
  std::string path_;
  std::string unfinished_;
  std::string root_;
  int fd_;
  bool finished_ = false;
};

class DirectoryStore final : public ObjectStore {
 public:
  explicit DirectoryStore(std::string root) : root_(std::move(root)) {}

  std::unique_ptr<ObjectWriter> create(const std::string& key) override {
    check_key(key);
    RE_DMS_CHECK(!is_unfinished(key));
    return std::make_unique<FileObject>(path_of(key), root_);
  }

  std::vector<std::string> list(const std::string& prefix) override {
    std::vector<std::string> keys = all_names(prefix);
    std::erase_if(keys, [](const std::string& key) { return is_unfinished(key); });
    return keys;
  }

  std::vector<std::string> list_unfinished(const std::string& prefix) override {
    std::vector<std::string> names = all_names(prefix);
    std::erase_if(names, [](const std::string& name) { return !is_unfinished(name); });
    return names;
  }

  void remove(const std::string& key) override {
    check_key(key);
    const std::string path = path_of(key);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      fail("remove", path, errno);
    }
    prune_directories(path, root_);
  }

  Compression compression() const override { return Compression::Stored; }

  std::uint64_t free_bytes() const override {
    std::error_code failed;
    const fs::space_info space = fs::space(root_, failed);
    return failed ? 0 : space.available;
  }

  std::string key_of(const std::string& path) const override {
    if (!path.starts_with(root_ + "/")) {
      throw Error(ErrorKind::Fatal, fmt::format("{} is not a staged object below {}", path, root_));
    }
    return path.substr(root_.size() + 1);
  }

 private:
  std::string path_of(const std::string& key) const { return root_ + "/" + key; }

  /// An entry that vanishes while it is listed was removed by another thread; that is fine.
  std::vector<std::string> all_names(const std::string& prefix) const {
    check_key_beginning(prefix);
    std::vector<std::string> directories = {parent_of(path_of(prefix))};
    std::vector<std::string> names;
    while (!directories.empty()) {
      const std::string directory = std::move(directories.back());
      directories.pop_back();
      std::error_code code;
      for (fs::directory_iterator entry(directory, code), end; !code && entry != end;
           entry.increment(code)) {
        std::error_code vanished;
        if (entry->is_directory(vanished)) {
          directories.push_back(entry->path().string());
        } else if (std::string name = key_of(entry->path().string()); name.starts_with(prefix)) {
          names.push_back(std::move(name));
        }
      }
      if (code && code != std::errc::no_such_file_or_directory) {
        fail("list", directory, code.value());
      }
    }
    std::ranges::sort(names);
    return names;
  }

  std::string root_;  ///< absolute, without a slash at its end
};

}  // namespace

std::unique_ptr<ObjectStore> open_directory_store(const std::string& directory) {
  std::string root = fs::absolute(directory).lexically_normal().string();
  while (root.size() > 1 && root.back() == '/') {
    root.pop_back();
  }
  make_directories(root);
  return std::make_unique<DirectoryStore>(std::move(root));
}

}  // namespace re_dms
