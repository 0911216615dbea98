#include "tables/loading_pause.h"

#include <gtest/gtest.h>

#include "base/testing/faulty_file_system.h"

namespace re_dms::loading_pause_test {
namespace {

TEST(LoadingPause, OutlivesAPowerCut) {
  FaultyFileSystem files;
  files.create_directories("/journal");
  EXPECT_FALSE(loading_is_paused(files, "/journal"));
  store_loading_pause(files, "/journal", true);
  files.lose_power();
  EXPECT_TRUE(loading_is_paused(files, "/journal"));
  store_loading_pause(files, "/journal", true);
  store_loading_pause(files, "/journal", false);
  files.lose_power();
  EXPECT_FALSE(loading_is_paused(files, "/journal"));
  store_loading_pause(files, "/journal", false);
}

}  // namespace
}  // namespace re_dms::loading_pause_test
