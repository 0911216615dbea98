#include "source/stream/replication_stream.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "observe/log.h"
#include "source/connection/receive_buffer.h"
#include "source/connection/sql_text.h"
#include "source/connection/sqlstate.h"
#include "source/connection/tls_input.h"
#include "source/stream/decoding_faults.h"

namespace re_dms {

namespace {

// PostgreSQL 15, protocol-replication, XLogData: 'w', start, end and clock of the server. Start and
// end are zero for some messages; positions come from Commit messages and keepalives.
constexpr std::size_t kDataHeaderBytes = 25;

constexpr std::string_view kReading = "reading changes";

std::string start_command(const SourceSettings& settings, Lsn from) {
  const std::string publications = quote_literal(quote_identifier(settings.publication));
  return fmt::format(
      "START_REPLICATION SLOT {} LOGICAL {} (proto_version '1', publication_names {}, messages "
      "'true')",
      quote_identifier(settings.slot), from, publications);
}

std::string_view field(const PGresult* result, int code) {
  const char* const text = result == nullptr ? nullptr : PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

/// Up to 17 the stream ends with error 42704 where the publication does not exist. PostgreSQL 18
/// (pgoutput.c, LoadPublications) warns with 55000, leaves the rows out and goes on, so that a
/// later acknowledgement would lose them.
void note_left_out(void* left_out, const PGresult* notice) {
  const std::string said(field(notice, PG_DIAG_MESSAGE_PRIMARY));
  if (field(notice, PG_DIAG_SQLSTATE) == "55000") {
    *static_cast<std::string*>(left_out) = said.empty() ? "a notice without text" : said;
  } else {
    log(LogLevel::Warn, "source_notice", said);
  }
}

}  // namespace

std::string_view pgoutput_payload(std::string_view copy_data) {
  if (copy_data.size() <= kDataHeaderBytes) {
    ByteReader(copy_data, "a data message of the stream").fail("is too short");
  }
  return copy_data.substr(kDataHeaderBytes);
}

Keepalive read_keepalive(std::string_view copy_data) {
  ByteReader reader(copy_data, "a keepalive message");
  reader.u8();
  Keepalive keepalive;
  keepalive.server_end = Lsn{reader.u64()};
  reader.u64();  // the server's clock
  keepalive.reply_requested = reader.u8() != 0;
  reader.expect_end();
  return keepalive;
}

ReplicationStream::ReplicationStream(Connection replication, const SourceSettings& settings,
                                     Lsn from)
    : connection_(std::move(replication)),
      publication_(fmt::format("publication {}", quote_identifier(settings.publication))) {
  PQsetNoticeReceiver(connection_.raw(), &note_left_out, left_out_.get());
  connection_.query(start_command(settings, from),
                    fmt::format("starting slot \"{}\" at {}", settings.slot, from));
  encrypted_ = is_encrypted(connection_.raw());
  read_tls_ahead(connection_.raw());
  bound_receive_buffer(socket());
}

bool ReplicationStream::over_unix_socket() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return getsockname(socket(), reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
         address.ss_family == AF_UNIX;
}

void ReplicationStream::read_socket() {
  // The read that finds the end may have brought messages before it.
  lost_ = PQconsumeInput(connection_.raw()) == 0 || lost_;
  read_while_sending_ = false;
  may_hold_input_ = !lost_ && re_dms::may_hold_input(connection_.raw());
}

bool ReplicationStream::more_to_read(std::size_t brought) const {
  // In the clear libpq reads at least 16 KiB at a time, of GSS encryption one record.
  constexpr std::size_t kHalfARead = 8U << 10;
  return may_hold_input_ || brought >= (encrypted_ ? 1 : kHalfARead);
}

std::optional<std::string_view> ReplicationStream::next() {
  char* bytes = nullptr;
  const int size = PQgetCopyData(connection_.raw(), &bytes, 1);
  if (size > 0) [[likely]] {
    message_.reset(bytes);
    if (!left_out_->empty()) [[unlikely]] {
      throw error_of_state("42704", fmt::format("{}: {} does not exist (the server: {})", kReading,
                                                publication_, *left_out_));
    }
    return std::string_view(bytes, static_cast<std::size_t>(size));
  }
  if (size < 0 || lost_) {
    throw_ended();
  }
  return std::nullopt;
}

void ReplicationStream::send(const std::string& message) {
  lost_ = lost_ ||
          PQputCopyData(connection_.raw(), message.data(), static_cast<int>(message.size())) < 0;
  flush();
}

bool ReplicationStream::flush() {
  const int left = lost_ ? 0 : PQflush(connection_.raw());
  lost_ = lost_ || left < 0;
  read_while_sending_ = read_while_sending_ || left > 0;
  return left <= 0;
}

void ReplicationStream::throw_ended() {
  ended_ = true;
  // The server's reason, if it gave one, stands behind the data that was not taken yet.
  char* bytes = nullptr;
  while (PQgetCopyData(connection_.raw(), &bytes, 1) > 0) {
    PQfreemem(bytes);
  }
  const QueryResult last(PQgetResult(connection_.raw()));
  const ExecStatusType status = PQresultStatus(last.raw());
  if (last.raw() != nullptr && (status == PGRES_COMMAND_OK || status == PGRES_COPY_IN)) {
    throw Error(ErrorKind::Transient, fmt::format("{}: the source is shutting down", kReading));
  }
  Error error = command_error(connection_.raw(), last.raw(), kReading);
  if (is_decoding_fault(field(last.raw(), PG_DIAG_SQLSTATE))) {
    // Names the change, where there is one.
    const std::string_view context = field(last.raw(), PG_DIAG_CONTEXT);
    throw DecodingFailed(context.empty()
                             ? error
                             : Error(error.kind(),
                                     readable(fmt::format("{} ({})", error.message(), context)),
                                     error.advice()));
  }
  throw error;
}

void ReplicationStream::finish(std::chrono::milliseconds patience) {
  const SteadyTime deadline = real_clock().steady() + patience;
  if (PQputCopyEnd(connection_.raw(), nullptr) < 0) {
    return;
  }
  // What still arrives is not ours to keep: it comes again at the next start.
  for (;;) {
    char* bytes = nullptr;
    int size = 0;
    while ((size = PQgetCopyData(connection_.raw(), &bytes, 1)) > 0) {
      PQfreemem(bytes);
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - real_clock().steady());
    if (size < 0 || left.count() <= 0) {
      return;
    }
    const bool unsent = PQflush(connection_.raw()) > 0;
    pollfd waiting{socket(), static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), 0};
    if (!re_dms::may_hold_input(connection_.raw()) &&
        poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
      return;
    }
    if (PQconsumeInput(connection_.raw()) == 0) {
      return;
    }
  }
}

}  // namespace re_dms
