#include "source/stream/catalog_questions.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "observe/log.h"
#include "schema/catalog_json.h"
#include "source/catalog/candidates.h"
#include "source/catalog/catalog.h"
#include "source/setup/left_out.h"
#include "source/setup/publication.h"

namespace re_dms {

using std::chrono::milliseconds;

namespace {

/// Runs a question that may go unanswered this time.
template <typename F>
void unless_busy(F question) {
  try {
    question();
  } catch (const Unanswered&) {
    throw;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Transient) {
      throw;
    }
    log(LogLevel::Warn, "catalog_question_failed", error.what(), {});
  }
}

}  // namespace

CatalogQuestions::CatalogQuestions(const SourceSettings& settings, const Origin& origin,
                                   milliseconds interval, ReportedAnswers& reported)
    : settings_(settings),
      interval_(interval),
      reported_(reported),
      admitted_(origin.admitted.begin(), origin.admitted.end()) {}

void CatalogQuestions::look_at_clock(SteadyTime now) {
  due_ = due_ || until_due(now) == milliseconds{0};
}

void CatalogQuestions::ask_soon(const std::vector<Oid>& unheard) {
  due_ = true;
  for (const Oid oid : unheard) {
    reported_.erase(oid);
  }
}

milliseconds CatalogQuestions::until_due(SteadyTime now) const {
  return interval_ - std::min(interval_, std::chrono::duration_cast<milliseconds>(now - asked_at_));
}

std::vector<CatalogTable> CatalogQuestions::ask_about(Connection& connection,
                                                      const std::vector<Oid>& tables) {
  if (tables.empty()) {
    return {};
  }
  std::vector<CatalogTable> answers = read_tables(connection, settings_.publication, tables);
  for (CatalogTable& table : answers) {
    table.admitted = admitted_.contains(table.schema.oid);
    reported_[table.schema.oid] = without_time(table);
  }
  return answers;
}

CatalogNews CatalogQuestions::ask_about_all(Connection& connection, SteadyTime now,
                                            const std::vector<Oid>& followed) {
  due_ = false;
  asked_at_ = now;
  CatalogNews news;
  unless_busy([&] {
    const std::vector<CatalogTable> answers = read_all(connection, followed);
    news = news_of(answers);
    // Its failure takes no news away.
    unless_busy([&] { news.left_out = find_left_out_of(connection, answers); });
  });
  return news;
}

void CatalogQuestions::note_reported(ReportedAnswers answers) {
  for (auto& [oid, text] : answers) {
    reported_[oid] = std::move(text);
  }
}

/// A table that is dropped has no name in the catalog: it keeps the last one reported, if one was.
std::vector<CatalogTable> CatalogQuestions::read_all(Connection& connection,
                                                     const std::vector<Oid>& followed) {
  std::unordered_set<Oid> known = admitted_;
  known.insert(followed.begin(), followed.end());
  for (const auto& [oid, answer] : reported_) {
    known.insert(oid);
  }
  std::vector<CatalogTable> answers =
      read_published_tables(connection, settings_.publication, {known.begin(), known.end()});
  if (std::ranges::none_of(answers, [](const CatalogTable& table) {
        return table.schema.publication.has_value();
      })) {
    require_publication(connection, settings_.publication);
  }
  for (CatalogTable& table : answers) {
    table.admitted = admitted_.contains(table.schema.oid);
    const auto reported = reported_.find(table.schema.oid);
    if (table.schema.name == QualifiedName{} && reported != reported_.end()) {
      table.schema.name = catalog_from_json(reported->second).at(0).schema.name;
    }
  }
  return answers;
}

std::vector<LeftOut> CatalogQuestions::find_left_out_of(
    Connection& connection, const std::vector<CatalogTable>& answers) const {
  std::unordered_set<Oid> published;
  for (const CatalogTable& table : answers) {
    if (table.schema.publication) {
      published.insert(table.schema.oid);
    }
  }
  const TableSelection selection(settings_.include, settings_.exclude);
  return find_left_out(list_candidates(connection, selection), published, settings_.publication);
}

CatalogNews CatalogQuestions::news_of(const std::vector<CatalogTable>& answers) const {
  CatalogNews news;
  for (const CatalogTable& table : answers) {
    std::string text = without_time(table);
    const auto reported = reported_.find(table.schema.oid);
    if (reported == reported_.end() || reported->second != text) {
      news.block.add(RecordKind::Catalog, catalog_to_json({table}));
      news.answers[table.schema.oid] = std::move(text);
    }
  }
  return news;
}

/// The answer as it is compared with earlier ones.
std::string CatalogQuestions::without_time(CatalogTable answer) {
  answer.asked_at = {};
  return catalog_to_json({answer});
}

}  // namespace re_dms
