#include "warehouse/redshift/check.h"

#include <fmt/format.h>

#include "base/error.h"
#include "warehouse/redshift/copy_statement.h"
#include "warehouse/redshift/session.h"
#include "warehouse/redshift/target_shape.h"
#include "warehouse/redshift/types.h"
#include "warehouse/service_tables.h"

namespace re_dms::redshift {

namespace {

using Status = CheckResult::Status;

/// Nothing where the server refuses to tell: a serverless workgroup has no STV tables.
std::string told(Session& session, const Sql& question) {
  try {
    const auto rows = session.query(question, Blame::Table);
    return rows.empty() ? "" : rows[0].at(0).value_or("");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    return {};
  }
}

/// What loads depend on and nobody here can change.
CheckResult look_at_cluster(Session& session) {
  CheckResult result{Status::Ok, "target: cluster", "", ""};
  const std::string slices = told(session, sql("SELECT count(*) FROM stv_slices"));
  const std::string isolation =
      told(session, sql("SELECT isolation_level FROM stv_db_isolation_level WHERE db_name = "
                        "current_database()"));
  const std::string timeout = told(session, sql("SELECT current_setting('statement_timeout')"));
  result.finding =
      fmt::format("{}, {}", slices.empty() ? "serverless" : slices + " slices",
                  isolation.empty() ? "an isolation level that it does not tell" : isolation);
  if (!timeout.empty() && timeout != "0") {
    result.status = Status::Warn;
    result.finding += fmt::format(", and ends statements after {} ms", timeout);
    result.fix =
        "A large load takes longer than usual: ALTER USER … SET statement_timeout TO 0 for the "
        "user of warehouse.url, or a limit of hours in the WLM queue";
  }
  return result;
}

}  // namespace

std::string check(const WarehouseSettings& settings) {
  try {
    Session session(session_settings(settings), {});
    const Row row = session
                        .query(sql("SELECT has_database_privilege(current_database(), 'temp'), "
                                   "has_database_privilege(current_database(), 'create')"))
                        .at(0);
    if (row.at(0) != "t") {
      return fmt::format("{} may not make temporary tables. GRANT TEMP ON DATABASE to it",
                         place(settings.url));
    }
    // The schemas of the tables, and its own.
    if (row.at(1) != "t" && !ServiceTables(session).exist()) {
      return fmt::format("{} may not make schemas. GRANT CREATE ON DATABASE to it",
                         place(settings.url));
    }
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

std::optional<Lsn> inspect(const WarehouseSettings& settings, const Origin& origin) {
  Session session(session_settings(settings), {});
  ServiceTables service(session);
  if (!service.exist()) {
    return std::nullopt;
  }
  service.check_belongs_to(origin);
  return service.position(0).loaded;
}

std::vector<CheckResult> check_copy(const WarehouseSettings& settings, const StagedLayer& probe) {
  Session session(session_settings(settings), {});
  std::vector<CheckResult> results{look_at_cluster(session)};
  CheckResult copied{Status::Ok, "target: COPY",
                     fmt::format("reads what is staged, as {}", settings.iam_role), ""};
  try {
    session.execute(sql("CREATE TEMP TABLE re_dms_check (c1 varchar(20))"), Blame::Table);
    copy_files(session, {settings.iam_role, settings.bucket_region, settings.null_text}, probe,
               sql("re_dms_check"), sql("c1"));
  } catch (const Error& error) {
    copied = {Status::Fail, copied.name, error.message(),
              error.advice().empty() ? "See the message; then run check again" : error.advice()};
  }
  results.push_back(std::move(copied));
  return results;
}

namespace {

/// For people.
std::string made_of(const ColumnType& type) {
  const ValueLimits limits = value_limits(type);
  std::string_view what;
  if (limits.check == ValueCheck::Json) {
    what = ": JSON as it is";
  } else if (limits.form && limits.form->kind == JsonForm::Kind::Array) {
    what = ": an array";
  } else if (limits.form && limits.form->kind == JsonForm::Kind::Object) {
    what = ": an object of its attributes";
  } else if (limits.form) {
    what = ": an object of texts";
  }
  return fmt::format("{}{}", target_type(type).text(), what);
}

}  // namespace

std::vector<CheckResult> check_types(const std::vector<TableSchema>& tables) {
  std::vector<CheckResult> results;
  for (const TableSchema& table : tables) {
    if (const auto reason = types_refusal(table)) {
      results.push_back({Status::Warn, "target: types",
                         fmt::format("{}: {}", to_string(table.name), *reason),
                         "Until types of [[table]] says something else, the table is set aside"});
      continue;
    }
    for (const Column& column : table.columns) {
      if (!column.type.target.empty()) {
        results.push_back({Status::Ok, "target: types",
                           fmt::format("{}: \"{}\" ({}) becomes {}", to_string(table.name),
                                       column.name, column.type.name, made_of(column.type)),
                           ""});
      }
    }
  }
  return results;
}

}  // namespace re_dms::redshift
