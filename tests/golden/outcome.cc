#include "outcome.h"

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <utility>
#include <vector>

#include "base/testing/faulty_file_system.h"
#include "batch/batcher.h"
#include "batch/testing/target_model.h"
#include "journal/journal_reader.h"
#include "journal/journal_writer.h"
#include "row_text.h"
#include "stage/stager.h"
#include "stage/testing/staged_reader.h"
#include "warehouse/warehouse.h"

namespace re_dms {

namespace {

constexpr std::size_t kPartBytes = 8U << 20;

/// Times stand in statements.
class StoppedClock final : public Clock {
 public:
  SystemTime now() const override { return SystemTime(std::chrono::days(20'000)); }

  SteadyTime steady() const override { return SteadyTime(std::chrono::hours(1)); }
};

Origin origin_of(const RecordedStream& stream) {
  Origin origin;
  origin.system_identifier = "7000000000000000001";
  origin.timeline = 1;
  origin.database = "golden";
  origin.slot = "golden";
  origin.publication = "golden";
  origin.server_version = 150000;
  origin.created = true;
  origin.consistent_point = stream.start;
  return origin;
}

/// Through a real journal, so that the units are those a daemon would read.
std::vector<SealedBatch> fold(const RecordedStream& stream) {
  FaultyFileSystem files;
  JournalLimits limits;
  limits.directory = "/journal";
  limits.reserve_bytes = 0;
  files.create_directories(limits.directory);
  JournalWriter journal(files, limits, origin_of(stream));
  JournalBlock records = stream.records;
  journal.append(records);
  journal.sync();

  RecordingSink sink;
  Batcher batcher({1U << 30, 64U << 20}, stream.start, {}, sink);
  JournalReader reader(files, limits.directory, nullptr, stream.start);
  auto seal = stream.seals.begin();
  while (const auto unit = reader.next(std::chrono::milliseconds(0), {})) {
    batcher.consume(*unit);
    for (; seal != stream.seals.end() && batcher.position() >= *seal; ++seal) {
      batcher.seal();
    }
  }
  batcher.seal();
  return std::move(sink.batches);
}

std::string file_head(const PartNumber& number, const StagedLayer& layer) {
  const TableSchema& table = *layer.table;
  const std::string columns = column_names(table, false, "");
  return fmt::format("# batch {}, layer {}, part {}: {}, {}\n", number.batch, number.layer + 1,
                     number.part + 1, to_string(table.name),
                     layer.shape == LayerShape::Inserts
                         ? "inserts: " + columns
                         : fmt::format("changes: op, mask, {}, {}",
                                       column_names(table, true, "origin "), columns));
}

/// Stages one batch and adds its files to `csv`.
StagedBatch stage(const SealedBatch& batch, ObjectStore& store, std::string& csv) {
  const StageNames names{"7000000000000000001", "golden", 1, "0"};
  StagedBatch staged;
  staged.span = batch.span;
  staged.set_aside = batch.set_aside;
  for (const Layer& layer : batch.layers) {
    PartNumber number{batch.span.number, staged.layers.size(), 0};
    StagedLayer& described = staged.layers.emplace_back(describe(layer));
    for (const PartRange& part : plan_parts(layer, kPartBytes)) {
      const StagedFile& file = described.files.emplace_back(
          write_part(store, names, number, layer, part, Compression::Fast));
      csv += file_head(number, described) + gunzip(content_of(file.path));
      ++number.part;
    }
  }
  return staged;
}

/// Keeps statements as text that is the same everywhere.
class StatementRecord {
 public:
  explicit StatementRecord(std::string directory) : directory_(std::move(directory)) {}

  void add(std::string_view statement) {
    std::string line(statement);
    for (std::size_t at = 0; (at = line.find(directory_, at)) != line.npos;) {
      line.replace(at, directory_.size(), "/DIRECTORY");
    }
    // What is written into our own tables holds OIDs, positions and sizes of compressed files; that
    // it is written, and when, belongs to the load. What is read from them does not.
    if (const std::size_t at = line.find("re_dms_internal"); at != line.npos) {
      if (line.starts_with("SELECT")) {
        return;
      }
      line.resize(std::min(line.find(' ', at), line.size()));
      line += " …";
    }
    text_ += line + ";\n";
  }

  void comment(std::string_view words) { text_ += fmt::format("-- {}\n", words); }

  const std::string& text() const { return text_; }

 private:
  std::string directory_;
  std::string text_;
};

}  // namespace

Expected play(const RecordedStream& stream) {
  const ScratchDirectory scratch;
  const auto store = open_directory_store(scratch.path() + "/stage");
  StatementRecord statements(scratch.path());
  bool loading = false;
  WarehouseSettings settings;
  settings.url = "duckdb://" + scratch.path() + "/golden.duckdb";
  settings.memory_bytes = 256U << 20;
  settings.temporary_directory = scratch.path() + "/spill";
  settings.watch.begins = [&](std::string_view statement) {
    if (loading) {
      statements.add(statement);
    }
  };
  StoppedClock clock;
  const auto warehouse = open_warehouse(settings, clock);
  warehouse->take_over(origin_of(stream), {Lsn{std::numeric_limits<std::uint64_t>::max()}}, {});
  loading = true;

  Expected outcome;
  for (const SealedBatch& batch : fold(stream)) {
    outcome.txt += describe_batch(batch);
    const StagedBatch staged = stage(batch, *store, outcome.csv);
    statements.comment(fmt::format("batch {}", batch.span.number));
    const LoadReport report = warehouse->load(staged, {});
    statements.comment(fmt::format("{} rows loaded", report.rows));
    for (const SetAside& table : report.set_aside) {
      statements.comment(fmt::format("set aside: {}: {}", to_string(table.table), table.reason));
    }
  }
  outcome.sql = statements.text();
  return outcome;
}

}  // namespace re_dms
