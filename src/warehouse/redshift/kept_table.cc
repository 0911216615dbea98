#include "warehouse/redshift/kept_table.h"

#include <fmt/format.h>

#include <vector>

#include "base/error.h"
#include "warehouse/redshift/target_shape.h"
#include "warehouse/redshift/types.h"

namespace re_dms::redshift {

namespace {

/// Throws unless the table fits; gives the columns that are to be added.
std::vector<Column> fitted(Session& session, const StoredTable& table, bool known) {
  if (session.named(table.target) == Named::Other) {
    throw name_taken(table.target);
  }
  const TargetCatalog catalog(session, {table.target});
  std::vector<std::string> misfits = catalog.misfits(table);
  const std::vector<Column> missing = catalog.missing(table);
  if (!known) {
    for (const Column& column : missing) {
      misfits.push_back(fmt::format("column \"{}\" ({}) is missing", column.name,
                                    target_type(column.type).text()));
    }
  }
  if (!misfits.empty()) {
    throw Error(ErrorKind::Table,
                fmt::format("the table {} of the target does not fit: {}. Change it there, or drop "
                            "it so that re_dms makes it, and then run `re_dms resync`",
                            to_string(table.target), fmt::join(misfits, "; ")));
  }
  return missing;
}

}  // namespace

void require_fit(Session& session, const StoredTable& table, bool known) {
  fitted(session, table, known);
}

void refill(Session& session, const QualifiedName& copy, const StoredTable& table, bool known) {
  const Sql target = qualified(table.target);
  if (!table.is_kept()) {
    for (const std::string& column : TargetCatalog(session, {table.target}).surplus(table)) {
      session.execute(sql("ALTER TABLE {} DROP COLUMN {}", target, identifier(column)),
                      Blame::Table);
    }
  }
  for (const Column& column : fitted(session, table, known)) {
    session.execute(sql("ALTER TABLE {} ADD COLUMN {} {}", target, identifier(column.name),
                        target_type(column.type)),
                    Blame::Table);
  }
  const Sql columns = joined(column_list(table.schema));
  if (!table.may_lack_rows()) {
    session.execute(sql("DELETE FROM {}", target), Blame::Table);
    session.execute(
        sql("INSERT INTO {} ({}) SELECT {} FROM {}", target, columns, columns, qualified(copy)),
        Blame::Table);
  }
  session.execute(sql("DROP TABLE {}", qualified(copy)), Blame::Table);
}

}  // namespace re_dms::redshift
