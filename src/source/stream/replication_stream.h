// A replication connection in COPY mode: messages out of it, feedback into it, never blocking.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "model/lsn.h"
#include "source/connection/connection.h"

namespace re_dms {

/// What the server says between changes (PostgreSQL 15, protocol-replication, Primary keepalive).
struct Keepalive {
  Lsn server_end;  ///< everything below was decoded and, where published, sent before this message
  bool reply_requested = false;
};

/// Belongs to the receiving thread.
class ReplicationStream {
 public:
  /// Starts the slot at `from` on a replication connection. Throws Transient naming the process
  /// when somebody else reads the slot, Fatal when the slot cannot be used.
  ReplicationStream(Connection replication, const SourceSettings& settings, Lsn from);

  /// Takes some of what the socket holds, without waiting. Does not throw: next() does.
  void read_socket();

  /// Whether to call read_socket() again before anybody waits. `brought`: the bytes of the messages
  /// that the last call completed. True where input may lie that poll does not see, and where so
  /// much came that there is surely more.
  bool more_to_read(std::size_t brought) const;

  /// The next CopyData message, valid until the next call; empty when none is complete. Throws
  /// Fatal where the server said that it leaves out changes from here on, and after the last
  /// message the reason why the connection ended.
  std::optional<std::string_view> next();

  /// The connection is gone. Messages that came before may be left; next() gives them out first.
  bool lost() const { return lost_; }

  /// Throws the reason why the connection ended, and drops the messages that are left.
  [[noreturn]] void throw_ended();

  /// The end of the connection was thrown, by next() or throw_ended().
  bool ended() const { return ended_; }

  /// Queues a message and sends what the socket takes. Never throws: it may find the connection
  /// lost.
  void send(const std::string& message);

  /// Sends more of what is queued; false while something is left. Never throws, as send().
  bool flush();

  /// Since the last read_socket() the server took no more: libpq reads while it cannot write, so
  /// that messages may lie where poll does not see them.
  bool read_while_sending() const { return read_while_sending_; }

  int socket() const { return PQsocket(connection_.raw()); }

  bool over_unix_socket() const;

  /// Ends COPY mode as the protocol wants it, waiting for the server for `patience` at most.
  void finish(std::chrono::milliseconds patience);

 private:
  Connection connection_;
  std::string publication_;
  bool encrypted_ = false;
  bool may_hold_input_ = false;
  bool lost_ = false;
  bool read_while_sending_ = false;
  bool ended_ = false;
  // What the server said when it left changes out. On the heap: libpq keeps its address.
  std::unique_ptr<std::string> left_out_ = std::make_unique<std::string>();
  std::unique_ptr<char, decltype(&PQfreemem)> message_{nullptr, &PQfreemem};
};

/// The payload of an XLogData message: what pgoutput wrote.
std::string_view pgoutput_payload(std::string_view copy_data);

/// Throws Fatal unless it is a whole keepalive.
Keepalive read_keepalive(std::string_view copy_data);

}  // namespace re_dms
