#include "warehouse/duckdb/staged_row.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "warehouse/testing/staged_files.h"

namespace re_dms::duckdb::staged_row_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Optional;
using ::testing::SizeIs;

class StagedRow : public ::testing::Test {
 protected:
  ~StagedRow() override { std::filesystem::remove(path_); }

  Row read(std::string_view csv) {
    std::filesystem::remove(path_);
    return read_staged_row(re_dms::testing::write_csv(path_, csv, 1));
  }

  const std::string path_ = ::testing::TempDir() + "staged_row." + std::to_string(::getpid());
};

TEST_F(StagedRow, IsReadAsTheStageWroteIt) {
  EXPECT_THAT(read("U,01,7,\\N,\"a,\"\"b\"\"\n\\\"\n"),
              ElementsAre("U", "01", "7", Eq(std::nullopt), "a,\"b\"\n\\"));
  EXPECT_THAT(read("R,\\N,\"\",\"\\N\",\"\"\"\"\n"),
              ElementsAre("R", Eq(std::nullopt), "", "\\N", "\""));
}

TEST_F(StagedRow, MayBeLarge) {
  const std::string value(20 << 20, 'x');
  EXPECT_THAT(read("U,1,\"" + value + "\"\n"),
              ElementsAre("U", "1", Optional(SizeIs(value.size()))));
}

TEST_F(StagedRow, IsTheOnlyOne) {
  for (const std::string_view csv :
       {"", "U,1", "U,\"1", "U,\"1\"", "U,\"1\"2\n", "U,1\nU,2\n", "U,1\n\n"}) {
    EXPECT_THROW(read(csv), Error) << csv;
  }
}

TEST_F(StagedRow, ComesFromAFileThatIsWhole) {
  StagedFile file = re_dms::testing::write_csv(path_, "U,1\n", 1);
  ++file.csv_bytes;
  EXPECT_THROW(read_staged_row(file), Error);
  --file.csv_bytes;
  EXPECT_THAT(read_staged_row(file), SizeIs(2));
  std::filesystem::resize_file(path_, std::filesystem::file_size(path_) - 1);
  EXPECT_THROW(read_staged_row(file), Error);
  std::filesystem::remove(path_);
  EXPECT_THROW(read_staged_row(file), Error);
}

}  // namespace
}  // namespace re_dms::duckdb::staged_row_test
