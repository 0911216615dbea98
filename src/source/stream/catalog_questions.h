// What the stream asks the source's catalog, and which answers the journal already has. The
// receiving thread asks on the plain connection beside the stream and hands the answers on.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "model/journal_block.h"
#include "model/origin.h"
#include "model/table_schema.h"
#include "source/catalog/pattern.h"
#include "source/connection/connection.h"
#include "source/settings.h"
#include "source/setup/setup_result.h"

namespace re_dms {

/// Per table the catalog's last answer that was handed on in this run.
using ReportedAnswers = std::unordered_map<Oid, std::string>;

/// Answers about all tables that differ from those reported before.
struct CatalogNews {
  JournalBlock block;  ///< one Catalog record a table; empty without news
  ReportedAnswers answers;
  /// Tables that match include and are not replicated, all of them; absent: not asked.
  std::optional<std::vector<LeftOut>> left_out{};
};

/// Lives for one connection; used by the receiving thread. What it is given by reference outlives
/// it.
class CatalogQuestions {
 public:
  /// All tables are asked about at once, and again `interval` after the last time.
  CatalogQuestions(const SourceSettings& settings, const Origin& origin,
                   std::chrono::milliseconds interval, ReportedAnswers& reported);

  /// Whether it is time to ask about all tables, as of the last look at the clock.
  bool due() const { return due_; }

  void look_at_clock(SteadyTime now);

  /// The question about all tables is due, whatever the clock says, and so is an answer about
  /// these.
  void ask_soon(const std::vector<Oid>& unheard);

  /// Zero when the question is due.
  std::chrono::milliseconds until_due(SteadyTime now) const;

  /// What the catalog says of `tables`, whose Relation messages wait for it. Counts as reported.
  std::vector<CatalogTable> ask_about(Connection& connection, const std::vector<Oid>& tables);

  /// Asks about all tables that are, or were, in the stream, and those `followed`, and returns what
  /// is new: a night without news costs nothing in the journal. Also says which tables are left
  /// out, including those created since: one more query, linear in the number of tables. What a
  /// busy server does not answer is absent and asked again an interval later. Throws Unanswered
  /// when the connection is lost.
  CatalogNews ask_about_all(Connection& connection, SteadyTime now,
                            const std::vector<Oid>& followed);

  /// Notes that the answers were handed on; until then they remain news.
  void note_reported(ReportedAnswers answers);

 private:
  std::vector<CatalogTable> read_all(Connection& connection, const std::vector<Oid>& followed);
  std::vector<LeftOut> find_left_out_of(Connection& connection,
                                        const std::vector<CatalogTable>& answers) const;
  CatalogNews news_of(const std::vector<CatalogTable>& answers) const;
  static std::string without_time(CatalogTable answer);

  const SourceSettings& settings_;
  std::chrono::milliseconds interval_;
  ReportedAnswers& reported_;
  std::unordered_set<Oid> admitted_;
  SteadyTime asked_at_{};  ///< about all tables
  bool due_ = true;
};

}  // namespace re_dms
