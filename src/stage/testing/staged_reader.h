// Reads staged files back in tests, knowing of their writer no more than docs/stage_format.md says.
#pragma once

#include <isa-l/igzip_lib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "stage/byte_sink.h"
#include "stage/object_store.h"

namespace re_dms {

using CsvRow = std::vector<std::optional<std::string>>;

/// Takes nothing but what the format allows; throws std::runtime_error on everything else.
class CsvParser {
 public:
  explicit CsvParser(std::string_view text) : text_(text) {}

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      rows.push_back(row());
    }
    return rows;
  }

 private:
  static void require(bool condition, const char* problem) {
    if (!condition) {
      throw std::runtime_error(problem);
    }
  }

  char here() const {
    require(at_ < text_.size(), "the text ends inside a line");
    return text_[at_];
  }

  CsvRow row() {
    CsvRow row;
    do {
      row.push_back(here() == '"' ? quoted() : plain());
      require(here() == ',' || here() == '\n', "no end after a field");
    } while (text_[at_++] == ',');
    return row;
  }

  std::optional<std::string> quoted() {
    std::string field;
    for (++at_;; ++at_) {
      if (here() == '"') {
        ++at_;
        if (here() != '"') {
          return field;
        }
      }
      field += here();
    }
  }

  std::optional<std::string> plain() {
    std::string field;
    for (; here() != ',' && here() != '\n'; ++at_) {
      require(here() != '"' && static_cast<unsigned char>(here()) >= 0x20,
              "a byte that stands in quotes only");
      field += here();
    }
    if (field == "\\N") {
      return std::nullopt;
    }
    require(!field.empty() && field[0] != '\\', "a text that stands in quotes only");
    return field;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

inline std::vector<CsvRow> parse_csv(std::string_view text) {
  return CsvParser(text).rows();
}

/// The content of exactly one gzip member whose checksum is right.
inline std::string gunzip(std::string bytes) {
  const auto state = std::make_unique<inflate_state>();
  isal_inflate_init(state.get());
  state->crc_flag = ISAL_GZIP;
  state->next_in = reinterpret_cast<std::uint8_t*>(bytes.data());
  state->avail_in = static_cast<std::uint32_t>(bytes.size());
  std::string text;
  std::string piece(1 << 20, '\0');
  do {
    state->next_out = reinterpret_cast<std::uint8_t*>(piece.data());
    state->avail_out = static_cast<std::uint32_t>(piece.size());
    if (isal_inflate(state.get()) != ISAL_DECOMP_OK) {
      throw std::runtime_error("this is no gzip file");
    }
    text.append(piece, 0, piece.size() - state->avail_out);
  } while (state->avail_out == 0);
  if (state->block_state != ISAL_BLOCK_FINISH || state->avail_in != 0) {
    throw std::runtime_error("the gzip file does not end where it should");
  }
  return text;
}

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw std::runtime_error("cannot read " + path);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Gathers what a writer of bytes makes.
class GatheringSink final : public ByteSink {
 public:
  void take(std::string_view bytes) override {
    text.append(bytes);
    ++pieces;
  }

  std::string text;
  int pieces = 0;
};

class GatheringObject final : public ObjectWriter {
 public:
  explicit GatheringObject(std::string& content) : content_(content) {}

  void append(std::string_view bytes) override { content_.append(bytes); }

  std::string finish() override { return {}; }

 private:
  std::string& content_;
};

/// A fresh directory, gone with everything in it at the end.
class ScratchDirectory {
 public:
  ScratchDirectory()
      : path_((std::filesystem::temp_directory_path() / "re_dms_stage_XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) {
      throw std::runtime_error("cannot make a scratch directory");
    }
  }

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace re_dms
