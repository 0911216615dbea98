#include "demo/workspace.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <string_view>
#include <thread>

#include "base/error.h"

namespace re_dms::demo {

namespace {

namespace fs = std::filesystem;

/// Says that the demo made this folder; its second line names the folder elsewhere, if there is
/// one.
constexpr std::string_view kMarker = ".re_dms_demo";
constexpr std::string_view kMarkerText =
    "re_dms demo made this folder; the next demo in it removes these files and starts afresh.\n";
constexpr std::string_view kElsewhere = "/tmp/re_dms_demo.";

constexpr std::chrono::seconds kServerPatience{3};

constexpr std::array<std::string_view, 4> kIntermediate = {"postgres", "journal", "stage",
                                                           "warehouse.duckdb.tmp"};
constexpr std::array<std::string_view, 6> kLasting = {"warehouse.duckdb", "warehouse.duckdb.wal",
                                                      "re_dms.toml",      "re_dms.log",
                                                      "postgres.log",     "pgbench.log"};

void remove_tree(const std::string& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (failure) {
    throw Error(ErrorKind::Fatal, fmt::format("cannot remove {}: {}", path, failure.message()));
  }
}

/// The name of a folder of ours below /tmp, as a marker gives it. Anything else is passed over:
/// what is removed must not hang on what somebody wrote into a file.
std::string elsewhere_in(std::string_view marker) {
  if (!marker.starts_with(kMarkerText)) {
    return {};
  }
  std::string_view path = marker.substr(kMarkerText.size());
  path = path.substr(0, path.find('\n'));
  const bool ours = path.starts_with(kElsewhere) &&
                    path.substr(kElsewhere.size()).find('/') == std::string_view::npos;
  return ours && fs::is_directory(fs::symlink_status(path)) ? std::string(path) : std::string();
}

/// The server that runs in a cluster, which is its working directory; empty when none does. A
/// number in postmaster.pid alone may be somebody else's by now.
std::optional<std::string> server_in(const std::string& cluster) {
  std::string pid;
  std::getline(std::ifstream(cluster + "/postmaster.pid"), pid);
  if (pid.empty()) {
    return std::nullopt;
  }
  std::error_code gone;
  const fs::path directory = fs::read_symlink(fmt::format("/proc/{}/cwd", pid), gone);
  return !gone && directory == cluster ? std::optional(pid) : std::nullopt;
}

/// The server of a demo that was kept may have been started again by hand; that of a demo that was
/// killed ends by itself in a moment.
void refuse_running_server(const std::string& folder) {
  const std::string cluster = folder + "/data";
  const auto deadline = std::chrono::steady_clock::now() + kServerPatience;
  while (const auto pid = server_in(cluster)) {
    if (std::chrono::steady_clock::now() > deadline) {
      throw Error(
          ErrorKind::Fatal,
          fmt::format("the PostgreSQL of an earlier demo runs in {} (pid {})", cluster, *pid),
          fmt::format("Stop it with: kill -INT {}", *pid));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void refuse_foreign(FileSystem& files, const std::string& directory,
                    std::span<const std::string_view> names) {
  for (const std::string_view name : names) {
    if (files.exists(fmt::format("{}/{}", directory, name))) {
      throw Error(ErrorKind::Usage, fmt::format("{} holds a {} that no demo made", directory, name),
                  "Choose another place with --directory");
    }
  }
}

}  // namespace

Workspace::Workspace(const std::string& directory) {
  FileSystem& files = real_file_system();
  // Not by FileSystem, which lets nobody else in: PostgreSQL may run as another user below it.
  fs::create_directories(directory);
  directory_ = fs::canonical(directory).string();
  const std::string marker = path(std::string(kMarker));
  if (files.exists(marker)) {
    elsewhere_ = elsewhere_in(read_file(files, marker));
  } else {
    refuse_foreign(files, directory_, kIntermediate);
    refuse_foreign(files, directory_, kLasting);
    replace_file(files, marker, kMarkerText);
  }
  try {
    lock_ = files.lock(path(".lock"));
  } catch (const Error&) {
    throw Error(ErrorKind::Fatal, fmt::format("another demo runs in {}", directory_),
                "Wait for its end, or choose another place with --directory");
  }
  empty();
}

std::string Workspace::make_folder_elsewhere() {
  std::string name = std::string(kElsewhere) + "XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorKind::Fatal,
                fmt::format("cannot make a folder below /tmp: {}", std::strerror(errno)));
  }
  elsewhere_ = name;
  replace_file(real_file_system(), path(std::string(kMarker)),
               fmt::format("{}{}\n", kMarkerText, elsewhere_));
  return elsewhere_;
}

void Workspace::remove_intermediate() {
  for (const auto& name : kIntermediate) {
    remove_tree(path(std::string(name)));
  }
  if (!elsewhere_.empty()) {
    remove_tree(elsewhere_);
    elsewhere_.clear();
    replace_file(real_file_system(), path(std::string(kMarker)), kMarkerText);
  }
}

void Workspace::empty() {
  refuse_running_server(postgres());
  if (!elsewhere_.empty()) {
    refuse_running_server(elsewhere_);
  }
  remove_intermediate();
  for (const auto& name : kLasting) {
    remove_tree(path(std::string(name)));
  }
}

}  // namespace re_dms::demo
