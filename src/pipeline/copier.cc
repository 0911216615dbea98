#include "pipeline/copier.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/retry.h"
#include "observe/log.h"
#include "source/catalog/catalog.h"
#include "source/connection/identity.h"
#include "source/setup/publication.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kLookForTarget(200);

}  // namespace

/// New tables and partitions that the configuration asks for.
void Copier::publish(const std::stop_token& stop) try {
  Connection plain(wiring_.source, ConnectionPurpose::Sql, stop);
  plain.stop_with(stop);
  require_same_cluster(wiring_.origin, plain);
  take_choice(plain);
  Published published;
  if (source_.auto_setup) {
    published = publish_missing(plain, wiring_.source);
  }
  std::map<QualifiedName, std::string> reasons;
  for (const LeftOut& table : published.failed) {
    reasons[table.table] = table.reason;
    log(LogLevel::Warn, "table_not_published", table.reason, {{"table", to_string(table.table)}});
  }
  if (!looked_at_all_) {
    // Others may have published some, or a run that ended before it met them.
    published.added = selected_tables(require_publication(plain, source_.publication),
                                      TableSelection(source_.include, source_.exclude));
    looked_at_all_ = true;
  }
  wiring_.state.tables.published(published.added, std::move(reasons));
  wiring_.state.look_soon = true;
  log(LogLevel::Debug, "publication_seen",
      "tables that are published and were not met before are waited for",
      {{"tables", published.added.size()}});

} catch (const Error&) {
  wiring_.state.tables.look_at_publication();
  throw;
}

/// The configuration was read again. What it no longer asks for leaves the publication before the
/// stream refuses that, and what it asks for newly comes in after the stream knows.
void Copier::take_choice(Connection& plain) {
  std::uint64_t number = choice_;
  const auto choice = wiring_.state.choice_after(number);
  if (choice) {
    static_cast<TableChoice&>(source_) = *choice;
    if (source_.auto_setup) {
      const std::vector<QualifiedName> unselected =
          unselected_tables(require_publication(plain, source_.publication),
                            TableSelection(source_.include, source_.exclude));
      for (const LeftOut& table : unpublish(plain, source_, unselected)) {
        log(LogLevel::Error, "table_still_published", table.reason,
            {{"table", to_string(table.table)}});
      }
    }
    wiring_.state.choose_for_stream(*choice);
    leave_unselected();
    choice_ = number;
  }
  if (choice || !brought_back_) {
    bring_back(plain);
    brought_back_ = true;
  }
}

/// Tables that were left out and are asked for again.
void Copier::bring_back(Connection& plain) {
  std::vector<Oid> removed;
  for (const TableRecord& table : wiring_.state.tables.all()) {
    if (table.state == TableState::Removed) {
      removed.push_back(table.oid);
    }
  }
  if (removed.empty()) {
    return;
  }
  const TableSelection selection(source_.include, source_.exclude);
  for (const CatalogTable& table : read_tables(plain, source_.publication, removed)) {
    // One that was dropped has no columns.
    if (!table.schema.columns.empty() && selection.matches(table.schema.name)) {
      wiring_.state.tables.wish(table.schema.oid, Wish::Copy);
    }
  }
}

namespace {

SetAside left_out(Oid oid, const QualifiedName& name) {
  return {oid,
          name,
          "source.include and source.exclude leave it out; the target's table stays as it was",
          {},
          Remedy::Nothing};
}

}  // namespace

/// They stay in the target as they are.
void Copier::leave(std::vector<SetAside> tables) {
  for (const SetAside& table : tables) {
    wiring_.state.tables.leave(table);
  }
  if (!tables.empty()) {
    wiring_.room.seal({}, std::move(tables));
  }
}

void Copier::leave_unselected() {
  const TableSelection selection(source_.include, source_.exclude);
  std::vector<SetAside> left;
  for (const TableRecord& table : wiring_.state.tables.all()) {
    if (table.state != TableState::Removed && !selection.matches(table.name)) {
      left.push_back(left_out(table.oid, table.name));
    }
  }
  leave(std::move(left));
}

/// Of tables whose copy is due, those that are not asked for any more.
void Copier::leave_unselected(std::vector<TableSize>& found) {
  const TableSelection selection(source_.include, source_.exclude);
  std::vector<SetAside> left;
  std::erase_if(found, [&](const TableSize& table) {
    if (!selection.matches(table.name)) {
      left.push_back(left_out(table.oid, table.name));
    }
    return !selection.matches(table.name);
  });
  leave(std::move(left));
}

