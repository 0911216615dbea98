#include "observe/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "base/error.h"
#include "observe/log.h"

namespace re_dms {

namespace {

constexpr unsigned int kConnectionsMax = 32;
constexpr std::size_t kConnectionMemoryBytes = 32U << 10;
constexpr unsigned int kIdleSeconds = 5;

[[noreturn]] void fail(const ListenAddress& address) {
  const int code = errno;
  throw Error(ErrorKind::Fatal,
              fmt::format("cannot listen on {}: {}", to_string(address), std::strerror(code)),
              code == EADDRINUSE
                  ? "Another process, perhaps another re_dms, listens there: stop it "
                    "or choose another observe.listen"
                  : "Choose another observe.listen");
}

/// A socket that closes unless released.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  ~Socket() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  int get() const { return fd_; }

  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// An address in the form the kernel takes.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const ListenAddress& address) {
  SocketAddress result;
  if (address.is_ipv6()) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    to.sin6_port = htons(address.port);
    ::inet_pton(AF_INET6, address.host.c_str(), &to.sin6_addr);
    std::memcpy(&result.storage, &to, sizeof(to));
    result.size = sizeof(to);
  } else {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(address.port);
    ::inet_pton(AF_INET, address.host.c_str(), &to.sin_addr);
    std::memcpy(&result.storage, &to, sizeof(to));
    result.size = sizeof(to);
  }
  return result;
}

/// Binds and listens; stores the port that was given where `address` leaves it open. Done here and
/// not by libmicrohttpd, which does not say why it could not.
int listen_on(ListenAddress& address) {
  SocketAddress to = socket_address(address);
  Socket socket(::socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (socket.get() < 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      ::bind(socket.get(), to.get(), to.size) != 0 ||
      ::listen(socket.get(), static_cast<int>(kConnectionsMax)) != 0 ||
      ::getsockname(socket.get(), to.get(), &to.size) != 0) {
    fail(address);
  }
  // The port is at the same place in both families.
  sockaddr_in bound{};
  std::memcpy(&bound, &to.storage, sizeof(bound));
  address.port = ntohs(bound.sin_port);
  return socket.release();
}

}  // namespace

void HttpServer::Stop::operator()(MHD_Daemon* daemon) const {
  MHD_stop_daemon(daemon);
}

HttpServer::HttpServer(ListenAddress address, std::vector<HttpRoute> routes)
    : address_(std::move(address)), routes_(std::move(routes)) {}

HttpServer::~HttpServer() = default;

void HttpServer::start() {
  RE_DMS_CHECK(daemon_ == nullptr);
  const auto answer = [](void* server, MHD_Connection* connection, const char* path,
                         const char* method, const char* /*version*/, const char* /*upload*/,
                         std::size_t* /*upload_size*/, void** /*request*/) {
    return static_cast<MHD_Result>(
        static_cast<const HttpServer*>(server)->queue_reply(connection, method, path));
  };
  const int socket = listen_on(address_);
  daemon_.reset(MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD, 0, nullptr, nullptr, answer,
                                 this,                                                        //
                                 MHD_OPTION_LISTEN_SOCKET, socket,                            //
                                 MHD_OPTION_CONNECTION_LIMIT, kConnectionsMax,                //
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemoryBytes,  //
                                 MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_END));
  if (daemon_ == nullptr) {
    fail(address_);
  }
}

HttpReply HttpServer::reply_to(std::string_view method, std::string_view path) const {
  if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
    return {MHD_HTTP_METHOD_NOT_ALLOWED, kTextType, "only GET and HEAD\n"};
  }
  const auto route = std::ranges::find(routes_, path, &HttpRoute::path);
  if (route == routes_.end()) {
    std::string body = "nothing here; there is\n";
    for (const HttpRoute& one : routes_) {
      body += one.path + "\n";
    }
    return {MHD_HTTP_NOT_FOUND, kTextType, std::move(body)};
  }
  // libmicrohttpd is C: nothing may be thrown through it, and a broken page stops no replication.
  try {
    return route->answer();
  } catch (const std::exception& error) {
    log(LogLevel::Error, "http_failed", error.what(), {{"path", path}});
    return {MHD_HTTP_INTERNAL_SERVER_ERROR, kTextType, "failed; the log says why\n"};
  }
}

int HttpServer::queue_reply(MHD_Connection* connection, std::string_view method,
                            std::string_view path) const {
  HttpReply reply = reply_to(method, path);
  // libmicrohttpd copies the body; it sends no body for HEAD.
  const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(
      MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY),
      MHD_destroy_response);
  if (response == nullptr) {
    return MHD_NO;
  }
  const std::string content_type(reply.content_type);
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CONTENT_TYPE, content_type.c_str());
  MHD_add_response_header(response.get(), MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  MHD_add_response_header(response.get(), "X-Content-Type-Options", "nosniff");
  if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  }
  return MHD_queue_response(connection, reply.status, response.get());
}

}  // namespace re_dms
