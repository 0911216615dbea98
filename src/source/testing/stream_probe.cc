#include "source/testing/stream_probe.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/journal_unit.h"
#include "pgoutput/messages.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

std::string describe(const TupleView& tuple) {
  std::string text = "[";
  ColumnCursor columns = tuple.columns();
  for (std::uint16_t i = 0; i < tuple.count(); ++i) {
    const Value value = columns.next();
    text += i == 0 ? "" : "|";
    text += value.kind == ValueKind::Null             ? "NULL"
            : value.kind == ValueKind::UnchangedToast ? "UNCHANGED"
            : value.text.size() > 20                  ? fmt::format("{} bytes", value.text.size())
                                                      : std::string(value.text);
  }
  return text + "]";
}

std::string describe_message(std::string_view body) {
  switch (body[0]) {
    case 'R':
      return "R " + to_string(pgoutput::decode_relation(body).name);
    case 'I':
      return "I " + describe(pgoutput::decode_insert(body).tuple);
    case 'U': {
      const pgoutput::Update update = pgoutput::decode_update(body);
      return "U " + (update.old_tuple.empty() ? "" : describe(update.old_tuple)) +
             describe(update.tuple);
    }
    case 'D':
      return "D " + describe(pgoutput::decode_delete(body).old_tuple);
    case 'M':
      return "M " + std::string(pgoutput::decode_logical_message(body).prefix);
    default:
      return {body[0]};
  }
}

std::string describe_catalog(std::string_view body) {
  std::string text = "catalog";
  for (const CatalogTable& table : catalog_from_json(body)) {
    text += " " + to_string(table.schema.name) + "(";
    for (const Column& column : table.schema.columns) {
      text += column.attnum == table.schema.columns.front().attnum ? "" : ",";
      text += column.name + (column.key ? "*" : "") + (column.missing ? "=" + *column.missing : "");
    }
    text += table.admitted ? ")" : ") not admitted";
    text += table.schema.publication ? "" : " not published";
  }
  return text;
}

std::string describe(const RecordView& record) {
  switch (record.kind) {
    case RecordKind::Idle:
      return "idle";
    case RecordKind::Abort:
      return "abort";
    case RecordKind::Catalog:
      return describe_catalog(record.body);
    default:
      return describe_message(record.body);
  }
}

}  // namespace

StreamProbe::StreamProbe(SourceSettings settings, Origin origin, Lsn from, Lsn journaled_to,
                         bool open, ReadTimes times, bool paused)
    : paused_(paused), open_(open) {
  journal_thread_ = std::jthread([this](const std::stop_token& stop) { journal(stop); });
  thread_ = std::jthread([=, this, settings = std::move(settings),
                          origin = std::move(origin)](const std::stop_token& stop) {
    read(settings, origin, {from, journaled_to}, times, stop);
  });
}

StreamProbe::~StreamProbe() {
  thread_.request_stop();
  thread_.join();
  journal_thread_.request_stop();
  hold(false);
}

void StreamProbe::read(const SourceSettings& settings, const Origin& origin, StreamStart start,
                       ReadTimes times, const std::stop_token& stop) {
  const StreamWiring wiring{.out = queue_,
                            .progress = progress_,
                            .paused = [this] { return paused_.load(); },
                            .started = [this] { started_ = true; },
                            .left_out =
                                [this](const std::vector<LeftOut>& tables) {
                                  const std::lock_guard lock(mutex_);
                                  left_out_ = tables;
                                }};
  SlotReader reader(settings, origin, wiring, reported_, times);
  try {
    reader.run(start, open_, stop);
  } catch (const Error& error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
  }
  counts_ = reader.counts();
  finished_ = true;
}

void StreamProbe::journal(const std::stop_token& stop) {
  std::optional<JournalBlock> block;
  while (!stop.stop_requested()) {
    held_.wait(true);
    if (!block) {
      block = queue_.pop_for(stop, std::chrono::milliseconds(20));
    }
    // What came while held stays unjournaled, even where the wait for it had begun before.
    if (!block || held_) {
      continue;
    }
    const std::lock_guard lock(mutex_);
    for (RecordCursor cursor(block->bytes); !cursor.at_end();) {
      records_.push_back(describe(cursor.next()));
    }
    progress_.journaled.advance(block->position);
    block.reset();
  }
}

std::vector<std::string> StreamProbe::records() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

bool StreamProbe::saw(const std::string& line, int times) const {
  return eventually([&] {
    const std::lock_guard lock(mutex_);
    return std::count(records_.begin(), records_.end(), line) >= times;
  });
}

bool StreamProbe::says_left_out(const std::string& table, const std::string& words) const {
  return eventually([&] {
    const std::lock_guard lock(mutex_);
    if (!left_out_) {
      return false;
    }
    const auto found =
        std::ranges::find(*left_out_, QualifiedName{"public", table}, &LeftOut::table);
    return found == left_out_->end()
               ? words.empty()
               : !words.empty() && found->reason.find(words) != std::string::npos;
  });
}

std::optional<Error> StreamProbe::ended(std::chrono::seconds patience) {
  if (!eventually([this] { return finished_.load(); }, patience)) {
    return Error(ErrorKind::Fatal, "the stream goes on");
  }
  const std::lock_guard lock(mutex_);
  return error_;
}

}  // namespace re_dms