void Copier::leave_missing(const std::vector<TableRecord>& due,
                           const std::vector<TableSize>& found) {
  std::vector<SetAside> gone;
  for (const TableRecord& table : due) {
    if (!std::ranges::binary_search(found, table.oid, {}, &TableSize::oid)) {
      gone.push_back({table.oid, table.name, "it was dropped in the source", {}, Remedy::Nothing});
    }
  }
  leave(std::move(gone));
}

/// The smallest first, as many as go under one snapshot; those that are not published wait.
std::vector<CopyCandidate> Copier::choose(const std::vector<TableRecord>& due,
                                          const std::stop_token& stop) {
  std::vector<Oid> oids;
  for (const TableRecord& table : due) {
    oids.push_back(table.oid);
  }
  Connection plain(wiring_.source, ConnectionPurpose::Sql, stop);
  plain.stop_with(stop);
  require_same_cluster(wiring_.origin, plain);
  std::map<Oid, Publishing> published;
  for (const CatalogTable& table : read_tables(plain, wiring_.source.publication, oids)) {
    if (table.schema.publication) {
      published[table.schema.oid] = *table.schema.publication;
    }
  }
  std::vector<TableSize> sizes = table_sizes(plain, oids, wiring_.source.lock_timeout);
  leave_missing(due, sizes);
  leave_unselected(sizes);
  const TableRules rules(wiring_.source.tables);
  for (TableSize& size : sizes) {
    if (rules.initial_copy(size.name) == InitialCopy::Never) {
      // None of it is read.
      size.pages = size.bytes = size.rows = 0;
    }
    wiring_.state.tables.estimate(size.oid, size.rows, size.bytes);
  }
  std::ranges::stable_sort(sizes, {}, &TableSize::bytes);
  std::vector<CopyCandidate> chosen;
  std::vector<Oid> unpublished;
  std::uint64_t bytes = 0;
  for (TableSize& size : sizes) {
    if (!published.contains(size.oid)) {
      unpublished.push_back(size.oid);
    } else if (chosen.size() < limits_.group_tables &&
               (chosen.empty() || bytes + size.bytes <= limits_.group_bytes)) {
      bytes += size.bytes;
      const Oid oid = size.oid;
      chosen.push_back({std::move(size), published.at(oid)});
    }
  }
  wiring_.state.tables.begin_copy(unpublished, wiring_.state.progress.loaded.lsn());
  for (const Oid oid : unpublished) {
    wiring_.state.tables.copy_failed(oid, "it is not in the publication");
  }
  return chosen;
}

/// False when there is nothing to wait for any more.
bool Copier::copy_next(const std::stop_token& stop) {
  const CopyWork work = wiring_.state.tables.wait_for_copies(stop);
  if (work.empty()) {
    return false;
  }
  if (work.publish) {
    publish(stop);
  }
  // A snapshot that waits for the target would hold back the source's VACUUM.
  while (!work.due.empty() && !wiring_.state.view().warehouse_trouble.text.empty()) {
    if (!wait_for(kLookForTarget, stop)) {
      return false;
    }
  }
  std::vector<CopyCandidate> chosen =
      work.due.empty() ? std::vector<CopyCandidate>() : choose(work.due, stop);
  if (chosen.empty()) {
    return true;
  }
  std::vector<Oid> oids;
  for (const CopyCandidate& table : chosen) {
    oids.push_back(table.size.oid);
  }
  const auto attempts = wiring_.state.tables.begin_copy(oids, wiring_.state.progress.loaded.lsn());
  // Somebody may have paused some meanwhile.
  std::erase_if(chosen, [&](CopyCandidate& table) {
    const auto begun = attempts.find(table.size.oid);
    table.attempt = begun == attempts.end() ? 0 : begun->second;
    return begun == attempts.end();
  });
  if (chosen.empty()) {
    return true;
  }
  log(LogLevel::Info, "copying", "tables are copied under one snapshot",
      {{"tables", chosen.size()}});
  CopyGroup(wiring_, limits_, std::move(chosen), stop).copy();
  return true;
}

void Copier::run(const std::stop_token& stop) {
  const auto report = [this](const Error& error, std::chrono::milliseconds wait) {
    wiring_.state.figures.retried("copy");
    log(LogLevel::Warn, "copy_retry", error.what(), {{"wait_ms", wait.count()}});
  };
  // No error of a copy ends the others' replication: whatever it is may pass.
  Retry retry(retry_policy(), report, [this] { return steps_; });
  retry.run(stop, [&] {
    try {
      while (!stop.stop_requested() && copy_next(stop)) {
        ++steps_;
      }
    } catch (const Stopped&) {
      throw;
    } catch (const Error& error) {
      throw Error(ErrorKind::Transient, error.message(), error.advice());
    }
  });
}

}  // namespace re_dms
