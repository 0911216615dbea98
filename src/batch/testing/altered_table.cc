#include "batch/testing/altered_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace re_dms {

namespace {

constexpr std::uint64_t kTransactions = 12;

Lsn commit_of(Lsn end) {
  return Lsn{end.value - 10};
}

}  // namespace

AlteredTable::AlteredTable(std::uint64_t seed) : engine_(seed) {
  now_.schema = text_table(kOid, "altered", {"id", "k", "a"});
  now_.schema.history = {files_, 3, 0, false};
  now_.schema.publication = Publishing{{16000, 700}, {}};
  for (int i = 0; i < 3; ++i) {
    now_.rows.push_back(values(++ids_));
  }
  states_[kFrom] = now_;
  for (std::uint64_t i = 0; i < kTransactions; ++i) {
    make_transaction();
  }
  for (std::size_t i = 0; i < transactions_.size(); ++i) {
    tell(i);
  }
}

void AlteredTable::make_transaction() {
  transactions_.push_back({Lsn{kFrom.value + 100 * (transactions_.size() + 1)}, {}});
  const std::uint64_t changes = 1 + random(4);
  for (std::uint64_t i = 0; i < changes; ++i) {
    if (random(6) == 0) {
      alter();
    }
    change_row();
  }
  states_[transactions_.back().end] = now_;
}

std::string AlteredTable::free_name() {
  for (;;) {
    std::string name(1, static_cast<char>('a' + random(4)));
    if (std::ranges::find(now_.schema.columns, name, &Column::name) == now_.schema.columns.end()) {
      return name;
    }
  }
}

void AlteredTable::alter() {
  const std::uint64_t dice = random(24);
  const std::size_t columns = now_.schema.columns.size();
  if (dice < 9 && columns < 6) {
    add_column(free_name());
  } else if (dice < 16) {
    drop_column(2 + random(4));
  } else if (dice < 17 && columns > 2) {
    const std::string name = now_.schema.columns.back().name;
    drop_column(columns - 1);
    add_column(name);
  } else if (dice < 18 && columns > 2 && columns < 6) {
    now_.schema.columns.back().name = free_name();
  } else if (dice < 20) {
    rewrite();
  } else if (dice < 22) {
    switch_key();
  } else if (dice < 23) {
    now_.rows.clear();
    now_.schema.history.file_node = ++files_;
    step(truncate_message({kOid}));
  } else if (random(4) == 0) {
    ++now_.schema.publication->publication.xmin;
  }
}

/// With no default, a constant one, or one that is another for each row.
void AlteredTable::add_column(const std::string& name) {
  Column column = text_table(0, "", {name}, 0).columns[0];
  column.attnum = static_cast<std::int16_t>(++now_.schema.history.last_attnum);
  const std::uint64_t kind = random(5);
  if (kind == 0) {
    rewrite();
  } else if (kind < 3) {
    column.missing = fmt::format("c{}", column.attnum);
  }
  for (Row& row : now_.rows) {
    row.emplace(column.attnum, column.missing ? Cell(*column.missing)
                               : kind == 0 ? Cell(fmt::format("c{}v{}", column.attnum, row.size()))
                                           : kNull);
  }
  now_.schema.columns.push_back(column);
}

bool AlteredTable::drop_column(std::size_t index) {
  std::vector<Column>& columns = now_.schema.columns;
  if (index >= columns.size()) {
    return false;
  }
  const std::int16_t attnum = columns[index].attnum;
  columns.erase(columns.begin() + static_cast<std::ptrdiff_t>(index));
  now_.schema.history.last_dropped = std::max(now_.schema.history.last_dropped, attnum);
  for (Row& row : now_.rows) {
    row.erase(attnum);
  }
  return true;
}

/// The catalog forgets what rows hold that were there before a column was.
void AlteredTable::rewrite() {
  now_.schema.history.file_node = ++files_;
  for (Column& column : now_.schema.columns) {
    column.missing.reset();
  }
}

