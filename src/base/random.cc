#include "base/random.h"

#include <fmt/format.h>

#include <random>

namespace re_dms {

std::string random_hex() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

}  // namespace re_dms
