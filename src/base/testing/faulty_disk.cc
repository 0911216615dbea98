#include "base/testing/faulty_disk.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>
#include <utility>

#include "base/error.h"

namespace re_dms {

namespace {

void apply_change(FaultyDisk::Entries& entries, const FaultyDisk::Change& change) {
  if (change.inode) {
    entries[change.made] = change.inode;
  }
  if (!change.removed.empty()) {
    entries.erase(change.removed);
  }
}

/// Draws numbers from 0 to `most`; always 0 when nothing survives.
class Survival {
 public:
  Survival(Survives survives, std::uint32_t seed) : survives_(survives), random_(seed) {}

  std::size_t up_to(std::size_t most) {
    if (survives_ == Survives::Nothing) {
      return 0;
    }
    return std::uniform_int_distribution<std::size_t>(0, most)(random_);
  }

 private:
  Survives survives_;
  std::mt19937 random_;
};

void lose_bytes(FaultyInode& inode, Survival& survival) {
  std::string& durable = inode.durable;
  if (inode.cut) {
    if (survival.up_to(1) == 1) {
      // The truncation reached the disk by itself.
      durable.resize(std::min(durable.size(), inode.clean_bytes));
    }
  } else if (const std::size_t tail = survival.up_to(inode.content.size() - inode.clean_bytes);
             tail > 0) {
    const std::size_t synced = inode.clean_bytes;
    inode.write_back(tail);
    const std::size_t zeros = survival.up_to(3) == 3 ? survival.up_to(tail) : 0;
    const std::size_t at = synced + survival.up_to(tail - zeros);
    std::fill_n(durable.begin() + static_cast<std::ptrdiff_t>(at), zeros, '\0');
  }
  inode.content = durable;
  inode.clean_bytes = durable.size();
  inode.cut = false;
}

}  // namespace

void FaultyInode::write_back(std::size_t bytes) {
  if (bytes > 0 || durable.size() > clean_bytes) {
    durable.resize(clean_bytes, '\0');
  }
  // Only what is new, so that many syncs of a large file stay cheap.
  durable.append(content, clean_bytes, bytes);
  clean_bytes += bytes;
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

void fail_operation_on(std::string_view operation, const std::string& path,
                       std::string_view reason) {
  throw Error(ErrorKind::Fatal, fmt::format("cannot {} {}: {}", operation, path, reason));
}

bool FaultyDisk::fails(std::string_view operation) {
  kinds.emplace(operation);
  return ++operations == failing;
}

void FaultyDisk::question(std::string_view operation, const std::string& path) {
  fails(operation);
  answer(operation, path);
}

void FaultyDisk::step(std::string_view operation, const std::string& path) {
  if (fails(operation) && fault != Fault::Done) {
    fail_operation_on(operation, path, "injected failure");
  }
}

void FaultyDisk::answer(std::string_view operation, const std::string& path) {
  if (operations == failing) {
    fail_operation_on(operation, path, "injected failure");
  }
}

const std::shared_ptr<FaultyInode>& FaultyDisk::find(std::string_view operation,
                                                     const std::string& path) {
  const auto found = entries.find(path);
  if (found == entries.end()) {
    fail_operation_on(operation, path, "No such file or directory");
  }
  return found->second;
}

void FaultyDisk::change(const std::string& directory, Change change) {
  apply_change(entries, change);
  changes[directory].push_back(std::move(change));
}

void FaultyDisk::sync_changes(const std::string& directory) {
  for (const Change& change : std::exchange(changes[directory], {})) {
    apply_change(durable_entries, change);
  }
}

void FaultyDisk::lose_power(Survives survives, std::uint32_t seed) {
  Survival survival(survives, seed);
  for (const auto& [directory, pending] : changes) {
    for (const Change& change : pending) {
      if (survival.up_to(1) == 1) {
        apply_change(durable_entries, change);
      }
    }
  }
  changes.clear();
  entries = durable_entries;
  for (auto& [path, inode] : entries) {
    lose_bytes(*inode, survival);
  }
}

}  // namespace re_dms
