// The yardstick of `make bench`: takes everything a slot has and throws it away.
//
//   drain CONNINFO SLOT PUBLICATION END_LSN
//
// Reads by START_REPLICATION (pgoutput, proto 1) until END_LSN, greedily: it sleeps until much has
// come and then takes all of it. Acknowledges what it has read. Prints one line of JSON.
#include <fmt/format.h>
#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using ConnectionPtr = std::unique_ptr<PGconn, decltype(&PQfinish)>;

// A Unix socket holds some 200 rows; asleep when it is full, the reader would stall the server.
constexpr int kMuch = 16 * 1024;
constexpr std::chrono::microseconds kNap{200};
// Over TCP what is not read collects at the server, which is cheaper for it than to send each row.
constexpr std::chrono::milliseconds kNapOverTcp{20};
constexpr std::chrono::seconds kFeedbackInterval{1};
constexpr int kPollMs = 1000;

struct Drained {
  std::uint64_t rows = 0;
  std::uint64_t transactions = 0;
  std::uint64_t bytes = 0;
  std::uint64_t lsn = 0;
};

std::uint64_t load_be64(const char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

std::uint64_t parse_lsn(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) {
    throw std::runtime_error("not a position: " + text);
  }
  return std::stoull(text.substr(0, slash), nullptr, 16) << 32 |
         std::stoull(text.substr(slash + 1), nullptr, 16);
}

[[noreturn]] void fail(PGconn* connection, std::string_view what) {
  throw std::runtime_error(fmt::format("{}: {}", what, PQerrorMessage(connection)));
}

/// Null without TLS.
SSL* tls_of(PGconn* connection) {
  return static_cast<SSL*>(PQsslStruct(connection, "OpenSSL"));
}

/// libpq takes one TLS record a call, and a record holds one message.
bool tls_may_hold_more(PGconn* connection) {
  const SSL* tls = tls_of(connection);
  return tls != nullptr && SSL_want(tls) == SSL_NOTHING;
}

ConnectionPtr start(const char* conninfo, const std::string& slot, const std::string& publication) {
  const std::array<const char*, 3> keys{"dbname", "replication", nullptr};
  const std::array<const char*, 3> values{conninfo, "database", nullptr};
  ConnectionPtr connection(PQconnectdbParams(keys.data(), values.data(), 1), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    fail(connection.get(), "cannot connect");
  }
  const std::string command = fmt::format(
      "START_REPLICATION SLOT {} LOGICAL 0/0 (proto_version '1', publication_names '\"{}\"', "
      "messages 'true')",
      slot, publication);
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(
      PQexec(connection.get(), command.c_str()), &PQclear);
  if (PQresultStatus(result.get()) != PGRES_COPY_BOTH) {
    fail(connection.get(), "cannot start replication");
  }
  if (SSL* tls = tls_of(connection.get()); tls != nullptr) {
    SSL_set_read_ahead(tls, 1);
  }
  return connection;
}

void send_feedback(PGconn* connection, std::uint64_t lsn) {
  std::array<char, 34> message{'r'};
  const std::uint64_t position = __builtin_bswap64(lsn);
  for (const std::size_t offset : {1U, 9U, 17U}) {
    std::memcpy(&message[offset], &position, sizeof position);
  }
  if (PQputCopyData(connection, message.data(), static_cast<int>(message.size())) != 1 ||
      PQflush(connection) != 0) {
    fail(connection, "cannot send feedback");
  }
}

/// Counts one CopyData message; returns whether the server asks for feedback.
bool take(const char* message, int size, Drained& drained) {
  constexpr int kHeader = 25;
  if (message[0] == 'k') {
    drained.lsn = std::max(drained.lsn, load_be64(message + 1));
    return message[17] != 0;
  }
  if (message[0] != 'w' || size <= kHeader) {
    throw std::runtime_error("unknown message");
  }
  drained.bytes += static_cast<std::uint64_t>(size - kHeader);
  switch (message[kHeader]) {
    case 'I':
    case 'U':
    case 'D':
      ++drained.rows;
      break;
    case 'C':
      ++drained.transactions;
      drained.lsn = load_be64(message + kHeader + 10);
      break;
    default:
      break;
  }
  return false;
}

std::chrono::microseconds nap_on(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const bool named = getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  return named && address.ss_family == AF_UNIX ? kNap : kNapOverTcp;
}

/// Waits for data, and a little longer while there is not much.
void wait_for_much(int socket, std::chrono::microseconds nap) {
  pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
  if (poll(&ready, 1, kPollMs) <= 0) {
    return;
  }
  int available = 0;
  if (ioctl(socket, FIONREAD, &available) == 0 && available < kMuch) {
    std::this_thread::sleep_for(nap);
  }
}

Drained drain(PGconn* connection, std::uint64_t end) {
  Drained drained;
  const std::chrono::microseconds nap = nap_on(PQsocket(connection));
  Clock::time_point fed = Clock::now();
  bool asked = false;
  while (drained.lsn < end) {
    char* message = nullptr;
    int size = 0;
    while ((size = PQgetCopyData(connection, &message, 1)) > 0) {
      asked |= take(message, size, drained);
      PQfreemem(message);
    }
    if (size < 0) {
      fail(connection, "the stream ended");
    }
    if (asked || Clock::now() - fed > kFeedbackInterval) {
      send_feedback(connection, drained.lsn);
      fed = Clock::now();
      asked = false;
    }
    if (drained.lsn < end) {
      if (!tls_may_hold_more(connection)) {
        wait_for_much(PQsocket(connection), nap);
      }
      if (PQconsumeInput(connection) == 0) {
        fail(connection, "the connection was lost");
      }
    }
  }
  send_feedback(connection, drained.lsn);
  return drained;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 5) {
      throw std::runtime_error("usage: drain CONNINFO SLOT PUBLICATION END_LSN");
    }
    const std::uint64_t end = parse_lsn(argv[4]);
    const Clock::time_point began = Clock::now();
    const ConnectionPtr connection = start(argv[1], argv[2], argv[3]);
    const Drained drained = drain(connection.get(), end);
    const std::chrono::duration<double> took = Clock::now() - began;
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    fmt::print(
        R"({{"rows": {}, "transactions": {}, "bytes": {}, "seconds": {:.4f}, "user": {:.4f}, )"
        "\"system\": {:.4f}}}\n",
        drained.rows, drained.transactions, drained.bytes, took.count(), seconds(usage.ru_utime),
        seconds(usage.ru_stime));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "drain: {}\n", error.what());
    return 1;
  }
}
