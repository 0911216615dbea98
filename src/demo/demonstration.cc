#include "demo/demonstration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <string_view>

#include "base/error.h"
#include "base/quantities.h"
#include "demo/traffic_sql.h"
#include "observe/copies_text.h"
#include "warehouse/query.h"

namespace re_dms::demo {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kPgbenchScale = "10";         // 1,000,000 accounts
constexpr std::string_view kPgbenchSeconds = "1000000";  // it is stopped
constexpr std::chrono::seconds kPgbenchPatience{10};
/// pgbench's and the demo's, without the one that is added.
constexpr std::uint64_t kFirstTables = 6;
constexpr std::string_view kNewTable = "public.orders";
constexpr std::string_view kPgbenchClients = "4";
constexpr std::chrono::milliseconds kLiveInterval{500};
constexpr std::chrono::milliseconds kPgbenchPoll{50};
/// When things happen to the live traffic, as shares of its time.
constexpr double kAddTableAt = 0.1;
constexpr double kAddColumnAt = 0.4;
constexpr double kKillAt = 0.6;
constexpr double kRestartAt = 0.65;

const std::array<ComparedTable, 7> kTables = {{{"documents", "id"},
                                               {"inbox", "id"},
                                               {"orders", "id"},
                                               {"pgbench_accounts", "aid"},
                                               {"pgbench_branches", "bid"},
                                               {"pgbench_history", "id"},
                                               {"pgbench_tellers", "tid"}}};

/// The column that came during the traffic tells old documents from new ones.
constexpr std::string_view kExampleSql =
    "SELECT priority, count(*) AS documents, sum(length(body)) AS characters,\n"
    "         avg(price)::DECIMAL(12,2) AS average_price,\n"
    "         strftime(max(changed_at), '%H:%M:%S') AS last_change\n"
    "  FROM public.documents GROUP BY priority ORDER BY priority";
const std::vector<std::string> kExampleColumns = {"priority", "documents", "characters",
                                                  "average_price", "last_change"};

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

int whole_seconds_since(SteadyClock::time_point begin) {
  return static_cast<int>(seconds_since(begin));
}

std::uint64_t number(const std::optional<std::string>& text) {
  std::uint64_t value = 0;
  if (text) {
    std::from_chars(text->data(), text->data() + text->size(), value);
  }
  return value;
}

/// A path as a person in this folder would write it.
std::string near_path(const std::string& path) {
  const std::string near = std::filesystem::proximate(path).string();
  return near.starts_with("..") ? path : near;
}

}  // namespace

Demonstration::Demonstration(const DemoSettings& settings, StopSignals& signals, Screen& screen,
                             Workspace& workspace)
    : settings_(settings),
      signals_(signals),
      screen_(screen),
      workspace_(workspace),
      executable_(std::filesystem::canonical(settings.program).string()),
      server_(find_postgres(), workspace, signals),
      daemon_(executable_, workspace, signals) {}

bool Demonstration::run() {
  start_postgres();
  fill_tables();
  begin_traffic();
  start_daemon();
  copy_under_traffic();
  live_traffic();
  load_the_rest();
  const bool equal = judge();
  if (equal) {
    show_example();
  }
  say_what_next(equal);
  return equal;
}

void Demonstration::start_postgres() {
  screen_.say(fmt::format("A throwaway PostgreSQL {} starts{}", server_.programs().version,
                          settings_.keep ? ", to be kept" : ""));
  server_.start();
  if (!server_.user().empty()) {
    screen_.say(fmt::format("  as user {}, because it refuses to run as root", server_.user()));
  }
  if (server_.folder() != workspace_.postgres()) {
    screen_.say(fmt::format("  in {}, because it could not live in {}", server_.folder(),
                            near_path(workspace_.postgres())));
  }
}

void Demonstration::fill_tables() {
  screen_.live("  pgbench fills its tables");
  ChildProcess tables = start_pgbench({"-i", "-q", "-s", std::string(kPgbenchScale)});
  await_pgbench(tables);
  {
    SqlSession session(server_.url());
    session.query(std::string(kSchemaSql));
    session.query(std::string(kFirstDocumentsSql));
  }
  SqlSession session(server_.url());
  figures_.rows_before = session.number("SELECT sum(n_tup_ins) FROM pg_stat_user_tables");
  first_lsn_ = session.value("SELECT pg_current_wal_lsn()");
  screen_.say("  pgbench's four tables, plus documents (long texts stored out of line, jsonb,");
  screen_.say(fmt::format("  arrays, numeric, bytea) and inbox: {} rows are there already",
                          count_text(figures_.rows_before)));
}

