#include "source/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <set>
#include <unordered_set>

#include "observe/advice.h"
#include "observe/log.h"
#include "source/catalog/candidates.h"
#include "source/catalog/pattern.h"
#include "source/connection/connection.h"
#include "source/connection/identity.h"
#include "source/connection/sql_text.h"
#include "source/setup/first_start.h"
#include "source/setup/left_out.h"
#include "source/setup/publication.h"
#include "source/setup/slot.h"
#include "source/setup/slot_creation.h"
#include "source/setup/synchronous_names.h"
#include "source/stream/decoding_faults.h"
#include "source/stream/slot_reader.h"

namespace re_dms {

struct Source::State {
  explicit State(SourceSettings wanted)
      : settings(std::move(wanted)),
        selection(settings.include, settings.exclude),
        first_start(settings) {}

  SourceSettings settings;
  TableSelection selection;
  FirstStart first_start;
  std::vector<LeftOut> left_out;
  bool accepted = false;            ///< the source took us once
  std::set<std::string> warned_of;  ///< problems of the publication
  SilenceBackoff backoff;
  DecodingFaults decoding;
  ReportedAnswers reported;
};

namespace {

/// Without the tables that are replicated under an earlier name: the fold sets such a table aside,
/// and the others continue. A table excluded by its name is not one of them.
PublicationState without_moved(PublicationState publication, const std::vector<Oid>& admitted,
                               const TableSelection& selection) {
  std::erase_if(publication.tables, [&](const auto& table) {
    return std::ranges::find(admitted, table.first) != admitted.end() &&
           !selection.excludes(table.second);
  });
  return publication;
}

std::unordered_set<Oid> oids_of(const PublicationState& publication) {
  std::unordered_set<Oid> oids;
  for (const auto& [oid, name] : publication.tables) {
    oids.insert(oid);
  }
  return oids;
}

/// Runs a step that connects. A run that has begun waits a refusal out; at its start a refusal is
/// a fault of the configuration.
template <typename F>
void connecting(bool accepted_before, F step) {
  try {
    step();
  } catch (const Refused& refusal) {
    if (!accepted_before) {
      throw;
    }
    throw Error(ErrorKind::Transient,
                fmt::format("the source, which accepted re_dms before, now refuses it: {}",
                            refusal.message()),
                refusal.advice());
  }
}

/// With auto_setup = false nothing is created: what is missing is asked for, as SQL.
void require_prepared(const SourceSettings& settings, Connection& plain,
                      const std::vector<CandidateTable>& candidates) {
  std::vector<CandidateTable> tables = candidates;
  std::erase_if(tables, [](const CandidateTable& table) { return !table.problem.empty(); });
  std::string sql;
  if (!find_publication(plain, settings.publication)) {
    sql += create_publication_sql(settings.publication, tables) + "; ";
  }
  if (!find_slot(plain, settings.slot)) {
    sql += fmt::format("SELECT pg_create_logical_replication_slot({}, 'pgoutput'); ",
                       quote_literal(settings.slot));
  }
  if (!sql.empty()) {
    throw Error(ErrorKind::Fatal,
                "source.auto_setup is false, so publication and slot must already exist",
                fmt::format("Run, in this order: {}or set source.auto_setup = true", sql));
  }
}

/// A slot that was left where this run does not look would keep WAL for ever.
void require_same_place(const Origin& intended, const Origin& now) {
  if (intended.system_identifier != now.system_identifier || intended.database != now.database) {
    throw Error(
        ErrorKind::Fatal,
        fmt::format("a first start was interrupted that was to create slot \"{}\" in database "
                    "\"{}\" of the cluster {}, but source.url leads to database \"{}\" of the "
                    "cluster {}",
                    intended.slot, intended.database, intended.system_identifier, now.database,
                    now.system_identifier),
        fmt::format("If that slot exists there, the source keeps all WAL for it: SELECT "
                    "pg_drop_replication_slot({}). Then remove the files in journal.directory, or "
                    "set source.url back",
                    quote_literal(intended.slot)));
  }
}

bool may_be_ours(const std::optional<SlotState>& slot, const std::string& database) {
  return slot && slot->plugin == "pgoutput" && slot->database == database;
}

void drop_left_over(Connection& plain, const std::string& name) {
  log(LogLevel::Info, "slot_dropped", "dropping the slot of a first start that was interrupted",
      {{"slot", name}});
  drop_slot(plain, name);
}

/// The candidates that begin with the slot; the others are left out, with reasons.
std::vector<CandidateTable> take_published(std::vector<CandidateTable> candidates,
                                           const PublicationState& publication,
                                           const std::string& name,
                                           std::vector<LeftOut>& left_out) {
  const auto published = oids_of(publication);
  left_out = find_left_out(candidates, published, name);
  std::erase_if(candidates, [&](const CandidateTable& table) {
    return !table.problem.empty() || !published.contains(table.oid);
  });
  return candidates;
}

/// The one given, unless RE_DMS_CATALOG_MS is a number of milliseconds. Tests set it to skip the
/// minute that spares a server.
std::chrono::milliseconds catalog_interval(std::chrono::milliseconds usual) {
  const char* const wanted = std::getenv("RE_DMS_CATALOG_MS");
  const std::string_view text = wanted == nullptr ? "" : wanted;
  int number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = problem == std::errc() && end == text.data() + text.size() && number > 0;
  return whole ? std::chrono::milliseconds(number) : usual;
}

void require_own_pace(Connection& plain, const SourceSettings& settings) {
  const SynchronousNames found = require_commits_do_not_wait(plain, settings.slot);
  if (found.wait == CommitWait::Possibly) {
    log(LogLevel::Warn, "commits_may_wait",
        "the source's commits may end up waiting for re_dms. " + commit_wait_advice(),
        {{"synchronous_standby_names", found.names}});
  }
}

}  // namespace

Source::Source(SourceSettings settings) {
  require_slot_name(settings.slot);
  if (settings.publication.empty()) {
    throw Error(ErrorKind::Usage, "source.publication is empty");
  }
  // Faults of the URL are faults of the configuration: found before anything connects.
  connection_parameters(settings.url, ConnectionPurpose::Sql);
  state_ = std::make_unique<State>(std::move(settings));
}

Source::~Source() = default;

Origin Source::identify() {
  return identify_source(state_->settings);
}

void Source::drop_slot_of(const Origin& intended) {
  const Origin identity = identify();
  require_same_place(intended, identity);
  Connection plain(state_->settings, ConnectionPurpose::Sql);
  if (may_be_ours(find_slot(plain, intended.slot), identity.database)) {
    drop_left_over(plain, intended.slot);
  }
}

SlotCreation Source::create_slot(const std::optional<Origin>& intended_before,
                                 const std::function<void(const Origin&)>& intend) {
  const SourceSettings& settings = state_->settings;
  const Origin identity = identify();
  Connection plain(settings, ConnectionPurpose::Sql);
  require_own_pace(plain, settings);
  const std::vector<CandidateTable> candidates = list_candidates(plain, state_->selection);
  if (intended_before) {
    require_same_place(*intended_before, identity);
  }
  bool left_over = false;
  if (settings.auto_setup) {
    const std::optional<SlotState> slot = find_slot(plain, settings.slot);
    left_over = intended_before && may_be_ours(slot, identity.database);
    if (slot && !left_over) {
      throw foreign_slot(*slot, settings.slot, identity.database);
    }
  } else {
    require_prepared(settings, plain, candidates);
  }
  if (const auto existing = find_publication(plain, settings.publication)) {
    require_only_selected(*existing, settings.publication, state_->selection);
  }
  // The publication comes first: decoding looks it up in the catalog as of the slot's position.
  const PublicationState publication =
      settings.auto_setup ? ensure_publication(plain, settings, candidates, state_->first_start)
                          : require_usable_publication(plain, settings.publication);
  std::vector<LeftOut> left_out;
  const std::vector<CandidateTable> tables =
      take_published(candidates, publication, settings.publication, left_out);
  // Not before: after an error until here, the intention of the interrupted start stands, and so
  // does its slot.
  if (left_over) {
    state_->first_start.slot_begun(0);
  }
  intend(identity);
  if (left_over) {
    drop_left_over(plain, settings.slot);
    state_->first_start.slot_refused();
  }
  SlotCreation creation = settings.auto_setup ? create_slot_with_snapshot(
                                                    settings, identity, tables, state_->first_start)
                                              : adopt_slot(settings, identity);
  creation.left_out = std::move(left_out);
  state_->left_out = creation.left_out;
  state_->accepted = true;
  return creation;
}

std::string Source::take_back(ErrorKind reason) {
  return state_->first_start.take_back(reason);
}

void Source::verify(const Origin& origin) {
  connecting(state_->accepted, [&] { verify_now(origin); });
  state_->accepted = true;
}

void Source::verify_now(const Origin& origin) {
  const SourceSettings& settings = state_->settings;
  const Origin now = identify();
  require_same_source(origin, now);
  Connection plain(settings, ConnectionPurpose::Sql);
  require_own_pace(plain, settings);
  const std::optional<SlotState> slot = find_slot(plain, settings.slot);
  const std::string problem = slot ? slot_problem(*slot, now.database) : "it is gone";
  if (!problem.empty()) {
    Error refusal(ErrorKind::Fatal,
                  fmt::format("slot \"{}\" cannot be used: {}", settings.slot, problem),
                  unusable_slot_advice(slot));
    throw Error(!slot || slot->lost ? refusal.needing_a_person() : refusal);
  }
  const PublicationState publication = require_publication(plain, settings.publication);
  warn_of_publication(publication);
  if (!state_->accepted) {
    take_out_unselected(plain, publication, origin.admitted);
  }
  state_->left_out = find_left_out(list_candidates(plain, state_->selection), oids_of(publication),
                                   settings.publication);
}

/// A pattern that selects nothing is a mistake: what would be left without any table is refused.
void Source::take_out_unselected(Connection& plain, PublicationState publication,
                                 const std::vector<Oid>& admitted) {
  const SourceSettings& settings = state_->settings;
  const TableSelection& selection = state_->selection;
  const auto tables = unselected_tables(without_moved(publication, admitted, selection), selection);
  if (settings.auto_setup && !tables.empty() && tables.size() < publication.tables.size()) {
    unpublish(plain, settings, tables);
    publication = require_publication(plain, settings.publication);
  }
  require_only_selected(without_moved(std::move(publication), admitted, selection),
                        settings.publication, selection);
}

/// Of each problem once: verify runs before every stream.
void Source::warn_of_publication(const PublicationState& publication) {
  const std::string& name = state_->settings.publication;
  for (const std::string& problem : publication_problems(publication, name, true)) {
    if (state_->warned_of.insert(problem).second) {
      log(LogLevel::Warn, "publication_altered",
          fmt::format("the publication \"{}\" was altered; tables whose changes may be missing are "
                      "set aside: {}",
                      name, problem));
    }
  }
}

void Source::stream(Lsn from, Lsn journaled_to, const Origin& origin, bool& open,
                    const StreamWiring& wiring, const std::stop_token& stop) {
  ReadTimes times;
  times.silence = state_->backoff.times();
  times.facts = catalog_interval(times.facts);
  SlotReader reader(state_->settings, origin, wiring, state_->reported, times);
  const Lsn received = wiring.progress.received.lsn();
  try {
    connecting(state_->accepted, [&] { reader.run({from, journaled_to}, open, stop); });
  } catch (const Error& error) {
    const Lsn now = wiring.progress.received.lsn();
    state_->backoff.stream_ended(reader.left_in_silence(), now > received);
    if (const auto* failed = dynamic_cast<const DecodingFailed*>(&error)) {
      throw state_->decoding.note(*failed, now, state_->settings.slot);
    }
    throw;
  }
}

Lsn Source::current_lsn() {
  Connection plain(state_->settings, ConnectionPurpose::Sql);
  return plain.query("SELECT pg_current_wal_lsn()", "asking for the end of the WAL").lsn(0, 0);
}

const std::vector<LeftOut>& Source::left_out() const {
  return state_->left_out;
}

void Source::choose(const TableChoice& choice) {
  static_cast<TableChoice&>(state_->settings) = choice;
  state_->selection = TableSelection(choice.include, choice.exclude);
}

}  // namespace re_dms
