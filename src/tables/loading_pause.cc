#include "tables/loading_pause.h"

namespace re_dms {

namespace {

std::string path_in(const std::string& journal_directory) {
  return journal_directory + "/loading_paused";
}

}  // namespace

bool loading_is_paused(FileSystem& files, const std::string& journal_directory) {
  return files.exists(path_in(journal_directory));
}

void store_loading_pause(FileSystem& files, const std::string& journal_directory, bool paused) {
  if (paused) {
    replace_file(files, path_in(journal_directory),
                 "Loading is paused until somebody says: re_dms resume\n");
  } else {
    files.remove(path_in(journal_directory));
    files.sync_directory(journal_directory);
  }
}

}  // namespace re_dms
