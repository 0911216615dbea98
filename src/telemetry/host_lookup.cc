#include "telemetry/host_lookup.h"

#include <fmt/format.h>
#include <netdb.h>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/retry.h"
#include "base/thread.h"

namespace re_dms {

namespace {

constexpr std::chrono::seconds kAnswerWithin(5);

}  // namespace

std::vector<SocketAddress> resolve(const std::string& host, const std::string& port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), port.c_str(), &wanted, &found);
  if (code != 0) {
    throw Error(ErrorKind::Transient, fmt::format("looking up {}: {}", host, ::gai_strerror(code)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    SocketAddress& address = addresses.emplace_back();
    std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
    address.length = at->ai_addrlen;
  }
  return addresses;
}

struct HostLookup::Question {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool answered = false;
  std::vector<SocketAddress> addresses;
  std::exception_ptr problem;
};

HostLookup::HostLookup(std::string host, std::string port, Resolver resolver)
    : host_(std::move(host)), port_(std::move(port)), resolver_(std::move(resolver)) {}

std::vector<SocketAddress> HostLookup::ask(const std::stop_token& stop) {
  if (!question_) {
    question_ = std::make_shared<Question>();
    std::thread([question = question_, host = host_, port = port_, resolver = resolver_] {
      begin_thread("lookup");
      std::vector<SocketAddress> addresses;
      std::exception_ptr problem;
      try {
        addresses = resolver(host, port);
      } catch (const std::exception&) {
        problem = std::current_exception();
      }
      const std::lock_guard lock(question->mutex);
      question->addresses = std::move(addresses);
      question->problem = std::move(problem);
      question->answered = true;
      question->changed.notify_all();
    }).detach();
  }
  std::unique_lock lock(question_->mutex);
  if (!question_->changed.wait_for(lock, stop, kAnswerWithin,
                                   [this] { return question_->answered; })) {
    if (stop.stop_requested()) {
      throw Stopped();
    }
    throw Error(ErrorKind::Transient,
                fmt::format("looking up {}: no answer within {} s", host_, kAnswerWithin.count()));
  }
  lock.unlock();
  const std::shared_ptr<Question> answer = std::exchange(question_, nullptr);
  if (answer->problem) {
    std::rethrow_exception(answer->problem);
  }
  return std::move(answer->addresses);
}

}  // namespace re_dms
