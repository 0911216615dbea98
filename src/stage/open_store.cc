#include "stage/open_store.h"

#include "stage/s3_store.h"

namespace re_dms {

std::unique_ptr<ObjectStore> open_store(const StageSettings& settings, std::stop_token stop) {
  if (settings.s3) {
    return make_s3_store(*settings.s3, wire_s3(*settings.s3, std::move(stop)));
  }
  return open_directory_store(settings.directory);
}

}  // namespace re_dms
