#include "stage/gzip.h"

#include <gtest/gtest.h>

#include <random>

#include "base/crc32c.h"
#include "base/error.h"
#include "stage/testing/staged_reader.h"

namespace re_dms::gzip_test {
namespace {

std::string gzip_of(const std::vector<std::string>& pieces, Compression compression) {
  std::string content;
  GatheringObject object(content);
  GzipStream gzip(object, compression);
  for (const std::string& piece : pieces) {
    gzip.take(piece);
  }
  gzip.finish();
  EXPECT_EQ(gzip.bytes(), content.size());
  EXPECT_EQ(gzip.crc32c(), crc32c(0, content));
  return content;
}

std::string noise(std::size_t size) {
  std::minstd_rand random(3);
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(random() >> 7);
  }
  return bytes;
}

class Gzip : public ::testing::TestWithParam<Compression> {};

INSTANTIATE_TEST_SUITE_P(All, Gzip, ::testing::Values(Compression::Fast, Compression::Stored));

TEST_P(Gzip, MakesAnEmptyMemberOfNothing) {
  EXPECT_EQ(gunzip(gzip_of({}, GetParam())), "");
  EXPECT_EQ(gunzip(gzip_of({""}, GetParam())), "");
}

TEST_P(Gzip, KeepsWhatWasTakenInPieces) {
  const std::string repeated(3'000'000, 'a');
  EXPECT_TRUE(gunzip(gzip_of({"a,b\n", noise(1'000'000), repeated, "end"}, GetParam())) ==
              "a,b\n" + noise(1'000'000) + repeated + "end");
}

// A stored block holds 65,535 bytes.
TEST_P(Gzip, EndsWhereABlockEnds) {
  for (const std::size_t size : {65'534U, 65'535U, 65'536U, 131'070U}) {
    EXPECT_TRUE(gunzip(gzip_of({noise(size)}, GetParam())) == noise(size)) << size;
  }
}

TEST_P(Gzip, WritesNeitherNameNorTimeIntoTheHeader) {
  const std::string content = gzip_of({"a"}, GetParam());
  EXPECT_EQ(content.substr(0, 8), std::string("\x1F\x8B\x08\0\0\0\0\0", 8));
}

TEST_P(Gzip, TakesNothingAfterItsEnd) {
  std::string content;
  GatheringObject object(content);
  GzipStream gzip(object, GetParam());
  gzip.finish();
  EXPECT_THROW(gzip.take("a"), Error);
  EXPECT_THROW(gzip.finish(), Error);
}

TEST(Compressions, DifferInSize) {
  const std::string repeated(3'000'000, 'a');
  EXPECT_LT(gzip_of({repeated}, Compression::Fast).size(), 30'000U);
  EXPECT_LT(gzip_of({repeated}, Compression::Stored).size(), 3'000'400U);
}

}  // namespace
}  // namespace re_dms::gzip_test
