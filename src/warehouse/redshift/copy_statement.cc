#include "warehouse/redshift/copy_statement.h"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "base/error.h"
#include "warehouse/redshift/staged_columns.h"

namespace re_dms::redshift {

namespace {

struct Reason {
  std::string_view code;
  std::string_view text;
};

/// Redshift database developer guide, "Load error reference".
constexpr Reason kReasons[] = {
    {"1204", "longer or larger than the target's column takes"},
    {"1205", "no date that the target can hold"},
    {"1206", "no timestamp that the target can hold"},
    {"1207", "no integer that the target can hold"},
    {"1208", "no floating-point number that the target can hold"},
    {"1209", "no decimal number that the target can hold"},
    {"1210", "no boolean"},
    {"1213", "NULL where the target's column takes none"},
    {"1216", "part of a row above the 4 MB that COPY takes"},
    {"1218", "with a NUL byte"},
    {"1219", "no hexadecimal digits"},
    {"1220", "with a character that the target refuses"},
    {"1222", "beyond the range of the target's integers"},
    {"1224", "no JSON that the target can hold"},
};

std::string_view reason_of(const std::string& code) {
  for (const Reason& reason : kReasons) {
    if (code == reason.code) {
      return reason.text;
    }
  }
  return "refused by COPY";
}

Sql in_files(Session& session, const StagedLayer& layer) {
  std::vector<Sql> paths;
  for (const StagedFile& file : layer.files) {
    paths.push_back(session.text(file.path));
  }
  return joined(paths);
}

/// Nothing where the server refuses to tell.
std::vector<Row> ask(Session& session, const Sql& select) {
  try {
    return session.query(select, Blame::Table);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Table) {
      throw;
    }
    return {};
  }
}

/// Column, code and number of errors. A serverless workgroup has another table for it than a
/// provisioned cluster.
std::vector<Row> errors_in(Session& session, const StagedLayer& layer) {
  const Sql files = in_files(session, layer);
  auto rows =
      ask(session, sql("SELECT trim(colname), err_code, count(*) FROM stl_load_errors WHERE "
                       "trim(filename) IN ({}) GROUP BY 1, 2 ORDER BY 1, 2",
                       files));
  if (rows.empty()) {
    rows = ask(session, sql("SELECT trim(column_name), error_code, count(*) FROM "
                            "sys_load_error_detail WHERE trim(file_name) IN ({}) GROUP BY 1, 2 "
                            "ORDER BY 1, 2",
                            files));
  }
  return rows;
}

}  // namespace

void copy_files(Session& session, const CopySettings& settings, const StagedLayer& layer,
                const Sql& into, const Sql& columns) {
  const Sql role = settings.iam_role == "default" ? sql("default") : literal(settings.iam_role);
  const Sql region = settings.region.empty() ? Sql() : sql(" REGION {}", literal(settings.region));
  // COPY reads the texts of its options as they are.
  session.execute(
      sql("COPY {} ({}) FROM {} IAM_ROLE {} MANIFEST CSV GZIP{} NULL AS {} TIMEFORMAT "
          "'auto' COMPUPDATE OFF STATUPDATE OFF",
          into, columns, literal(layer.manifest_path), role, region, literal(settings.null_text)),
      Blame::Table);
  const auto rows = session.query(sql("SELECT pg_last_copy_count()"));
  const std::string wanted = std::to_string(layer.counts.rows());
  if (rows.size() != 1 || rows[0].at(0) != wanted) {
    throw Error(ErrorKind::Table,
                fmt::format("COPY loaded {} rows where {} were staged",
                            rows.empty() ? "no" : rows[0].at(0).value_or("no"), wanted));
  }
}

std::optional<std::string> load_errors(Session& session, const StagedLayer& layer) {
  std::string text;
  for (const Row& row : errors_in(session, layer)) {
    const std::string code = row.at(1).value_or("");
    text += fmt::format("{}column {} holds a value that is {} (COPY's error {})",
                        text.empty() ? "" : "; ", source_column(layer, row.at(0).value_or("")),
                        reason_of(code), code);
  }
  return text.empty() ? std::nullopt : std::optional(text);
}

}  // namespace re_dms::redshift
