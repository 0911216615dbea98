// Any bytes as the journal's units: folded and sealed, or refused with an Error.
//
// Input: units back to back. Unit: u8 kind (of UnitKind; 128 added: a seal follows), u8 number of
// records, then per record u8 kind (of RecordKind), u16 little-endian size, body.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "batch/batcher.h"
#include "batch/testing/stream_builder.h"

namespace {

/// Walks every row, so that a bad one shows.
class WalkingSink final : public re_dms::BatchSink {
 public:
  void layer(re_dms::Layer&& taken) override {
    const re_dms::Layer layer = std::move(taken);
    for (std::size_t i = 0; i < layer.rows.size(); ++i) {
      if (layer.rows[i].void_row) {
        continue;
      }
      const re_dms::NetRow row = layer.row(i);
      re_dms::for_each_key_part(row.origin_key, [&](std::string_view part) { note(part); });
      if (!row.tuple.empty()) {
        re_dms::ColumnCursor columns = row.tuple.columns();
        for (std::uint16_t column = 0; column < row.tuple.count(); ++column) {
          note(columns.next().text);
        }
      }
    }
  }

  void seal(const re_dms::BatchSpan&, std::vector<re_dms::SetAside>) override {}

  void drop() override {}

 private:
  void note(std::string_view text) {
    for (const char byte : text) {
      seen_ = seen_ + static_cast<unsigned char>(byte);
    }
  }

  volatile unsigned seen_ = 0;
};

/// Rows that nothing tells apart.
re_dms::TableSchema heap() {
  re_dms::TableSchema table = re_dms::text_table(102, "heap", {"a", "b"}, 0);
  table.identity = re_dms::ReplicaIdentity::Full;
  return table;
}

void run(re_dms::ByteReader& input, re_dms::Batcher& batcher) {
  while (!input.at_end()) {
    const std::uint8_t kind = input.u8();
    re_dms::JournalBlock records;
    for (std::uint8_t left = input.u8(); left > 0; --left) {
      const auto record = static_cast<re_dms::RecordKind>(input.u8());
      records.add(record, input.bytes(re_dms::load_le<std::uint16_t>(input.bytes(2).data())));
    }
    batcher.consume({static_cast<re_dms::UnitKind>((kind & 127U) % 7), records.bytes});
    if (kind >= 128 && !batcher.in_transaction()) {
      batcher.seal();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  WalkingSink sink;
  try {
    // A small memory, so that large transactions are cut.
    re_dms::Batcher batcher({8192, 4096}, re_dms::Lsn{1000},
                            {{re_dms::text_table(100, "orders", {"id", "a", "b"}), true},
                             {re_dms::text_table(101, "pairs", {"x", "y", "v"}, 2), true},
                             {heap(), true}},
                            sink);
    re_dms::ByteReader input(bytes, "fuzz input");
    run(input, batcher);
  } catch (const re_dms::Error& error) {
    // A failed check of ours is a bug, whatever came in.
    if (error.message().starts_with("internal check failed")) {
      __builtin_trap();
    }
  }
  return 0;
}