void Demonstration::start_daemon() {
  screen_.title(fmt::format("re_dms starts: {} run -c {}", near_path(executable_),
                            near_path(workspace_.config())));
  daemon_.configure(server_.url());
  begin_ = SteadyClock::now();
  daemon_.start();
  daemon_expected_ = true;
  screen_.say(fmt::format("  it made publication and slot, and streams into {}",
                          near_path(workspace_.warehouse())));
}

void Demonstration::copy_under_traffic() {
  screen_.title(
      fmt::format("The rows are copied, while {} pgbench clients and two sessions on "
                  "documents change them",
                  kPgbenchClients));
  watch([this] {
    return last_status_ && last_status_->tables.live >= kFirstTables &&
           last_status_->tables.coming.empty();
  });
  figures_.copy_seconds = seconds_since(begin_);
  screen_.say(
      fmt::format("  {:>3} s   all {} tables are live", whole_seconds_since(begin_), kFirstTables));
}

void Demonstration::live_traffic() {
  screen_.title(fmt::format("{} s more of the same traffic", settings_.seconds));
  begin_ = SteadyClock::now();
  std::vector<Event> coming = events();
  auto next = coming.begin();
  watch([&] {
    if (next != coming.end() && seconds_since(begin_) >= next->at) {
      (next++)->happen();
    }
    return next == coming.end() && seconds_since(begin_) >= settings_.seconds;
  });
  end_traffic();
}

void Demonstration::begin_traffic() {
  pgbench_ =
      start_pgbench({"-n", "-c", std::string(kPgbenchClients), "-T", std::string(kPgbenchSeconds)});
  traffic_.start(server_.url());
  traffic_began_ = SteadyClock::now();
  traffic_expected_ = true;
}

void Demonstration::end_traffic() {
  traffic_expected_ = false;
  pgbench_.stop(SIGINT, kPgbenchPatience);
  traffic_.stop();
  figures_.traffic_seconds = seconds_since(traffic_began_);
}

void Demonstration::check_traffic() {
  traffic_.check();
  if (traffic_expected_ && pgbench_.exit_code()) {
    throw Error(ErrorKind::Fatal,
                fmt::format("pgbench ended:{}", last_lines(workspace_.traffic_log(), 10)));
  }
}

std::vector<Demonstration::Event> Demonstration::events() {
  const double whole = settings_.seconds;
  const auto add_column = [this] {
    screen_.say(fmt::format("  {:>3} s   {}", whole_seconds_since(begin_), kAddColumnSql));
    traffic_.add_column();
  };
  return {{kAddTableAt * whole, [this] { add_table(); }},
          {kAddColumnAt * whole, add_column},
          {kKillAt * whole, [this] { kill_daemon(); }},
          {kRestartAt * whole, [this] { restart_daemon(); }}};
}

void Demonstration::add_table() {
  screen_.say(fmt::format("  {:>3} s   CREATE TABLE orders, with 50,000 rows",
                          whole_seconds_since(begin_)));
  traffic_.add_table();
  new_table_ = NewTable::Made;
}

/// Nobody tells the daemon of it.
void Demonstration::follow_new_table(const DaemonStatus& status) {
  const auto& coming = status.tables.coming;
  const bool comes = std::ranges::find(coming, kNewTable, &ComingTable::table) != coming.end();
  if (new_table_ == NewTable::Made && comes) {
    new_table_ = NewTable::Coming;
    screen_.say(
        fmt::format("  {:>3} s   orders is published, and copied", whole_seconds_since(begin_)));
  } else if (new_table_ != NewTable::None && new_table_ != NewTable::Live && !comes &&
             status.tables.live > kFirstTables) {
    new_table_ = NewTable::Live;
    screen_.say(fmt::format("  {:>3} s   orders is live: published, copied and followed",
                            whole_seconds_since(begin_)));
  }
}

void Demonstration::kill_daemon() {
  screen_.say(fmt::format("  {:>3} s   kill -9 of the daemon; the traffic goes on",
                          whole_seconds_since(begin_)));
  daemon_expected_ = false;
  daemon_.kill();
}

void Demonstration::restart_daemon() {
  screen_.say(fmt::format("  {:>3} s   the daemon starts again", whole_seconds_since(begin_)));
  daemon_.start();
  daemon_expected_ = true;
}

void Demonstration::load_the_rest() {
  const std::string end_lsn = SqlSession(server_.url()).value("SELECT pg_current_wal_lsn()");
  screen_.title(
      fmt::format("The traffic ends at {}. SIGTERM to the daemon, then once more: "
                  "run --until now",
                  end_lsn));
  begin_ = SteadyClock::now();
  daemon_.stop();
  daemon_.start_until_now();
  daemon_expected_ = false;
  watch([this] { return daemon_.ended(); });
  figures_.drain_seconds = seconds_since(begin_);
}

