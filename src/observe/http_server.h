// A small HTTP server for numbers, status and verbs: fixed paths, answers from callbacks.
// Bounded in connections, memory and time, so that no client can cost the daemon anything.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "observe/listen_address.h"

struct MHD_Connection;
struct MHD_Daemon;

namespace re_dms {

inline constexpr std::string_view kTextType = "text/plain; charset=utf-8";
inline constexpr std::string_view kJsonType = "application/json";
inline constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";

struct HttpReply {
  unsigned int status = 200;
  std::string_view content_type = kTextType;  ///< one of the constants
  std::string body;                           ///< never holds row values
  unsigned int refresh_seconds = 0;  ///< a browser asks again after so long; 0: it does not
};

/// Called on the server's thread, one request at a time; they must not block. One that is empty is
/// not allowed.
struct HttpRoute {
  std::string path;
  std::function<HttpReply()> answer{};  ///< to GET and HEAD
  /// To POST, with the values of the query's "table" arguments. A body is not read.
  std::function<HttpReply(const std::vector<std::string>&)> act{};
};

/// A Unix socket that a server listens on.
struct SocketFile {
  std::string path;   ///< mode 0660; one that nobody listens on any more is replaced
  std::string group;  ///< whose members may use it too; empty: the process's
};

/// Serves from start() until it is destroyed, on one thread of libmicrohttpd's.
class HttpServer {
 public:
  HttpServer(ListenAddress address, std::vector<HttpRoute> routes);
  HttpServer(SocketFile file, std::vector<HttpRoute> routes);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and begins to serve. Throws Fatal with address and reason when it cannot listen there.
  void start();

  /// Where it listens; the real port after start().
  const ListenAddress& address() const { return address_; }

 private:
  HttpReply reply_to(MHD_Connection* connection, std::string_view method,
                     std::string_view path) const;
  int queue_reply(MHD_Connection* connection, std::string_view method, std::string_view path) const;

  struct Stop {
    void operator()(MHD_Daemon* daemon) const;
  };

  ListenAddress address_;
  SocketFile file_;  ///< without a path: the address counts
  bool serving_file_ = false;
  std::vector<HttpRoute> routes_;
  std::unique_ptr<MHD_Daemon, Stop> daemon_;
};

}  // namespace re_dms
