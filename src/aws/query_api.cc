#include "aws/query_api.h"

#include <fmt/format.h>

#include "aws/http_client.h"

namespace re_dms {

std::string form_text(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form) {
    text += fmt::format("{}{}={}", text.empty() ? "" : "&", name, percent_encode(value));
  }
  return text;
}

}  // namespace re_dms
