#include "warehouse/redshift/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace re_dms::redshift {

namespace {

struct Rule {
  std::string_view sign;  ///< the beginning of a SQLSTATE, or a part of the text
  std::string_view advice;
  /// It is the cluster's, or the bucket's, whichever table is loaded.
  bool of_all = false;
};

constexpr std::string_view kFull = "The cluster's disks are full: make room, or resize it";

/// SQLSTATEs that pass; the first that fits.
constexpr Rule kStates[] = {
    {"08", ""},
    {"57P", "The cluster restarts, is paused or is being patched: re_dms waits for it", true},
    {"57014",
     "The cluster ended the statement: look at statement_timeout and the WLM rules of "
     "the loader's queue"},
    {"40001", ""},
    {"40P01", ""},
    {"53100", kFull},
    {"53200", "The statement needs more memory than the loader's queue gives it"},
    {"53", "The cluster is short of connections or room", true},
    {"55", ""},
    {"25006", "The cluster takes no writes now", true},
    {"28", "The password may have expired: re_dms asks for it again when it connects", true},
};

constexpr std::string_view kOthersWrite =
    "Something else writes to the tables that re_dms loads: let it load alone";

constexpr std::string_view kRoleMayNot =
    "COPY may not read the bucket: warehouse.iam_role needs s3:GetObject and s3:ListBucket for "
    "stage.url, and the cluster must be allowed to assume it";

constexpr std::string_view kFileGone =
    "A staged file is gone from the bucket: somebody, or a lifecycle rule, removed it. The next "
    "start makes it again from the journal";

/// Parts of texts that pass; a text has its message and its detail in lines of their own.
constexpr Rule kTexts[] = {
    {"\n1023\n", kOthersWrite},
    {"code: 1023", kOthersWrite},
    {"code: 1018", ""},
    {"code: 1020", ""},
    {"Serializable isolation violation", kOthersWrite},
    {"conflict with concurrent transaction", ""},
    {"could not open relation with OID", ""},
    {"deadlock detected", ""},
    {"system requested abort", ""},
    {"resize mode", "The cluster is being resized: re_dms waits", true},
    {"isk Full", kFull},
    {"isk full", kFull},
    {"NoSuchKey", kFileGone},
    {"S3ServiceException", kRoleMayNot, true},
    {"UnauthorizedException", kRoleMayNot, true},
    {"not authorized to assume IAM Role", kRoleMayNot, true},
    {"not authorized to get credentials of role", kRoleMayNot, true},
    {"S3CurlException", "The cluster does not reach the bucket: look at its network", true},
    {"S3 prefix", kRoleMayNot, true},
    {"manifest", kRoleMayNot, true},
    {"canceled on user's request", ""},
};

std::string field(const PGresult* result, int code) {
  const char* const text = result == nullptr ? nullptr : PQresultErrorField(result, code);
  return text == nullptr ? "" : text;
}

std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

/// What kind of statement it is, and of which table: never a value, and not which of the staged
/// tables, whose numbers differ from try to try.
std::string first_words(std::string_view statement) {
  constexpr std::string_view kStaged = "re_dms_staged_";
  std::string words;
  for (int count = 0; count < 3 && !statement.empty(); ++count) {
    const std::string_view word = statement.substr(0, statement.find(' '));
    statement.remove_prefix(std::min(word.size() + 1, statement.size()));
    words += words.empty() ? "" : " ";
    words += word.starts_with(kStaged) ? kStaged.substr(0, kStaged.size() - 1) : word;
  }
  return words;
}

/// The texts of errors about values and names may quote these, so they are not searched.
const Rule* passing(const std::string& state, const std::string& text) {
  for (const Rule& rule : kTexts) {
    if (!state.starts_with("22") && !state.starts_with("42") &&
        text.find(rule.sign) != std::string::npos) {
      return &rule;
    }
  }
  for (const Rule& rule : kStates) {
    if (state.starts_with(rule.sign)) {
      return &rule;
    }
  }
  return nullptr;
}

bool is_load_failure(const std::string& text) {
  return text.starts_with("Load into table") && text.find("failed") != std::string::npos;
}

}  // namespace

Error connect_error(PGconn* connection, std::string_view doing) {
  const std::string text = first_line(PQerrorMessage(connection));
  if (text.find("authentication method 13") != std::string::npos) {
    return {
        ErrorKind::Fatal,
        fmt::format("{}: the user's password is kept in a form that libpq does not know", doing),
        "Give the user an MD5 password: ALTER USER … PASSWORD 'md5…'"};
  }
  if (text.find("authentication failed") != std::string::npos ||
      text.find("no password supplied") != std::string::npos) {
    return {ErrorKind::Fatal, fmt::format("{}: {}", doing, text),
            "Check the user in warehouse.url and its password there"};
  }
  if (text.find("does not match host name") != std::string::npos) {
    return {ErrorKind::Fatal, fmt::format("{}: {}", doing, text),
            "Name the host in warehouse.url as its certificate does"};
  }
  if (text.find("certificate") != std::string::npos) {
    return {ErrorKind::Fatal, fmt::format("{}: {}", doing, text),
            "Add sslrootcert=FILE with the authority's certificate to warehouse.url"};
  }
  if (text.find("database") != std::string::npos &&
      text.find("does not exist") != std::string::npos) {
    return {ErrorKind::Fatal, fmt::format("{}: {}", doing, text),
            "Create the database, or name another one in warehouse.url"};
  }
  if (text.find("expired") != std::string::npos) {
    return {ErrorKind::Transient, fmt::format("{}: {}", doing, text),
            "re_dms asks warehouse.password_command again at each try"};
  }
  return {ErrorKind::Transient, fmt::format("{}: {}", doing, text),
          "Check host and port in warehouse.url, the cluster's security group and that it is not "
          "paused"};
}

void throw_statement_error(PGconn* connection, const PGresult* result, Blame blame,
                           std::string_view statement) {
  const std::string state = field(result, PG_DIAG_SQLSTATE);
  std::string text = field(result, PG_DIAG_MESSAGE_PRIMARY);
  const std::string detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  if (PQstatus(connection) == CONNECTION_BAD || state.empty()) {
    throw StatementFailed(fmt::format("the connection to Redshift was lost: {}",
                                      first_line(PQerrorMessage(connection))),
                          {}, first_words(statement), false);
  }
  if (is_load_failure(text)) {
    throw CopyRefused({blame == Blame::Table ? ErrorKind::Table : ErrorKind::Fatal, text});
  }
  if (const Rule* const rule = passing(state, "\n" + text + "\n" + detail + "\n")) {
    const std::string words = first_words(statement);
    const std::string said =
        fmt::format("Redshift: {}{} ({}), at {}", text,
                    detail.empty() ? "" : ": " + first_line(detail), state, words);
    if (!rule->of_all) {
      throw StatementFailed(said, std::string(rule->advice), words);
    }
    throw Error(ErrorKind::Transient, said, std::string(rule->advice));
  }
  if (state == "42P01" && blame == Blame::Target) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("the warehouse no longer holds a table of re_dms's own: {}", text),
        "It was replaced or emptied while re_dms ran. Put it back, or restart re_dms to begin "
        "with what is there");
  }
  const std::string refused = fmt::format("Redshift refused a statement: {} ({})", text, state);
  if (state == "XX000") {
    // A cluster's own trouble, of a kind that is not known here: no reason to end, nor for tables
    // to wait for a person.
    throw StatementFailed(refused, {}, first_words(statement));
  }
  throw Error(blame == Blame::Table ? ErrorKind::Table : ErrorKind::Fatal, refused);
}

}  // namespace re_dms::redshift
