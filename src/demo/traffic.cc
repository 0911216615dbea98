#include "demo/traffic.h"

#include <array>
#include <chrono>
#include <random>
#include <string_view>

#include "demo/sql_session.h"
#include "demo/traffic_sql.h"

namespace re_dms::demo {

namespace {

constexpr std::size_t kSessions = 2;
/// Leaves the machine some air: the demo also runs where two cores carry all of it.
constexpr std::chrono::milliseconds kPause{3};
constexpr std::size_t kStatementsMax = 4;

struct Act {
  std::string_view sql;
  double weight;
};

constexpr std::array<Act, 11> kActs = {{
    {kInsertSql, 30},
    {kSmallUpdateSql, 30},
    {kValuesUpdateSql, 12},
    {kBodyUpdateSql, 8},
    {kDeleteSql, 10},
    {kMoveKeySql, 8},
    {kMoveKeyBackSql, 4},
    {kPriorityUpdateSql, 20},
    {kInboxSql, 6},
    {kTruncateSql, 1},
    {kOrdersSql, 10},
}};

/// How a transaction ends, or what else is in it.
enum class Shape { Commit, Savepoint, SwapKeys, Rollback };

using Dice = std::mt19937_64;

/// What a session can use by now.
struct Schema {
  bool priority = false;
  bool orders = false;
};

std::string act(Dice& dice, const Schema& schema) {
  std::array<double, kActs.size()> weights{};
  for (std::size_t i = 0; i < kActs.size(); ++i) {
    const bool possible = (schema.priority || kActs[i].sql != kPriorityUpdateSql) &&
                          (schema.orders || kActs[i].sql != kOrdersSql);
    weights[i] = possible ? kActs[i].weight : 0;
  }
  std::discrete_distribution<std::size_t> choice(weights.begin(), weights.end());
  return std::string(kActs[choice(dice)].sql);
}

std::string transaction(Dice& dice, Shape shape, const Schema& schema) {
  std::string sql = "BEGIN;";
  const std::size_t statements = 1 + dice() % kStatementsMax;
  for (std::size_t i = 0; i < statements; ++i) {
    sql += act(dice, schema);
  }
  switch (shape) {
    case Shape::Commit:
      return sql + "COMMIT";
    case Shape::Savepoint:
      return sql + "SAVEPOINT undone;" + act(dice, schema) + "ROLLBACK TO undone;COMMIT";
    case Shape::SwapKeys:
      return sql + std::string(kSwapKeysSql) + "COMMIT";
    case Shape::Rollback:
      return sql + "ROLLBACK";
  }
  return sql + "ROLLBACK";
}

}  // namespace

void DocumentTraffic::start(const std::string& url) {
  url_ = url;
  for (std::size_t i = 0; i < kSessions; ++i) {
    const std::uint64_t seed = std::random_device()();
    sessions_.emplace_back([this, seed](const std::stop_token& stop) { run(stop, seed); });
  }
}

void DocumentTraffic::add_column() {
  SqlSession(url_).query(std::string(kAddColumnSql));
  has_priority_ = true;
}

void DocumentTraffic::add_table() {
  SqlSession(url_).query(std::string(kAddTableSql));
  has_orders_ = true;
}

void DocumentTraffic::check() {
  const std::lock_guard lock(failure_mutex_);
  if (failure_) {
    std::rethrow_exception(failure_);
  }
}

void DocumentTraffic::stop() {
  sessions_.clear();
  check();
}

void DocumentTraffic::run(const std::stop_token& stop, std::uint64_t seed) {
  try {
    change_documents(stop, seed);
  } catch (...) {
    // The thread has nobody to throw to; the main thread asks.
    const std::lock_guard lock(failure_mutex_);
    failure_ = std::current_exception();
  }
}

void DocumentTraffic::change_documents(const std::stop_token& stop, std::uint64_t seed) {
  SqlSession session(url_);
  Dice dice(seed);
  std::discrete_distribution<int> shapes({85, 5, 4, 6});
  while (!stop.stop_requested()) {
    const auto shape = static_cast<Shape>(shapes(dice));
    const bool passed =
        session.try_transaction(transaction(dice, shape, {has_priority_, has_orders_}));
    ++(passed && shape != Shape::Rollback ? committed_ : rolled_back_);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace re_dms::demo
