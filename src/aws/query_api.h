// The form in which AWS's older services are asked.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace re_dms {

using Form = std::vector<std::pair<std::string, std::string>>;

/// As a body of type application/x-www-form-urlencoded.
std::string form_text(const Form& form);

}  // namespace re_dms
