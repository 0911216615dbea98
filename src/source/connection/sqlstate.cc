#include "source/connection/sqlstate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>

#include "base/utf8.h"
#include "observe/advice.h"

namespace re_dms {

namespace {

// PostgreSQL 15, appendix A. Transient: the same step may succeed later without anybody changing a
// setting or a right.
constexpr SqlStateRule kRules[] = {
    {"08", ErrorKind::Transient, ""},
    {"0A000", ErrorKind::Fatal,
     "The server does not support what re_dms needs: PostgreSQL 14 or newer is required, directly "
     "and not through a connection pooler"},
    {"22", ErrorKind::Fatal, ""},
    {"22P05", ErrorKind::Fatal,
     "A value cannot be written in UTF-8: the database's encoding does not cover it"},
    {"25006", ErrorKind::Fatal, "Point source.url at the primary, not at a standby"},
    {"28", ErrorKind::Fatal,
     "Check user, password and sslmode in source.url (or source.password_command) and the server's "
     "pg_hba.conf"},
    {"28P01", ErrorKind::Fatal,
     "The password is wrong: check source.url, source.password_command or the password file"},
    {"3D000", ErrorKind::Fatal, "Name an existing database in source.url"},
    {"40", ErrorKind::Transient, ""},
    {"42", ErrorKind::Fatal, ""},
    {"42501", ErrorKind::Fatal,
     "The role in source.url needs the right that is missing; `re_dms check` lists them"},
    {"42704", ErrorKind::Fatal,
     "A slot or publication that re_dms created is gone, or the publication was recreated after "
     "changes that have not been read yet. The changes since then cannot be recovered"},
    {"42710", ErrorKind::Fatal,
     "Somebody else has created an object of the same name in the meantime"},
    // A table that went away between two of our queries; the next try sees it gone.
    {"42P01", ErrorKind::Transient, ""},
    {"53", ErrorKind::Transient, ""},
    {"53300", ErrorKind::Transient,
     "The server has no free connection: raise max_connections or max_wal_senders"},
    {"53400", ErrorKind::Transient,
     "If replication slots ran out: raise max_replication_slots, or drop one that nobody reads"},
    {"55000", ErrorKind::Fatal,
     "If the slot was invalidated (max_slot_wal_keep_size), the changes since then cannot be "
     "recovered"},
    {"55006", ErrorKind::Transient,
     "Another program reads this slot; the message names its process. Stop it there, or end it "
     "with SELECT pg_terminate_backend(PID)"},
    {"55P03", ErrorKind::Transient,
     "Somebody holds a lock for longer than source.lock_timeout; nothing waits behind re_dms"},
    {"57014", ErrorKind::Transient, ""},
    {"57P", ErrorKind::Transient, ""},
    {"57P04", ErrorKind::Fatal, "The source database was dropped"},
    {"58", ErrorKind::Transient, ""},
    {"58P01", ErrorKind::Fatal, "WAL that the slot needs is gone from the server"},
    {"XX001", ErrorKind::Fatal, "The source reports damaged data: look at its server log"},
    {"XX002", ErrorKind::Fatal, "The source reports damaged data: look at its server log"},
};

constexpr SqlStateRule kUnknown{"", ErrorKind::Transient, ""};

/// SQLSTATEs after which replication cannot go on from where it stands.
constexpr std::string_view kNoWayOn[] = {"42704", "55000", "58P01"};

constexpr std::string_view kNobodyAnswers =
    "Nobody answers there: check host and port in source.url, and that PostgreSQL runs and listens "
    "there (listen_addresses)";

/// Texts of libpq itself, which carry no SQLSTATE.
constexpr SqlStateRule kClientTexts[] = {
    {"Connection refused", ErrorKind::Transient, kNobodyAnswers},
    {"could not translate host name", ErrorKind::Transient,
     "The host in source.url cannot be resolved: check its spelling and the name server"},
    {"No such file or directory", ErrorKind::Transient, kNobodyAnswers},
    {"No route to host", ErrorKind::Transient, kNobodyAnswers},
    {"Network is unreachable", ErrorKind::Transient, kNobodyAnswers},
    {"no password supplied", ErrorKind::Fatal,
     "The server asks for a password: put it into source.url as ${file:…} or ${NAME}, set "
     "source.password_command, or use a password file"},
    {"server does not support SSL", ErrorKind::Fatal,
     "Without TLS, passwords and rows can be read in transit; if that is acceptable, put "
     "sslmode=disable or prefer into source.url"},
    {"root certificate file", ErrorKind::Fatal,
     "sslmode=verify-full needs the authority's certificate: add sslrootcert=FILE to source.url "
     "(managed services offer it for download)"},
    {"certificate verify failed", ErrorKind::Fatal,
     "The server's certificate is not signed by the authority in sslrootcert: use the right file"},
    {"server certificate for", ErrorKind::Fatal,
     "In source.url, use the host name that the server's certificate was issued for"},
};

std::string field(const PGresult* result, int code) {
  const char* text = result != nullptr ? PQresultErrorField(result, code) : nullptr;
  return text != nullptr ? text : "";
}

/// The first line of a libpq text, without the trailing newline.
std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isdigit(c) != 0 || (c >= 'A' && c <= 'Z');
         });
}

}  // namespace

