#include "source/stream/block_maker.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "pgoutput/messages.h"
#include "schema/catalog_json.h"

namespace re_dms {

namespace {

/// Ours are those that the event trigger sends; other tools share the channel.
constexpr std::string_view kOurPrefix = "re_dms";

std::string catalog_body(const std::vector<CatalogTable>& catalog, Oid oid) {
  const auto found = std::find_if(catalog.begin(), catalog.end(), [oid](const CatalogTable& table) {
    return table.schema.oid == oid;
  });
  return catalog_to_json(found == catalog.end() ? std::vector<CatalogTable>{}
                                                : std::vector<CatalogTable>{*found});
}

std::vector<std::uint32_t> each_once(std::vector<std::uint32_t> numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

}  // namespace

void BlockMaker::misplaced(std::string_view message) {
  if (message.empty()) {
    throw Error(ErrorKind::Fatal, "the slot sent an empty message");
  }
  throw Error(
      ErrorKind::Fatal,
      fmt::format("the slot sent a message of type 0x{:02x} where protocol version 1 does not "
                  "allow one",
                  static_cast<unsigned char>(message.front())),
      "This is a bug of re_dms or of the server; nothing was confirmed beyond the last good "
      "transaction");
}

BlockMaker::Step BlockMaker::add_rare(std::string_view message) {
  switch (message.empty() ? '\0' : message.front()) {
    case 'B':
      if (open_) {
        misplaced(message);
      }
      xid_ = pgoutput::decode_begin(message).xid;
      block_.bytes.reserve(std::max(block_.bytes.size(), usual_bytes_));
      open_ = true;
      append(message);
      return Step::Inside;
    case 'C': {
      const pgoutput::Commit commit = pgoutput::decode_commit(message);
      append(message);
      open_ = false;
      position_ = std::max(position_, commit.end_lsn);
      commit_end_ = commit.end_lsn;
      note_complete();
      return Step::Committed;
    }
    case 'R':
      relations_.push_back({block_.bytes.size(), pgoutput::row_relation(message), xid_});
      append(message);
      return Step::Inside;
    case 'M': {
      const pgoutput::LogicalMessage logical = pgoutput::decode_logical_message(message);
      if (logical.transactional && logical.prefix.starts_with(kOurPrefix)) {
        append(message);
      }
      return Step::Inside;
    }
    default:
      misplaced(message);
  }
}

bool BlockMaker::add_idle(Lsn lsn, SystemTime now) {
  if (open_ || lsn <= position_) {
    return false;
  }
  std::string body;
  append_be(body, lsn.value);
  append_be(body, static_cast<std::uint64_t>(now.time_since_epoch().count()));
  block_.add(RecordKind::Idle, body);
  position_ = lsn;
  note_complete();
  return true;
}

std::vector<Oid> BlockMaker::tables_wanted() const {
  std::vector<Oid> tables;
  for (const RelationPlace& place : relations_) {
    tables.push_back(place.table);
  }
  return each_once(std::move(tables));
}

std::vector<std::uint32_t> BlockMaker::transactions_wanted() const {
  std::vector<std::uint32_t> xids;
  for (const RelationPlace& place : relations_) {
    xids.push_back(place.xid);
  }
  return each_once(std::move(xids));
}

JournalBlock BlockMaker::take(const std::vector<CatalogTable>& catalog) {
  usual_bytes_ = (usual_bytes_ + block_.bytes.size()) / 2;
  JournalBlock taken;
  std::swap(taken, block_);
  if (relations_.empty()) {
    return taken;
  }
  JournalBlock block;
  block.messages = taken.messages;
  block.rows = taken.rows;
  block.position = taken.position;
  std::size_t copied = 0;
  for (const RelationPlace& place : relations_) {
    block.bytes.append(taken.bytes, copied, place.offset - copied);
    block.add(RecordKind::Catalog, catalog_body(catalog, place.table));
    copied = place.offset;
  }
  block.bytes.append(taken.bytes, copied);
  relations_.clear();
  return block;
}

void BlockMaker::note_complete() {
  block_.position = position_;
}

JournalBlock abort_block() {
  JournalBlock block;
  block.add(RecordKind::Abort, "");
  return block;
}

}  // namespace re_dms