void AlteredTable::switch_key() {
  const bool by_id = now_.schema.columns[0].key;
  now_.schema.columns[0].key = !by_id;
  now_.schema.columns[1].key = by_id;
  now_.schema.identity = by_id ? ReplicaIdentity::Index : ReplicaIdentity::Default;
}

AlteredTable::Row AlteredTable::values(std::uint64_t id) {
  Row row;
  for (const Column& column : now_.schema.columns) {
    const bool unique = column.attnum <= 2;
    row.emplace(column.attnum,
                unique           ? Cell(fmt::format("c{}r{}", column.attnum, id))
                : random(5) == 0 ? kNull
                                 : Cell(fmt::format("c{}r{}n{}", column.attnum, id, random(1000))));
  }
  return row;
}

Cells AlteredTable::cells(const Row& row, bool only_key) const {
  Cells cells;
  for (const Column& column : now_.schema.columns) {
    cells.push_back(only_key && !column.key ? kNull : row.at(column.attnum));
  }
  return cells;
}

void AlteredTable::change_row() {
  const std::uint64_t dice = now_.rows.empty() ? 0 : random(4);
  if (dice < 2) {
    now_.rows.push_back(values(++ids_));
    return step(insert_message(kOid, cells(now_.rows.back(), false)));
  }
  const std::size_t index = random(now_.rows.size());
  if (dice == 2) {
    const std::string id = now_.rows[index].at(1).text.substr(3);
    now_.rows[index] = values(std::stoull(id));
    return step(update_message(kOid, cells(now_.rows[index], false)));
  }
  const Cells old = cells(now_.rows[index], true);
  now_.rows.erase(now_.rows.begin() + static_cast<std::ptrdiff_t>(index));
  step(delete_message(kOid, old));
}

void AlteredTable::step(std::string message) {
  transactions_.back().steps.push_back({std::move(message), now_.schema});
}

/// The transaction, perhaps after the same was cut off some times, and perhaps with an answer
/// before it.
void AlteredTable::tell(std::size_t number) {
  const Transaction& transaction = transactions_[number];
  const std::string begin = StreamBuilder().begin(commit_of(transaction.end)).bytes();
  if (number > 0 && random(4) == 0) {
    units_.push_back({UnitKind::Facts, answer(number - 1)});
  }
  while (random(5) == 0) {
    units_.push_back({UnitKind::FirstPart, begin + steps(transaction, random(5))});
    units_.push_back({UnitKind::Abort, {}});
    connected_ = false;
  }
  StreamBuilder builder;
  builder.begin(commit_of(transaction.end));
  builder.clear();
  const std::string end = builder.commit(transaction.end).bytes();
  const std::string all = steps(transaction, transaction.steps.size());
  units_.push_back({UnitKind::Transaction, begin + all + end});
}

/// The first steps. Answers show what is committed already: this transaction, and perhaps more.
std::string AlteredTable::steps(const Transaction& transaction, std::size_t number) {
  const std::size_t place = (transaction.end.value - kFrom.value) / 100 - 1;
  std::string records;
  for (std::size_t i = 0; i < std::min(number, transaction.steps.size()); ++i) {
    const Step& step = transaction.steps[i];
    if (!connected_ || related_ != step.schema || random(10) == 0) {
      records += answer(place);
      records += StreamBuilder().relation(step.schema).bytes();
      connected_ = true;
      related_ = step.schema;
    }
    records += StreamBuilder().message(step.message).bytes();
  }
  return records;
}

std::string AlteredTable::answer(std::size_t transaction) {
  answered_ = std::max(answered_, transaction);
  while (answered_ + 1 < transactions_.size() && random(3) == 0) {
    ++answered_;
  }
  const Lsn end = transactions_[answered_].end;
  return StreamBuilder().catalog({{states_.at(end).schema, true, end}}).bytes();
}

}  // namespace re_dms
