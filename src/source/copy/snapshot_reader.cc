#include "source/copy/snapshot_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>

#include "base/failpoint.h"
#include "base/retry.h"
#include "source/catalog/catalog.h"
#include "source/catalog/published_part.h"
#include "source/connection/identity.h"
#include "source/connection/sql_text.h"
#include "source/connection/sqlstate.h"
#include "source/connection/tls_input.h"

namespace re_dms {

namespace {

constexpr int kLookAtStopMs = 100;

std::string column_list(const TableSchema& table) {
  std::vector<std::string> names;
  names.reserve(table.columns.size());
  for (const Column& column : table.columns) {
    names.push_back(quote_identifier(column.name));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

/// `filter`: as row_filter gives it.
std::string condition(const PageRange& pages, const std::string& filter) {
  std::vector<std::string> terms;
  if (pages.first > 0) {
    terms.push_back(fmt::format("ctid >= '({},0)'", pages.first));
  }
  if (pages.end) {
    terms.push_back(fmt::format("ctid < '({},0)'", *pages.end));
  }
  if (!filter.empty()) {
    terms.push_back(fmt::format("({})", filter));
  }
  return terms.empty() ? "" : fmt::format(" WHERE {}", fmt::join(terms, " AND "));
}

TableMarks read_marks(Connection& connection, const std::vector<Oid>& oids) {
  const QueryResult result = connection.query(
      fmt::format("SELECT c.oid, concat_ws(' ', c.relfilenode, quote_ident(n.nspname), "
                  "quote_ident(c.relname), (SELECT string_agg(concat_ws(' ', a.attnum, "
                  "quote_ident(a.attname), a.atttypid, a.atttypmod), ',' ORDER BY a.attnum) FROM "
                  "pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT "
                  "a.attisdropped)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                  "WHERE c.oid = ANY ({})",
                  oid_array(oids)),
      "looking at tables that are copied");
  TableMarks marks;
  for (int row = 0; row < result.rows(); ++row) {
    marks[result.oid(row, 0)] = result.text(row, 1);
  }
  return marks;
}

}  // namespace

std::vector<TableSize> table_sizes(Connection& connection, const std::vector<Oid>& tables,
                                   std::chrono::milliseconds lock_timeout) {
  // The size itself takes a lock; what was counted last does, where that is held.
  constexpr std::string_view kNow = "coalesce(pg_relation_size(c.oid), 0)";
  constexpr std::string_view kCounted =
      "greatest(c.relpages, 0) * current_setting('block_size')::bigint";
  const auto ask = [&](std::string_view size) {
    return connection.query_unless(
        fmt::format("SELECT c.oid, n.nspname, c.relname, {}, "
                    "current_setting('block_size')::bigint, greatest(c.reltuples, 0)::bigint "
                    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                    "WHERE c.oid = ANY ({}) ORDER BY c.oid",
                    size, oid_array(tables)),
        "55P03", "asking for the sizes of tables");
  };
  connection.query(fmt::format("SET lock_timeout = {}", lock_timeout.count()),
                   "asking for the sizes of tables");
  std::optional<QueryResult> result = ask(kNow);
  result = result ? std::move(result) : ask(kCounted);
  std::vector<TableSize> sizes;
  for (int row = 0; result && row < result->rows(); ++row) {
    TableSize& size = sizes.emplace_back();
    size.oid = result->oid(row, 0);
    size.name = {std::string(result->text(row, 1)), std::string(result->text(row, 2))};
    size.bytes = static_cast<std::uint64_t>(result->number(row, 3));
    size.pages = size.bytes / static_cast<std::uint64_t>(result->number(row, 4));
    size.rows = static_cast<std::uint64_t>(result->number(row, 5));
  }
  return sizes;
}

SnapshotReader::SnapshotReader(const SourceSettings& settings, const Origin& origin,
                               const ExportedSnapshot& snapshot, const std::stop_token& stop)
    : settings_(settings),
      snapshot_(settings, ConnectionPurpose::Sql, stop),
      now_(settings, ConnectionPurpose::Sql, stop),
      stop_(stop) {
  require_same_cluster(origin, snapshot_);
  require_same_cluster(origin, now_);
  snapshot_.stop_with(stop);
  now_.stop_with(stop);
  snapshot_.query(fmt::format("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
                              "SET TRANSACTION SNAPSHOT {};"
                              "SET lock_timeout = {}",
                              quote_literal(snapshot.name()), settings.lock_timeout.count()),
                  "importing a snapshot");
}

std::vector<CatalogTable> SnapshotReader::tables(const std::vector<Oid>& oids) {
  return read_tables(snapshot_, settings_.publication, oids);
}

TableMarks SnapshotReader::marks(const std::vector<Oid>& oids) {
  return read_marks(snapshot_, oids);
}

/// A table that was rewritten or truncated since the snapshot looks empty in it, without any error
/// (PostgreSQL 15, mvcc-caveats).
void SnapshotReader::require_unchanged(const TableSchema& table, const std::string& mark) {
  if (read_marks(now_, {table.oid})[table.oid] != mark) {
    throw ChangedSince(
        ErrorKind::Transient,
        fmt::format("{} was altered, rewritten or truncated while it was to be copied",
                    to_string(table.name)));
  }
}

void SnapshotReader::begin_rows(const TableSchema& table, const std::string& mark,
                                const PageRange& pages) {
  doing_ = fmt::format("copying {}", to_string(table.name));
  failpoint("copy-lock-before");
  // The savepoint ends the lock with the rows: a migration waits no longer than that. Not LOCK,
  // which requires the right to read every column, those too that are not published.
  reading_ = true;
  try {
    if (!snapshot_.query_unless(
            fmt::format("SAVEPOINT rows; SELECT FROM ONLY {} LIMIT 0", quote_name(table.name)),
            "42P01", doing_)) {
      throw ChangedSince(ErrorKind::Transient,
                         fmt::format("{} was renamed or dropped while it was to be copied",
                                     to_string(table.name)));
    }
    require_unchanged(table, mark);
    // Under the lock: the filter names columns as they are called now.
    const std::string filter = row_filter(snapshot_, settings_.publication, table.oid);
    snapshot_.query(fmt::format("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT", column_list(table),
                                quote_name(table.name), condition(pages, filter)),
                    doing_);
  } catch (const Error&) {
    give_up_rows();
    throw;
  }
}

std::optional<std::string_view> SnapshotReader::next_row() {
  PGconn* const connection = snapshot_.raw();
  for (;;) {
    char* line = nullptr;
    const int size = PQgetCopyData(connection, &line, 1);
    if (size > 0) [[likely]] {
      line_.reset(line);
      return std::string_view(line, static_cast<std::size_t>(size));
    }
    if (size < 0) {
      const QueryResult end(PQgetResult(connection));
      if (size == -2 || PQresultStatus(end.raw()) != PGRES_COMMAND_OK) {
        const Error error = command_error(connection, end.raw(), doing_);
        give_up_rows();
        throw Error(error);
      }
      while (PGresult* more = PQgetResult(connection)) {
        PQclear(more);
      }
      end_rows();
      return std::nullopt;
    }
    if (stop_.stop_requested()) {
      throw Stopped();
    }
    if (!may_hold_input(connection)) {
      pollfd waiting{PQsocket(connection), POLLIN, 0};
      poll(&waiting, 1, kLookAtStopMs);
    }
    if (PQconsumeInput(connection) == 0) {
      throw command_error(connection, nullptr, doing_);
    }
  }
}

void SnapshotReader::give_up_rows() {
  if (!reading_ || snapshot_.raw() == nullptr) {
    return;
  }
  try {
    snapshot_.cancel();
    end_rows();
  } catch (const Error&) {
    // What came before is told.
    reading_ = false;
  }
}

bool SnapshotReader::alive() const {
  return snapshot_.raw() != nullptr && PQstatus(snapshot_.raw()) == CONNECTION_OK &&
         PQtransactionStatus(snapshot_.raw()) == PQTRANS_INTRANS && now_.raw() != nullptr &&
         PQstatus(now_.raw()) == CONNECTION_OK;
}

void SnapshotReader::end_rows() {
  snapshot_.query("ROLLBACK TO SAVEPOINT rows; RELEASE SAVEPOINT rows", doing_);
  reading_ = false;
}

}  // namespace re_dms
