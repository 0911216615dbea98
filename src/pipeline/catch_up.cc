#include "pipeline/catch_up.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/failpoint.h"
#include "base/retry.h"
#include "observe/log.h"

namespace re_dms {

namespace {

constexpr std::chrono::milliseconds kLook(50);
/// So that what is read of a long way is not read again after a restart.
constexpr std::chrono::seconds kSealEvery(10);
constexpr std::chrono::milliseconds kNoteEvery(500);
/// The main reader waits while so much of the journal is read, a moment.
constexpr std::uint64_t kNearBytes = 4U << 20;

Lsn first_position(const std::vector<TableRecord>& tables) {
  return std::ranges::min_element(tables, {}, &TableRecord::position)->position;
}

std::set<Oid> oids_of(const std::vector<RosterEntry>& tables) {
  std::set<Oid> oids;
  for (const RosterEntry& table : tables) {
    oids.insert(table.oid);
  }
  return oids;
}

std::vector<KnownTable> known_tables(const std::vector<TableRecord>& tables) {
  std::vector<KnownTable> known;
  known.reserve(tables.size());
  for (const TableRecord& table : tables) {
    known.push_back({*table.schema, true, table.position});
  }
  return known;
}

}  // namespace

class CatchUp::Round {
 public:
  /// `reader` begins where the first of the tables stands.
  Round(CatchUpWiring wiring, BatchLimits limits, const std::vector<TableRecord>& tables,
        JournalReader& reader)
      : wiring_(wiring),
        reader_(reader),
        batcher_(limits, first_position(tables), known_tables(tables), wiring.room, Unknown::Skip) {
    batcher_.begin_at(reader_.begin());
    std::vector<TableAt> followed;
    for (const TableRecord& table : tables) {
      oids_.push_back(table.oid);
      followed.push_back({table.oid, table.position, table.attempt});
      furthest_ = std::max(furthest_, table.position);
    }
    wiring_.room.follow(std::move(followed));
  }

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      while (auto failed = wiring_.failed_tables.try_pop(stop)) {
        // It may be copied anew while this round goes on: that copy is another round's.
        batcher_.set_aside(*failed);
        wiring_.room.forget(*failed);
        std::erase(oids_, *failed);
      }
      if (oids_.empty() && !asked_) {
        wiring_.room.drop();
        return;
      }
      const auto meeting = asked_ ? wiring_.join.meeting() : std::nullopt;
      if (meeting && reader_.place() == *meeting) {
        if (hand_over()) {
          return;
        }
        continue;
      }
      note_what_is_left();
      ask_to_meet();
      if (reader_.place() < wiring_.join.main().place) {
        read_on(stop);
      } else {
        wiring_.join.wait_beyond(reader_.place(), kLook, stop);
      }
    }
  }

 private:
  void read_on(const std::stop_token& stop) {
    if (const auto unit = reader_.next(kLook, stop)) {
      batcher_.consume(*unit);
    }
    const SteadyTime now = real_clock().steady();
    if (!batcher_.in_transaction() && now - sealed_at_ >= kSealEvery &&
        wiring_.room.has_free_slot()) {
      batcher_.seal();
      sealed_at_ = now;
    }
  }

  void note_what_is_left() {
    const SteadyTime now = real_clock().steady();
    if (now - noted_at_ >= kNoteEvery) {
      wiring_.tables.journal_left(oids_, wiring_.journal.bytes_behind(reader_.place()));
      noted_at_ = now;
    }
  }

  /// Where little is left to read. A table that is further than the main reader cannot join it yet:
  /// what the target holds would be ahead of the journal.
  void ask_to_meet() {
    const MainReader main = wiring_.join.main();
    const JournalPlace here = reader_.place();
    const bool near = here.segment == main.place.segment && here <= main.place &&
                      main.place.offset - here.offset <= kNearBytes;
    const bool may = !asked_ && declined_at_ != here && !batcher_.in_transaction();
    if (near && may && main.position >= furthest_) {
      asked_ = true;
      // What remains to be staged while the main reader waits is little too.
      batcher_.seal();
      wiring_.join.ask();
    }
  }

  /// False when facts have come that no transaction has followed yet: they are kept for later.
  bool hand_over() {
    batcher_.seal();
    if (batcher_.has_work()) {
      asked_ = false;
      declined_at_ = reader_.place();
      wiring_.join.bring({});
      return false;
    }
    RE_DMS_CHECK(batcher_.position() == wiring_.join.main().position);
    failpoint("join-before");
    std::vector<RosterEntry> tables = batcher_.hand_over(oids_);
    // The main reader counts those that bring tables.
    if (!tables.empty()) {
      wiring_.room.join(oids_of(tables));
    }
    wiring_.join.bring(std::move(tables));
    log(LogLevel::Info, "tables_joining", "tables have caught up", {{"tables", oids_.size()}});
    return true;
  }

  CatchUpWiring wiring_;
  JournalReader& reader_;
  Batcher batcher_;
  std::vector<Oid> oids_;
  Lsn furthest_;
  SteadyTime sealed_at_ = real_clock().steady();
  SteadyTime noted_at_{};
  bool asked_ = false;
  JournalPlace declined_at_;
};

void CatchUp::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    std::vector<TableRecord> tables = wiring_.tables.wait_for_lagging(stop);
    if (tables.empty()) {
      return;
    }
    // What is said of a table that catches up now was said of an earlier attempt.
    while (wiring_.failed_tables.try_pop(stop)) {
    }
    const auto reader = open_journal(tables);
    if (!reader) {
      wait_for(kLook, stop);
      continue;
    }
    log(LogLevel::Info, "catching_up", "tables catch up with the changes since their copies",
        {{"tables", tables.size()}, {"from", first_position(tables)}});
    Round(wiring_, limits_, tables, *reader).run(stop);
    wiring_.tables.wait_until_joined(tables, stop);
  }
}

/// From where the first of the tables stands; what is read holds the journal from then on. Tables
/// that left meanwhile hold nothing any more and are taken out. One whose changes are no longer
/// there is copied anew. Nothing when no table remains.
std::unique_ptr<JournalReader> CatchUp::open_journal(std::vector<TableRecord>& tables) {
  std::ranges::sort(tables, std::ranges::greater(), &TableRecord::position);
  for (; !tables.empty(); tables.pop_back()) {
    const TableRecord& first = tables.back();
    try {
      auto reader = std::make_unique<JournalReader>(wiring_.files, wiring_.journal_directory,
                                                    &wiring_.journal.tail(), first.position);
      std::erase_if(tables, [this](const TableRecord& table) {
        return !wiring_.tables.is_current(table.oid, table.attempt);
      });
      return tables.empty() ? nullptr : std::move(reader);
    } catch (const Error& error) {
      if (!wiring_.tables.is_current(first.oid, first.attempt)) {
        continue;
      }
      if (wiring_.journal.begin() <= first.position) {
        throw;
      }
      if (std::exchange(given_up_[first.oid], first.attempt) != first.attempt) {
        log(LogLevel::Warn, "changes_gone", error.what(), {{"table", to_string(first.name)}});
        wiring_.tables.wish(first.oid, Wish::Heal);
      }
    }
  }
  return nullptr;
}

}  // namespace re_dms
