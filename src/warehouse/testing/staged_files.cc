#include "warehouse/testing/staged_files.h"

#include <fmt/format.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <atomic>
#include <fstream>

#include "base/crc32c.h"
#include "base/error.h"

namespace re_dms::testing {

namespace {

std::string csv_value(const Text& value) {
  if (!value) {
    return "\\N";
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  const bool plain = !value->empty() && *value != "\\N" &&
                     value->find_first_of(",\"\r\n") == std::string::npos &&
                     !value->starts_with(kByteOrderMark);
  if (plain) {
    return *value;
  }
  std::string quoted = "\"";
  for (const char c : *value) {
    quoted.append(c == '"' ? 2 : 1, c);
  }
  return quoted + "\"";
}

std::string gzip(std::string_view text) {
  std::string compressed(text.size() + text.size() / 8 + 4096, '\0');
  isal_zstream stream{};
  isal_deflate_stateless_init(&stream);
  stream.gzip_flag = IGZIP_GZIP;
  stream.end_of_stream = 1;
  stream.flush = NO_FLUSH;
  stream.next_in = reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<std::uint32_t>(text.size());
  stream.next_out = reinterpret_cast<std::uint8_t*>(compressed.data());
  stream.avail_out = static_cast<std::uint32_t>(compressed.size());
  RE_DMS_CHECK(isal_deflate_stateless(&stream) == COMP_OK);
  compressed.resize(stream.total_out);
  return compressed;
}

std::string fresh_path(const std::string& directory) {
  static std::atomic<int> count{0};
  return fmt::format("{}/part-{}.csv.gz", directory, ++count);
}

}  // namespace

StagedFile write_csv(const std::string& path, std::string_view csv, std::uint64_t rows) {
  const std::string compressed = gzip(csv);
  std::ofstream(path, std::ios::binary) << compressed;
  return {path, rows, csv.size(), compressed.size(), csv.size(), crc32c(0, compressed)};
}

StagedFile write_rows(const std::string& path, const std::vector<TextRow>& rows) {
  std::string csv;
  std::uint64_t row_bytes_max = 0;
  for (const TextRow& row : rows) {
    const std::size_t start = csv.size();
    for (std::size_t i = 0; i < row.size(); ++i) {
      csv += i == 0 ? "" : ",";
      csv += csv_value(row[i]);
    }
    csv += '\n';
    row_bytes_max = std::max<std::uint64_t>(row_bytes_max, csv.size() - start);
  }
  StagedFile file = write_csv(path, csv, rows.size());
  file.row_bytes_max = row_bytes_max;
  return file;
}

LayerBuilder& LayerBuilder::create() {
  changes_.emplace_back(CreateTable{});
  return *this;
}

LayerBuilder& LayerBuilder::add_column(const std::string& name) {
  for (const Column& column : table_->columns) {
    if (column.name == name) {
      changes_.emplace_back(AddColumn{column});
    }
  }
  return *this;
}

LayerBuilder& LayerBuilder::drop_column(const std::string& name) {
  changes_.emplace_back(DropColumn{name});
  return *this;
}

LayerBuilder& LayerBuilder::keep_column(const std::string& name) {
  changes_.emplace_back(DropColumn{name, true});
  return *this;
}

LayerBuilder& LayerBuilder::store_schema() {
  changes_.emplace_back(StoreSchema{});
  return *this;
}

LayerBuilder& LayerBuilder::truncate() {
  truncate_ = true;
  return *this;
}

LayerBuilder& LayerBuilder::change(const std::string& op, const Text& mask, const TextRow& key,
                                   TextRow values) {
  TextRow row{op};
  if (!is_multiset(*table_)) {
    row.push_back(mask);
    row.insert(row.end(), key.begin(), key.end());
  }
  values.resize(table_->columns.size());
  row.insert(row.end(), values.begin(), values.end());
  changed_.push_back(std::move(row));
  return *this;
}

LayerBuilder& LayerBuilder::insert(TextRow values) {
  ++counts_.inserts;
  inserts_.push_back(values);
  return change("I", std::nullopt, TextRow(key_columns(*table_).size()), std::move(values));
}

LayerBuilder& LayerBuilder::replace(const TextRow& key, TextRow values) {
  ++counts_.replaces;
  return change("R", std::nullopt, key, std::move(values));
}

LayerBuilder& LayerBuilder::update(const TextRow& key, const std::string& mask, TextRow values) {
  ++counts_.updates;
  updated_.resize(table_->columns.size());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    updated_[i] = updated_[i] || mask[i] == '1';
  }
  return change("U", mask, key, std::move(values));
}

LayerBuilder& LayerBuilder::remove(const TextRow& key) {
  ++counts_.deletes;
  return change("D", std::nullopt, key, {});
}

LayerBuilder& LayerBuilder::take(TextRow values) {
  ++counts_.deletes;
  return change("D", std::nullopt, {}, std::move(values));
}

StagedLayer LayerBuilder::build(const std::string& directory, std::size_t rows_per_file) const {
  StagedLayer layer;
  layer.table = table_;
  layer.changes = changes_;
  layer.truncate = truncate_;
  layer.counts = counts_;
  layer.updated_columns = updated_;
  layer.shape = counts_.rows() == counts_.inserts ? LayerShape::Inserts
                : is_multiset(*table_)            ? LayerShape::Multiset
                                                  : LayerShape::Changes;
  const auto& rows = layer.shape == LayerShape::Inserts ? inserts_ : changed_;
  for (std::size_t first = 0; first < rows.size(); first += rows_per_file) {
    const auto from = rows.begin() + static_cast<std::ptrdiff_t>(first);
    const auto to =
        rows.begin() + static_cast<std::ptrdiff_t>(std::min(rows.size(), first + rows_per_file));
    layer.files.push_back(write_rows(fresh_path(directory), {from, to}));
  }
  return layer;
}

}  // namespace re_dms::testing
