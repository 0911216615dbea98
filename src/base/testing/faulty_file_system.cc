#include "base/testing/faulty_file_system.h"

#include <utility>

#include "base/testing/faulty_disk.h"

namespace re_dms {

namespace {

/// Made and used with the disk's mutex free, except for its construction.
class FaultyFile final : public File {
 public:
  FaultyFile(std::shared_ptr<FaultyDisk> disk, std::shared_ptr<FaultyInode> inode, std::string path)
      : disk_(std::move(disk)),
        inode_(std::move(inode)),
        path_(std::move(path)),
        generation_(disk_->generation) {}

  void append(std::string_view bytes) override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    const bool fails = disk_->fails();
    inode_->content.append(fails ? bytes.substr(0, bytes.size() / 2) : bytes);
    if (fails) {
      fail_operation_on("write", path_, "injected failure");
    }
  }

  void sync() override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    disk_->step("fsync", path_);
    // Copies only what was appended, so that many syncs of a large file stay cheap.
    if (inode_->cut) {
      inode_->durable = inode_->content;
    } else {
      inode_->durable.append(inode_->content, inode_->durable.size());
    }
    inode_->cut = false;
  }

  std::size_t read_at(std::uint64_t offset, char* to, std::size_t size) const override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    disk_->step("read", path_);
    const std::string& content = inode_->content;
    return offset >= content.size() ? 0 : content.copy(to, size, offset);
  }

  std::uint64_t size() const override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    disk_->step("stat", path_);
    return inode_->content.size();
  }

  void truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    disk_->step("truncate", path_);
    inode_->content.resize(size);
    inode_->cut = true;
  }

 private:
  void check_alive() const {
    if (generation_ != disk_->generation) {
      fail_operation_on("use", path_, "its process is dead");
    }
  }

  std::shared_ptr<FaultyDisk> disk_;
  std::shared_ptr<FaultyInode> inode_;
  std::string path_;
  std::uint64_t generation_;
};

class FaultyLock final : public DirectoryLock {
 public:
  FaultyLock(std::shared_ptr<FaultyDisk> disk, std::string path)
      : disk_(std::move(disk)), path_(std::move(path)), generation_(disk_->generation) {}

  FaultyLock(const FaultyLock&) = delete;
  FaultyLock& operator=(const FaultyLock&) = delete;

  ~FaultyLock() override {
    const std::lock_guard lock(disk_->mutex);
    if (generation_ == disk_->generation) {
      disk_->locks.erase(path_);
    }
  }

 private:
  std::shared_ptr<FaultyDisk> disk_;
  std::string path_;
  std::uint64_t generation_;
};

std::unique_ptr<File> open_file(const std::shared_ptr<FaultyDisk>& disk, const std::string& path) {
  const std::lock_guard lock(disk->mutex);
  disk->step("open", path);
  return std::make_unique<FaultyFile>(disk, disk->find("open", path), path);
}

}  // namespace

FaultyFileSystem::FaultyFileSystem() : disk_(std::make_shared<FaultyDisk>()) {}

FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::fail_operation(std::uint64_t n) {
  const std::lock_guard lock(disk_->mutex);
  disk_->failing = n == 0 ? 0 : disk_->operations + n;
}

std::uint64_t FaultyFileSystem::operations() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->operations;
}

void FaultyFileSystem::kill() {
  const std::lock_guard lock(disk_->mutex);
  ++disk_->generation;
  disk_->failing = 0;
  disk_->locks.clear();
}

void FaultyFileSystem::lose_power(Survives survives, std::uint32_t seed) {
  kill();
  const std::lock_guard lock(disk_->mutex);
  disk_->lose_power(survives, seed);
}

void FaultyFileSystem::set_space(DiskSpace space) {
  const std::lock_guard lock(disk_->mutex);
  disk_->space = space;
}

void FaultyFileSystem::put(const std::string& path, std::string_view content) {
  const std::lock_guard lock(disk_->mutex);
  auto inode = std::make_shared<FaultyInode>();
  inode->content = inode->durable = content;
  disk_->directories.insert(parent_of(path));
  disk_->entries[path] = disk_->durable_entries[path] = std::move(inode);
}

std::string FaultyFileSystem::content(const std::string& path) const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->find("read", path)->content;
}

std::unique_ptr<File> FaultyFileSystem::create(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("create", path);
  if (disk_->entries.contains(path)) {
    fail_operation_on("create", path, "File exists");
  }
  if (!disk_->directories.contains(parent_of(path))) {
    fail_operation_on("create", path, "No such file or directory");
  }
  auto inode = std::make_shared<FaultyInode>();
  disk_->change(parent_of(path), {path, inode, {}});
  return std::make_unique<FaultyFile>(disk_, std::move(inode), path);
}

std::unique_ptr<File> FaultyFileSystem::open_append(const std::string& path) {
  return open_file(disk_, path);
}

std::unique_ptr<File> FaultyFileSystem::open_read(const std::string& path) {
  return open_file(disk_, path);
}

bool FaultyFileSystem::exists(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("stat", path);
  return disk_->entries.contains(path) || disk_->directories.contains(path);
}

std::vector<std::string> FaultyFileSystem::list(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("list", directory);
  if (!disk_->directories.contains(directory)) {
    fail_operation_on("list", directory, "No such file or directory");
  }
  std::vector<std::string> names;
  for (const auto& [path, inode] : disk_->entries) {
    if (parent_of(path) == directory) {
      names.push_back(path.substr(directory.size() + 1));
    }
  }
  return names;
}

void FaultyFileSystem::create_directories(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("create directory", directory);
  for (std::string path = directory; !path.empty() && path != "/"; path = parent_of(path)) {
    disk_->directories.insert(path);
  }
}

void FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("rename", from);
  disk_->change(parent_of(to), {to, disk_->find("rename", from), from});
}

void FaultyFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("remove", path);
  if (disk_->entries.contains(path)) {
    disk_->change(parent_of(path), {{}, nullptr, path});
  }
}

void FaultyFileSystem::sync_directory(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("fsync directory", directory);
  disk_->sync_changes(directory);
}

DiskSpace FaultyFileSystem::space(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("ask the free space of", directory);
  return disk_->space;
}

std::unique_ptr<DirectoryLock> FaultyFileSystem::lock(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("lock", path);
  if (!disk_->locks.insert(path).second) {
    fail_operation_on("lock", path, "held by another process");
  }
  if (!disk_->entries.contains(path)) {
    disk_->change(parent_of(path), {path, std::make_shared<FaultyInode>(), {}});
  }
  return std::make_unique<FaultyLock>(disk_, path);
}

}  // namespace re_dms
