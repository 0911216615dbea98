#include "stage/stager.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/error.h"
#include "stage/column_plan.h"
#include "stage/csv.h"
#include "stage/gzip.h"

namespace re_dms {

namespace {

/// "<system identifier>/<slot>/": what all runs of one slot share.
std::string slot_prefix(const StageNames& names) {
  return fmt::format("{}/{}/", names.system_identifier, names.slot);
}

std::size_t bytes_of(const Layer::StoredRow& row) {
  return ((row.tuple ? row.tuple.view().size() : 0) +
          (row.origin_key ? row.origin_key.view().size() : 0)) *
         row.copies;
}

LayerShape shape_of(const Layer& layer) {
  if (layer.counts.rows() == layer.counts.inserts) {
    return LayerShape::Inserts;
  }
  return is_multiset(*layer.table) ? LayerShape::Multiset : LayerShape::Changes;
}

std::vector<bool> updated_columns(const Layer& layer) {
  if (layer.counts.updates == 0) {
    return {};
  }
  const std::size_t columns = layer.table->columns.size();
  std::vector<bool> updated(columns, false);
  std::size_t missing = columns;
  for (std::size_t index = 0; index < layer.rows.size() && missing > 0; ++index) {
    if (layer.rows[index].void_row || layer.rows[index].op != RowOp::Update) {
      continue;
    }
    const TupleView tuple = layer.row(index).tuple;
    RE_DMS_CHECK(!tuple.empty() && tuple.count() == columns);
    ColumnCursor cursor = tuple.columns();
    for (std::size_t column = 0; column < columns; ++column) {
      if (cursor.next().kind != ValueKind::UnchangedToast && !updated[column]) {
        updated[column] = true;
        --missing;
      }
    }
  }
  return updated;
}

/// Values that columns give to rows that are there already.
void hold_older_rows(StagedLayer& staged, const StageFormat& format) {
  AdjustedLog log(key_columns(*staged.table));
  for (SchemaChange& change : staged.changes) {
    auto* const add = std::get_if<AddColumn>(&change);
    if (add == nullptr || !add->column.missing) {
      continue;
    }
    Column& column = add->column;
    const ValueLimits limits = format.limits(column.type);
    // One that is gone again counts for nobody.
    const auto place = std::ranges::find(staged.table->columns, column.name, &Column::name);
    if (fits(limits, *column.missing) || place == staged.table->columns.end()) {
      continue;
    }
    const ColumnPlan plan(*staged.table, format);
    const auto index = static_cast<std::size_t>(place - staged.table->columns.begin());
    const HeldValue held = hold(limits, plan.policy(index), *column.missing);
    if (held.refused) {
      log.refused({index, held.reason, plan.is_key(index), held.remedy});
      continue;
    }
    log.changed(index, held, *column.missing, {});
    column.missing = held.text ? std::optional(std::string(*held.text)) : std::nullopt;
  }
  staged.adjusted = log.take();
}

void keep_columns(StagedLayer& staged) {
  for (SchemaChange& change : staged.changes) {
    if (auto* const drop = std::get_if<DropColumn>(&change)) {
      drop->kept = true;
    }
  }
  if (staged.copy) {
    staged.copy->keeps_columns = true;
  }
}

/// Whether a key is "<slot prefix><epoch>-<random>/…" with an epoch before that of the names.
bool is_older(std::string_view key, const StageNames& names) {
  key.remove_prefix(slot_prefix(names).size());
  std::uint64_t epoch = 0;
  const auto [end, fault] = std::from_chars(key.data(), key.data() + key.size(), epoch);
  const std::string_view rest(end, static_cast<std::size_t>(key.data() + key.size() - end));
  return fault == std::errc() && epoch < names.epoch && rest.starts_with('-') &&
         rest.find('/') != rest.npos;
}

}  // namespace

std::vector<PartRange> plan_parts(const Layer& layer, std::size_t part_bytes) {
  std::size_t total = 0;
  std::size_t work_end = 0;  // behind the last row that is not void
  for (std::size_t index = 0; index < layer.rows.size(); ++index) {
    if (!layer.rows[index].void_row) {
      total += bytes_of(layer.rows[index]);
      work_end = index + 1;
    }
  }
  std::vector<PartRange> parts;
  if (work_end == 0) {
    return parts;
  }
  const std::size_t wanted = std::max(part_bytes, std::size_t{1});
  const std::size_t count = std::max((total + wanted - 1) / wanted, std::size_t{1});
  const std::size_t even = std::max((total + count - 1) / count, std::size_t{1});
  std::size_t first = 0;
  std::size_t done = 0;
  std::size_t cut = even;  // where in the bytes the next part begins
  for (std::size_t index = 0; index < work_end; ++index) {
    if (layer.rows[index].void_row) {
      continue;
    }
    done += bytes_of(layer.rows[index]);
    if (done >= cut && index + 1 < work_end) {
      parts.push_back({first, index + 1});
      first = index + 1;
      // A row larger than a part takes the place of several.
      cut = (done / even + 1) * even;
    }
  }
  parts.push_back({first, layer.rows.size()});
  return parts;
}

StagedLayer describe(const Layer& layer, const StageFormat& format) {
  StagedLayer staged;
  staged.table = layer.table;
  staged.changes = layer.changes;
  staged.truncate = layer.truncate;
  staged.shape = shape_of(layer);
  staged.counts = layer.counts;
  staged.received = layer.received;
  staged.updated_columns = updated_columns(layer);
  staged.copy = layer.copy;
  if (format.keeps_columns && format.keeps_columns(layer.table->name)) {
    keep_columns(staged);
  }
  if (format.limits != nullptr) {
    hold_older_rows(staged, format);
  }
  return staged;
}

std::string StageNames::prefix() const {
  return fmt::format("{}{}-{}/", slot_prefix(*this), epoch, random);
}

StagedFile write_part(ObjectStore& store, const StageNames& names, const PartNumber& number,
                      const Layer& layer, const PartRange& range, Compression compression) {
  RE_DMS_CHECK(range.first < range.last && range.last <= layer.rows.size());
  const std::unique_ptr<ObjectWriter> object =
      store.create(fmt::format("{}{}b{}-l{}-p{}.csv.gz", names.prefix(), names.room, number.batch,
                               number.layer, number.part));
  GzipStream gzip(*object, compression);
  CsvWriter csv(*layer.table, shape_of(layer), gzip, names.format);
  StagedFile file;
  for (std::size_t index = range.first; index < range.last; ++index) {
    if (layer.rows[index].void_row) {
      continue;
    }
    for (std::uint32_t copy = 0; copy < layer.rows[index].copies; ++copy) {
      file.row_bytes_max = std::max(file.row_bytes_max, csv.append(layer.row(index)));
      ++file.rows;
    }
  }
  csv.finish();
  file.adjusted = csv.take_adjusted();
  gzip.finish();
  file.csv_bytes = csv.bytes();
  file.stored_bytes = gzip.bytes();
  file.crc32c = gzip.crc32c();
  file.path = object->finish();
  return file;
}

void remove_batch(ObjectStore& store, const StagedBatch& batch) {
  // The manifest goes first: one that is there names files that are there.
  if (!batch.manifest_path.empty()) {
    store.remove(store.key_of(batch.manifest_path));
  }
  std::vector<std::string> keys;
  for (const StagedLayer& layer : batch.layers) {
    if (!layer.manifest_path.empty()) {
      keys.push_back(store.key_of(layer.manifest_path));
    }
    for (const StagedFile& file : layer.files) {
      keys.push_back(store.key_of(file.path));
    }
  }
  store.remove_all(keys);
}

void remove_older_runs(ObjectStore& store, const StageNames& names) {
  std::vector<std::string> keys = store.list(slot_prefix(names));
  std::vector<std::string> unfinished = store.list_unfinished(slot_prefix(names));
  keys.insert(keys.end(), unfinished.begin(), unfinished.end());
  std::erase_if(keys, [&names](const std::string& key) { return !is_older(key, names); });
  store.remove_all(keys);
}

}  // namespace re_dms
