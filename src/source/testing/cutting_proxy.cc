#include "source/testing/cutting_proxy.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "base/bytes.h"

namespace re_dms {

namespace {

constexpr int kPollMs = 20;
constexpr std::chrono::milliseconds kMoment(4);
constexpr char kCopyBothResponse = 'W';
constexpr std::size_t kHeaderBytes =
    5;  // type and length (PostgreSQL 15, protocol-message-formats)

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    throw std::runtime_error("the path of a socket is too long: " + path);
  }
  path.copy(address.sun_path, path.size());
  return address;
}

bool send_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// Counts what a server sends behind its CopyBothResponse.
class ServerBytes {
 public:
  explicit ServerBytes(std::optional<std::uint64_t> most) : most_(most) {}

  /// How many of these bytes may pass; fewer only where the connection is to be cut.
  std::size_t passing(std::string_view bytes) {
    std::size_t before = 0;
    while (!copying_ && before < bytes.size()) {
      const std::size_t took = std::min(left_, bytes.size() - before);
      header_.append(bytes.substr(before, in_body_ ? 0 : took));
      left_ -= took;
      before += took;
      if (left_ == 0) {
        next_part();
      }
    }
    const std::uint64_t copied = bytes.size() - before;
    const std::uint64_t allowed = most_ ? std::min(copied, *most_ - copied_) : copied;
    copied_ += allowed;
    return before + allowed;
  }

  bool at_cut() const { return most_ && copied_ == *most_; }

 private:
  void next_part() {
    if (!in_body_) {
      left_ = load_be<std::uint32_t>(header_.data() + 1) - (kHeaderBytes - 1);
      in_body_ = true;
    }
    if (left_ == 0) {
      copying_ = header_[0] == kCopyBothResponse;
      header_.clear();
      left_ = kHeaderBytes;
      in_body_ = false;
    }
  }

  std::optional<std::uint64_t> most_;
  std::uint64_t copied_ = 0;
  bool copying_ = false;
  bool in_body_ = false;
  std::string header_;
  std::size_t left_ = kHeaderBytes;
};

}  // namespace

CuttingProxy::CuttingProxy(std::string server) : server_(std::move(server)) {
  folder_ = (std::filesystem::temp_directory_path() / "re_dms_proxy_XXXXXX").string();
  if (::mkdtemp(folder_.data()) == nullptr) {
    throw std::runtime_error("cannot make a folder for the proxy");
  }
  const sockaddr_un address = address_of(folder_ + "/.s.PGSQL.5432");
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 ||
      ::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
      ::listen(listener_, 16) != 0) {
    throw std::runtime_error("cannot listen in " + folder_);
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { listen(stop); });
}

CuttingProxy::~CuttingProxy() {
  thread_.request_stop();
  thread_.join();
  connections_.clear();
  ::close(listener_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void CuttingProxy::cut_after(std::optional<std::uint64_t> bytes) {
  const std::lock_guard lock(mutex_);
  cut_after_ = bytes;
  let_go_ = false;
}

void CuttingProxy::let_go() {
  let_go_ = true;
}

void CuttingProxy::listen(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waiting{listener_, POLLIN, 0};
    if (::poll(&waiting, 1, kPollMs) <= 0) {
      continue;
    }
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) {
      connections_.emplace_back([this, client](const std::stop_token& end) { serve(client, end); });
    }
  }
}

void CuttingProxy::serve(int client, const std::stop_token& stop) const {
  ServerBytes counted([this] {
    const std::lock_guard lock(mutex_);
    return cut_after_;
  }());
  const sockaddr_un address = address_of(server_);
  const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool going = server >= 0 &&
               ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  char buffer[16384];
  while (going && !stop.stop_requested()) {
    pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    ::poll(both, 2, kPollMs);
    if (both[0].revents != 0) {
      const ssize_t got = ::recv(client, buffer, sizeof(buffer), 0);
      going = got > 0 && send_all(server, {buffer, static_cast<std::size_t>(got)});
    }
    if (going && both[1].revents != 0) {
      const ssize_t got = ::recv(server, buffer, sizeof(buffer), 0);
      const std::string_view bytes(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
      going = !bytes.empty() && send_all(client, bytes.substr(0, counted.passing(bytes))) &&
              !counted.at_cut();
    }
  }
  if (counted.at_cut()) {
    end_cut(server, stop);
  }
  ::close(server);
  ::close(client);
}

/// The server's process is gone when its side is closed, and the slot is free.
void CuttingProxy::end_cut(int server, const std::stop_token& stop) const {
  while (!let_go_ && !stop.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_for(kMoment);
  ::shutdown(server, SHUT_WR);
  char ignored[4096];
  while (::recv(server, ignored, sizeof(ignored), 0) > 0) {
  }
}

}  // namespace re_dms
