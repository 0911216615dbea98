// Looks a host up without being held up by a resolver that does not answer.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

namespace re_dms {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

/// The addresses of a host for datagrams, by getaddrinfo(), which waits for as long as the resolver
/// is configured to. Throws Transient where it finds none.
std::vector<SocketAddress> resolve(const std::string& host, const std::string& port);

/// Belongs to one thread. The resolver is asked in another one, which is left behind where nobody
/// waits for its answer any more.
class HostLookup {
 public:
  using Resolver =
      std::function<std::vector<SocketAddress>(const std::string&, const std::string&)>;

  HostLookup(std::string host, std::string port, Resolver resolver = &resolve);

  /// What the resolver answers. Throws what it throws; Transient after five seconds without an
  /// answer, for which the next call goes on waiting; Stopped.
  std::vector<SocketAddress> ask(const std::stop_token& stop);

 private:
  struct Question;

  std::string host_;
  std::string port_;
  Resolver resolver_;
  std::shared_ptr<Question> question_;  ///< the asking thread's too, which may outlive this
};

}  // namespace re_dms
