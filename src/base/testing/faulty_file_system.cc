#include "base/testing/faulty_file_system.h"

#include <algorithm>
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
    const bool fails = disk_->fails("write");
    inode_->content.append(fails ? bytes.substr(0, part(bytes.size())) : bytes);
    disk_->answer("write", path_);
  }

  void sync() override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    const bool fails = disk_->fails("fsync");
    const std::size_t fresh = inode_->content.size() - inode_->clean_bytes;
    if (!fails || disk_->fault == Fault::Done || !inode_->cut) {
      inode_->write_back(fails ? part(fresh) : fresh);
      inode_->cut = false;
    }
    if (fails && disk_->fault == Fault::NotDone && !inode_->cut) {
      inode_->content = inode_->durable;
      inode_->clean_bytes = inode_->content.size();
    } else if (fails && disk_->fault == Fault::KeptClean) {
      inode_->clean_bytes = inode_->content.size();
    }
    disk_->answer("fsync", path_);
  }

  std::size_t read_at(std::uint64_t offset, char* to, std::size_t size) const override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    disk_->question("read", path_);
    const std::string& content = inode_->content;
    return offset >= content.size() ? 0 : content.copy(to, size, offset);
  }

  std::uint64_t size() const override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    disk_->question("stat", path_);
    return inode_->content.size();
  }

  void truncate(std::uint64_t size) override {
    const std::lock_guard lock(disk_->mutex);
    check_alive();
    disk_->step("truncate", path_);
    inode_->content.resize(size);
    inode_->clean_bytes = std::min<std::size_t>(inode_->clean_bytes, size);
    inode_->cut = true;
    disk_->answer("truncate", path_);
  }

 private:
  /// How many of so many bytes a failing operation does.
  std::size_t part(std::size_t bytes) const {
    switch (disk_->fault) {
      case Fault::NotDone:
      case Fault::KeptClean:
        return 0;
      case Fault::Half:
        return bytes / 2;
      case Fault::Done:
        break;
    }
    return bytes;
  }

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
  disk->question("open", path);
  return std::make_unique<FaultyFile>(disk, disk->find("open", path), path);
}

}  // namespace

FaultyFileSystem::FaultyFileSystem() : disk_(std::make_shared<FaultyDisk>()) {}

FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::fail_operation(std::uint64_t n, Fault fault) {
  const std::lock_guard lock(disk_->mutex);
  disk_->failing = n == 0 ? 0 : disk_->operations + n;
  disk_->fault = fault;
}

std::uint64_t FaultyFileSystem::operations() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->operations;
}

std::set<std::string> FaultyFileSystem::kinds_of_operations() const {
  const std::lock_guard lock(disk_->mutex);
  return disk_->kinds;
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
  inode->clean_bytes = content.size();
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
  disk_->answer("create", path);
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
  disk_->question("stat", path);
  return disk_->entries.contains(path) || disk_->directories.contains(path);
}

std::vector<std::string> FaultyFileSystem::list(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  disk_->question("list", directory);
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
  disk_->answer("create directory", directory);
}

void FaultyFileSystem::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("rename", from);
  disk_->change(parent_of(to), {to, disk_->find("rename", from), from});
  disk_->answer("rename", from);
}

void FaultyFileSystem::remove(const std::string& path) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("remove", path);
  if (disk_->entries.contains(path)) {
    disk_->change(parent_of(path), {{}, nullptr, path});
  }
  disk_->answer("remove", path);
}

void FaultyFileSystem::sync_directory(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  disk_->step("fsync directory", directory);
  disk_->sync_changes(directory);
  disk_->answer("fsync directory", directory);
}

DiskSpace FaultyFileSystem::space(const std::string& directory) {
  const std::lock_guard lock(disk_->mutex);
  disk_->question("ask the free space of", directory);
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
  disk_->answer("lock", path);
  return std::make_unique<FaultyLock>(disk_, path);
}

}  // namespace re_dms
