#include "warehouse/redshift/copies_left.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <set>

#include "base/error.h"
#include "observe/log.h"
#include "warehouse/load_checks.h"
#include "warehouse/redshift/fence.h"
#include "warehouse/redshift/target_shape.h"
#include "warehouse/service_tables.h"

namespace re_dms::redshift {

namespace {

/// A DROP waits for whoever reads the copy, and every load waits for the DROP, which has the
/// fences.
constexpr std::chrono::seconds kDropPatience{5};

/// The tables of these names, folded, and whether they are this user's.
std::map<QualifiedName, bool> owned(Session& session, const std::vector<CopyLeft>& copies) {
  std::vector<Sql> names;
  for (const CopyLeft& left : copies) {
    names.push_back(session.text(folded(left.copy.name)));
  }
  std::map<QualifiedName, bool> found;
  for (const Row& row : session.query(sql("SELECT schemaname, tablename, tableowner = current_user "
                                          "FROM pg_tables WHERE tablename IN ({})",
                                          joined(names)),
                                      Blame::Table)) {
    found[{row.at(0).value_or(""), row.at(1).value_or("")}] = row.at(2) == "t";
  }
  return found;
}

void say_left(const QualifiedName& copy, const std::string& why) {
  log(LogLevel::Warn, "copy_left",
      fmt::format(
          "a copy that was given up cannot be dropped: {}. It takes room, and goes when its "
          "table is copied or re_dms starts; or drop it",
          why),
      {{"table", to_string(copy)}});
}

/// `there`: of the tables that the target has, whether they are this user's.
void drop(Session& session, std::uint64_t epoch, const CopyLeft& left,
          const std::map<QualifiedName, bool>& there) {
  begin_behind_fences(session);
  ServiceTables service(session);
  require_epoch(service.stored_position(), epoch);
  const bool found = there.contains(folded(left.copy));
  if (found && !session.execute_within(sql("DROP TABLE IF EXISTS {}", qualified(left.copy)),
                                       kDropPatience, Blame::Table)) {
    throw Error(ErrorKind::Table, fmt::format("somebody has used it for {} s, and svv_transactions "
                                              "shows a superuser who it is",
                                              kDropPatience.count()));
  }
  service.forget_copy(left.table);
  session.commit();
  if (found) {
    log(LogLevel::Info, "copy_dropped", "a copy that was given up is dropped",
        {{"table", to_string(left.copy)}});
  }
}

}  // namespace

QualifiedName copy_name(const QualifiedName& target, Oid oid) {
  return {target.schema, fmt::format("re_dms_copy_{}", oid)};
}

std::vector<CopyLeft> copies_left(const StoredTables& known, const std::string& schema) {
  std::vector<CopyLeft> left;
  for (const auto& [oid, table] : known) {
    if (table.copy_step > 0 && table.state != TableState::Copying) {
      const QualifiedName& name = table.schema.name;
      left.push_back({oid, table.copy.name.empty()
                               ? copy_name({schema.empty() ? name.schema : schema, name.name}, oid)
                               : table.copy});
    }
  }
  return left;
}

bool drop_copies_left(Session& session, std::uint64_t epoch, const std::vector<CopyLeft>& copies,
                      StoredTables& known) {
  if (copies.empty()) {
    return true;
  }
  const CopyLeft* at = copies.data();
  try {
    const std::map<QualifiedName, bool> there = owned(session, copies);
    for (const CopyLeft& left : copies) {
      at = &left;
      const auto found = there.find(folded(left.copy));
      if (found != there.end() && !found->second) {
        say_left(left.copy, "it belongs to another user of the cluster");
        continue;
      }
      try {
        drop(session, epoch, left, there);
        known.at(left.table).copy_step = 0;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::Table) {
          throw;
        }
        session.execute(sql("ROLLBACK"));
        say_left(left.copy, error.message());
      }
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::Fatal) {
      throw;
    }
    // What the call is for is committed.
    say_left(at->copy, error.message());
    return false;
  }
  return true;
}

}  // namespace re_dms::redshift