const SqlStateRule& sqlstate_rule(std::string_view sqlstate) {
  const SqlStateRule* best = &kUnknown;
  for (const SqlStateRule& rule : kRules) {
    if (sqlstate.starts_with(rule.code) && rule.code.size() > best->code.size()) {
      best = &rule;
    }
  }
  return *best;
}

std::optional<std::string> sqlstate_in(std::string_view libpq_text) {
  for (std::size_t at = libpq_text.find(":  "); at != std::string_view::npos;
       at = libpq_text.find(":  ", at + 1)) {
    const std::string_view code = libpq_text.substr(at + 3, 5);
    if (is_sqlstate(code) && libpq_text.substr(at + 8).starts_with(": ")) {
      return std::string(code);
    }
  }
  return std::nullopt;
}

Error error_of_state(std::string_view sqlstate, std::string message) {
  const SqlStateRule& rule = sqlstate_rule(sqlstate);
  std::string advice(rule.advice);
  if (std::ranges::find(kNoWayOn, sqlstate) != std::end(kNoWayOn)) {
    advice = begin_anew(advice + ". ");
  }
  return {rule.kind, std::move(message), std::move(advice)};
}

Error command_error(const PGconn* connection, const PGresult* result, std::string_view doing) {
  const std::string sqlstate = field(result, PG_DIAG_SQLSTATE);
  std::string message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) {
    message = first_line(PQerrorMessage(connection));
  }
  if (message.empty()) {
    message = "the connection to the source was lost";
  }
  if (const std::string detail = field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    message += " (" + detail + ")";
  }
  if (!sqlstate.empty()) {
    message += fmt::format(" [{}]", sqlstate);
  }
  return error_of_state(sqlstate, readable(fmt::format("{}: {}", doing, message)));
}

Error connect_error(std::string_view libpq_text, std::string_view doing) {
  const std::optional<std::string> sqlstate = sqlstate_in(libpq_text);
  SqlStateRule rule = sqlstate ? sqlstate_rule(*sqlstate) : kUnknown;
  for (const SqlStateRule& text : kClientTexts) {
    if (!sqlstate && libpq_text.find(text.code) != std::string_view::npos) {
      rule = text;
    }
  }
  if (sqlstate == "42501" || libpq_text.find("walsender") != std::string_view::npos) {
    rule.advice =
        "The role needs the replication right: ALTER ROLE … REPLICATION (Amazon RDS: GRANT "
        "rds_replication TO …)";
  }
  return {rule.kind, readable(fmt::format("{}: {}", doing, first_line(libpq_text))),
          std::string(rule.advice)};
}

}  // namespace re_dms
