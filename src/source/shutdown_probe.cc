#include "source/shutdown_probe.h"

#include <vector>

namespace re_dms {

bool shutting_down(const SourceSettings& settings, const Connection& plain) {
  ConnectionParameters parameters = connection_parameters(settings.url, ConnectionPurpose::Sql);
  // This very server: another one of several hosts would answer for it.
  parameters["host"] = PQhost(plain.raw());
  parameters["hostaddr"] = PQhostaddr(plain.raw());
  parameters["port"] = PQport(plain.raw());
  parameters["connect_timeout"] = "3";
  parameters.erase("target_session_attrs");
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : parameters) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  // Rejected means SQLSTATE 57P03 (PostgreSQL 15, libpq-connect, PQping).
  return PQpingParams(keywords.data(), values.data(), 0) == PQPING_REJECT;
}

}  // namespace re_dms
