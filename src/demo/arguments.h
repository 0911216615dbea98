// The demonstration's command line.
#pragma once

#include <string>
#include <vector>

#include "demo/demo.h"

namespace re_dms::demo {

struct DemoArguments {
  DemoSettings settings;
  std::string help;  ///< wanted instead of the demonstration; else empty
};

/// `words` are the command line without the program's own name. Throws Usage with what is wrong.
DemoArguments parse_demo_arguments(std::vector<std::string> words);

}  // namespace re_dms::demo
