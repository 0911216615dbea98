#include "observe/http_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <grp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/thread.h"
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

[[noreturn]] void fail(const SocketFile& file, int code) {
  throw Error(ErrorKind::Fatal,
              fmt::format("cannot listen on {}: {}", file.path, std::strerror(code)),
              "Choose another control.socket, or make its directory writable for re_dms");
}

bool answers(const sockaddr_un& to) {
  const Socket probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
}

/// Nobody but its owner can use the file before its group is set.
int listen_on(const SocketFile& file) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (file.path.size() >= sizeof(to.sun_path)) {
    fail(file, ENAMETOOLONG);
  }
  std::memcpy(to.sun_path, file.path.c_str(), file.path.size() + 1);
  if (answers(to)) {
    fail(file, EADDRINUSE);
  }
  ::unlink(file.path.c_str());
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const mode_t mask = ::umask(0177);
  const bool bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  const int code = errno;
  ::umask(mask);
  if (!bound) {
    fail(file, code);
  }
  if (!file.group.empty()) {
    const group* const wanted = ::getgrnam(file.group.c_str());
    if (wanted == nullptr ||
        ::chown(file.path.c_str(), static_cast<uid_t>(-1), wanted->gr_gid) != 0) {
      fail(file, wanted == nullptr ? ENOENT : errno);
    }
  }
  if (::chmod(file.path.c_str(), 0660) != 0 ||
      ::listen(socket.get(), static_cast<int>(kConnectionsMax)) != 0) {
    fail(file, errno);
  }
  return socket.release();
}

std::vector<std::string> arguments_of(MHD_Connection* connection) {
  std::vector<std::string> tables;
  const auto collect = [](void* to, MHD_ValueKind /*kind*/, const char* key, const char* value) {
    if (std::string_view(key) == "table" && value != nullptr) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(value);
    }
    return MHD_YES;
  };
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, collect, &tables);
  return tables;
}

}  // namespace

void HttpServer::Stop::operator()(MHD_Daemon* daemon) const {
  MHD_stop_daemon(daemon);
}

HttpServer::HttpServer(ListenAddress address, std::vector<HttpRoute> routes)
    : address_(std::move(address)), routes_(std::move(routes)) {}

HttpServer::HttpServer(SocketFile file, std::vector<HttpRoute> routes)
    : file_(std::move(file)), routes_(std::move(routes)) {}

HttpServer::~HttpServer() {
  daemon_.reset();
  if (serving_file_) {
    ::unlink(file_.path.c_str());
  }
}

void HttpServer::start() {
  RE_DMS_CHECK(daemon_ == nullptr);
  const auto answer = [](void* server, MHD_Connection* connection, const char* path,
                         const char* method, const char* /*version*/, const char* /*upload*/,
                         std::size_t* /*upload_size*/, void** /*request*/) {
    use_signal_stack();  // the thread is the library's
    return static_cast<MHD_Result>(
        static_cast<const HttpServer*>(server)->queue_reply(connection, method, path));
  };
  const int socket = file_.path.empty() ? listen_on(address_) : listen_on(file_);
  serving_file_ = !file_.path.empty();
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

HttpReply HttpServer::reply_to(MHD_Connection* connection, std::string_view method,
                               std::string_view path) const {
  const bool looks = method == MHD_HTTP_METHOD_GET || method == MHD_HTTP_METHOD_HEAD;
  const auto route = std::ranges::find(routes_, path, &HttpRoute::path);
  if (route == routes_.end()) {
    std::string body = "nothing here; there is\n";
    for (const HttpRoute& one : routes_) {
      body += one.path + "\n";
    }
    return {MHD_HTTP_NOT_FOUND, kTextType, std::move(body)};
  }
  const bool acts = method == MHD_HTTP_METHOD_POST && route->act;
  if (!acts && !(looks && route->answer)) {
    return {MHD_HTTP_METHOD_NOT_ALLOWED, kTextType,
            route->answer ? "only GET and HEAD\n" : "only POST\n"};
  }
  // libmicrohttpd is C: nothing may be thrown through it, and a broken page stops no replication.
  try {
    return acts ? route->act(arguments_of(connection)) : route->answer();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Usage) {
      return {MHD_HTTP_BAD_REQUEST, kTextType, std::string(error.what()) + "\n"};
    }
    log(LogLevel::Error, "http_failed", error.what(), {{"path", path}});
    return {MHD_HTTP_INTERNAL_SERVER_ERROR, kTextType, "failed; the log says why\n"};
  } catch (const std::exception& error) {
    log(LogLevel::Error, "http_failed", error.what(), {{"path", path}});
    return {MHD_HTTP_INTERNAL_SERVER_ERROR, kTextType, "failed; the log says why\n"};
  }
}

int HttpServer::queue_reply(MHD_Connection* connection, std::string_view method,
                            std::string_view path) const {
  HttpReply reply = reply_to(connection, method, path);
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
  if (reply.refresh_seconds > 0) {
    MHD_add_response_header(response.get(), "Refresh",
                            std::to_string(reply.refresh_seconds).c_str());
  }
  if (reply.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
    MHD_add_response_header(response.get(), MHD_HTTP_HEADER_ALLOW,
                            reply.body == "only POST\n" ? "POST" : "GET, HEAD");
  }
  return MHD_queue_response(connection, reply.status, response.get());
}

}  // namespace re_dms
