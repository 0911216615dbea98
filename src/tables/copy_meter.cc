#include "tables/copy_meter.h"

#include <algorithm>

namespace re_dms {

namespace {

std::optional<double> growth(const RecentRate& rate) {
  const std::optional<double> per_second = rate.per_second();
  return per_second && *per_second > 0 ? per_second : std::nullopt;
}

/// Nothing where nothing is left: what remains then is not counted in bytes.
std::optional<double> time_for(std::uint64_t left, std::optional<double> per_second) {
  return per_second && left > 0 ? std::optional(static_cast<double>(left) / *per_second)
                                : std::nullopt;
}

bool is_on_its_way(const TableRecord& table) {
  return table.state == TableState::Waiting || table.state == TableState::Copying ||
         table.state == TableState::CatchingUp;
}

/// A table whose copy failed is not waited for while it waits: that may take for ever.
bool moves(const TableRecord& table, SteadyTime now) {
  return is_on_its_way(table) && (table.state != TableState::Waiting || table.due <= now);
}

void add_copied(CopyWave& wave, const TableRecord& table) {
  wave.rows += table.copy.rows;
  wave.bytes += bytes_done(table);
  wave.bytes_estimated += table.copy.bytes_estimated;
}

void add_coming(CopyWave& wave, const TableRecord& table) {
  wave.waiting += table.state == TableState::Waiting ? 1 : 0;
  wave.copying += table.state == TableState::Copying ? 1 : 0;
  wave.catching_up += table.state == TableState::CatchingUp ? 1 : 0;
  wave.sized = wave.sized && (table.copy.sized || table.state == TableState::CatchingUp);
  wave.journal_bytes_left =
      std::max(wave.journal_bytes_left, table.copy.journal_bytes_left.value_or(0));
  add_copied(wave, table);
}

/// Of those that catch up, if all are known.
std::optional<double> longest_left(const CopyFigures& figures) {
  std::optional<double> longest;
  for (const auto& [oid, pace] : figures.paces) {
    if (!pace.seconds_left) {
      return std::nullopt;
    }
    longest = std::max(longest.value_or(0), *pace.seconds_left);
  }
  return longest;
}

}  // namespace

std::uint64_t bytes_done(const TableRecord& table) {
  const CopyProgress& copy = table.copy;
  const bool has_its_copy =
      table.state == TableState::CatchingUp || table.state == TableState::Live;
  return has_its_copy ? copy.bytes_estimated : std::min(copy.bytes, copy.bytes_estimated);
}

CopyFigures CopyMeter::read() {
  const std::lock_guard lock(mutex_);
  const SteadyTime now = clock_.steady();
  CopyFigures figures;
  figures.tables = tables_.all();
  for (const TableRecord& table : figures.tables) {
    if (table.state == TableState::Copying || table.state == TableState::CatchingUp) {
      figures.paces[table.oid] = pace(table, now);
    }
  }
  std::erase_if(followed_, [&](const auto& entry) { return !figures.paces.contains(entry.first); });
  follow_wave(figures, now);
  figures.wave = wave_;
  return figures;
}

CopyPace CopyMeter::pace(const TableRecord& table, SteadyTime now) {
  Followed& followed = followed_[table.oid];
  if (followed.attempt != table.attempt || followed.state != table.state) {
    followed = {table.attempt, table.state, RecentRate(), RecentRate()};
  }
  CopyPace pace;
  std::uint64_t left = 0;
  if (table.state == TableState::Copying) {
    followed.rows.note(now, static_cast<double>(table.copy.rows));
    followed.bytes.note(now, static_cast<double>(bytes_done(table)));
    left = table.copy.bytes_estimated - bytes_done(table);
  } else if (table.copy.journal_bytes_left) {
    left = *table.copy.journal_bytes_left;
    followed.bytes.note(now, -static_cast<double>(left));
  }
  pace.rows_per_second = growth(followed.rows);
  pace.bytes_per_second = growth(followed.bytes);
  pace.seconds_left = time_for(left, pace.bytes_per_second);
  return pace;
}

void CopyMeter::follow_wave(const CopyFigures& figures, SteadyTime now) {
  CopyWave coming;
  bool moving = false;
  for (const TableRecord& table : figures.tables) {
    if (is_on_its_way(table)) {
      add_coming(coming, table);
    }
    moving = moving || moves(table, now);
  }
  const std::vector<const TableRecord*> joined = joined_since(figures.tables);
  if (wave_.ended && (moving || !joined.empty())) {
    begin_wave(now);
  }
  for (const TableRecord* const table : joined) {
    ++joined_.live;
    add_copied(joined_, *table);
  }
  if (!wave_.ended) {
    measure(coming, now);
    if (coming.waiting + coming.copying == 0) {
      wave_.pace.seconds_left = longest_left(figures);
    }
  }
  wave_.ended = !moving;
  // Those that wait for another try are shown between waves too.
  wave_.waiting = coming.waiting;
}

std::vector<const TableRecord*> CopyMeter::joined_since(const std::vector<TableRecord>& tables) {
  std::vector<const TableRecord*> joined;
  for (const TableRecord& table : tables) {
    if (table.state != TableState::Live || table.live_at == SteadyTime{}) {
      continue;
    }
    SteadyTime& counted = counted_[table.oid];
    if (table.live_at != counted) {
      counted = table.live_at;
      joined.push_back(&table);
    }
  }
  return joined;
}

void CopyMeter::begin_wave(SteadyTime now) {
  const std::uint64_t number = wave_.number + 1;
  wave_ = {};
  wave_.number = number;
  wave_.ended = false;
  wave_.began = clock_.now();
  joined_ = {};
  wave_began_ = now;
  wave_rows_ = RecentRate();
  wave_bytes_ = RecentRate();
}

void CopyMeter::measure(const CopyWave& coming, SteadyTime now) {
  // A copy that failed is begun anew.
  if (coming.rows + joined_.rows < wave_.rows || coming.bytes + joined_.bytes < wave_.bytes) {
    wave_rows_ = RecentRate();
    wave_bytes_ = RecentRate();
  }
  wave_.copying = coming.copying;
  wave_.catching_up = coming.catching_up;
  wave_.live = joined_.live;
  wave_.rows = coming.rows + joined_.rows;
  wave_.bytes = coming.bytes + joined_.bytes;
  wave_.bytes_estimated = coming.bytes_estimated + joined_.bytes_estimated;
  wave_.sized = coming.sized;
  wave_.journal_bytes_left = coming.journal_bytes_left;
  wave_.seconds = std::chrono::duration<double>(now - wave_began_).count();
  wave_rows_.note(now, static_cast<double>(wave_.rows));
  wave_bytes_.note(now, static_cast<double>(wave_.bytes));
  wave_.pace.rows_per_second = growth(wave_rows_);
  wave_.pace.bytes_per_second = growth(wave_bytes_);
  wave_.pace.seconds_left =
      wave_.sized ? time_for(wave_.bytes_estimated - wave_.bytes, wave_.pace.bytes_per_second)
                  : std::nullopt;
}

}  // namespace re_dms