bool Demonstration::judge() {
  screen_.title("Every value of both sides, compared");
  SqlSession source(server_.url());
  const TargetQuery target = [this](const std::string& sql) { return ask_warehouse(sql); };
  std::vector<TableComparison> tables;
  for (const ComparedTable& table : kTables) {
    screen_.live(fmt::format("  comparing {}", table.name));
    tables.push_back(compare_table(source, target, table,
                                   [this] { signals_.pause(std::chrono::milliseconds(0)); }));
  }
  bool equal = true;
  for (const TableComparison& table : tables) {
    equal = equal && table.equal();
  }
  screen_.say(comparison_text(tables));
  screen_.say(figures_text(figures()));
  screen_.say(equal
                  ? "Both sides are equal: nothing lost, nothing doubled, through copies, kill -9 "
                    "and ALTER TABLE."
                  : "The two sides DIFFER. That is a bug of re_dms; PostgreSQL's files, journal "
                    "and log are kept.");
  return equal;
}

DemoFigures Demonstration::figures() {
  SqlSession source(server_.url());
  figures_.source_transactions =
      source.number("SELECT count(*) FROM pgbench_history") + traffic_.committed();
  figures_.source_rows_changed =
      source.number("SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables") -
      figures_.rows_before;
  figures_.wal_bytes = source.number(
      fmt::format("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '{}')::bigint", first_lsn_));
  const auto loads =
      ask_warehouse("SELECT count(DISTINCT load), sum(rows), sum(stored_bytes) FROM re_dms.loads");
  figures_.batches = number(loads.at(0).at(0));
  figures_.rows_loaded = number(loads.at(0).at(1));
  figures_.staged_bytes = number(loads.at(0).at(2));
  return figures_;
}

void Demonstration::show_example() {
  screen_.title(
      fmt::format("A question to {}:\n\n  {}\n", near_path(workspace_.warehouse()), kExampleSql));
  screen_.say(text_table(kExampleColumns, ask_warehouse(std::string(kExampleSql))));
}

void Demonstration::say_what_next(bool equal) {
  const std::string program = near_path(executable_);
  std::vector<Suggestion> next = {
      {fmt::format("duckdb {} \"FROM re_dms.loads\"", near_path(workspace_.warehouse())),
       "what was loaded, batch by batch"},
      {fmt::format("less {}", near_path(workspace_.daemon_log())), "what the daemon said"}};
  if (settings_.keep || !equal) {
    next.push_back({server_.start_command(), "PostgreSQL again"});
    next.push_back(
        {fmt::format("psql -h '{}' -U postgres", server_.folder()), "and a look into it"});
    next.push_back({fmt::format("{} journal inspect {}", program, near_path(workspace_.journal())),
                    "what went through the journal"});
  }
  if (equal) {
    next.push_back({fmt::format("{} demo --seconds 300", program), "once more, for longer"});
    next.push_back(
        {fmt::format("{} check -c re_dms.toml", program), "a database of your own (README)"});
  }
  screen_.say(suggestions_text(next));
}

ChildProcess Demonstration::start_pgbench(const std::vector<std::string>& options) {
  std::vector<std::string> command = {server_.programs().folder + "/pgbench", "-h",
                                      server_.folder(), "-U", "postgres"};
  command.insert(command.end(), options.begin(), options.end());
  command.emplace_back("postgres");
  return ChildProcess::start({.command = std::move(command),
                              .output = workspace_.traffic_log(),
                              .directory = workspace_.directory(),
                              .account = {}});
}

void Demonstration::await_pgbench(ChildProcess& pgbench) {
  while (!pgbench.exit_code()) {
    signals_.pause(kPgbenchPoll);
  }
  if (pgbench.exit_code() != 0) {
    throw Error(ErrorKind::Fatal,
                fmt::format("pgbench failed:{}", last_lines(workspace_.traffic_log(), 10)));
  }
}

void Demonstration::watch(const std::function<bool()>& done) {
  while (!done()) {
    if (daemon_expected_ && daemon_.ended()) {
      throw Error(ErrorKind::Fatal, "the daemon ended by itself",
                  fmt::format("Its log is {}", workspace_.daemon_log()));
    }
    check_traffic();
    show(daemon_.status());
    signals_.pause(kLiveInterval);
  }
}

void Demonstration::show(const std::optional<DaemonStatus>& status) {
  const auto now = SteadyClock::now();
  meter_.observe(status, now);
  if (status) {
    follow_new_table(*status);
  }
  last_status_ = status;
  const std::string copies = status ? copies_text(status->tables) : "";
  screen_.live(meter_.line(begin_, now) + (copies.empty() ? "" : "\n" + copies));
}

std::vector<TextRow> Demonstration::ask_warehouse(const std::string& sql) const {
  return query_warehouse("duckdb://" + workspace_.warehouse(), sql).rows;
}

}  // namespace re_dms::demo
