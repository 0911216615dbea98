#include "stage/gzip.h"

#include <gtest/gtest.h>

#include <random>

#include "base/crc32c.h"
#include "base/error.h"
#include "stage/testing/staged_reader.h"

namespace re_dms::gzip_test {
namespace {

std::string gzip_of(const std::vector<std::string>& pieces) {
  std::string content;
  GatheringObject object(content);
  GzipStream gzip(object);
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

TEST(Gzip, MakesAnEmptyMemberOfNothing) {
  EXPECT_EQ(gunzip(gzip_of({})), "");
  EXPECT_EQ(gunzip(gzip_of({""})), "");
}

TEST(Gzip, KeepsWhatWasTakenInPieces) {
  const std::string repeated(3'000'000, 'a');
  EXPECT_TRUE(gunzip(gzip_of({"a,b\n", noise(1'000'000), repeated, "end"})) ==
              "a,b\n" + noise(1'000'000) + repeated + "end");
  EXPECT_LT(gzip_of({repeated}).size(), 30'000U);
}

TEST(Gzip, WritesNeitherNameNorTimeIntoTheHeader) {
  const std::string content = gzip_of({"a"});
  EXPECT_EQ(content.substr(0, 8), std::string("\x1F\x8B\x08\0\0\0\0\0", 8));
}

TEST(Gzip, TakesNothingAfterItsEnd) {
  std::string content;
  GatheringObject object(content);
  GzipStream gzip(object);
  gzip.finish();
  EXPECT_THROW(gzip.take("a"), Error);
  EXPECT_THROW(gzip.finish(), Error);
}

}  // namespace
}  // namespace re_dms::gzip_test
