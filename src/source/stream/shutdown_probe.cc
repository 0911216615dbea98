#include "source/stream/shutdown_probe.h"

namespace re_dms {

bool shutting_down(const SourceSettings& settings, const Connection& plain) {
  ConnectionParameters parameters = connection_parameters(settings.url, ConnectionPurpose::Sql);
  // This very server: another one of several hosts would answer for it.
  parameters["host"] = PQhost(plain.raw());
  parameters["hostaddr"] = PQhostaddr(plain.raw());
  parameters["port"] = PQport(plain.raw());
  parameters["connect_timeout"] = "3";
  parameters.erase("target_session_attrs");
  const ParameterArrays arrays(parameters);
  // Rejected means SQLSTATE 57P03 (PostgreSQL 15, libpq-connect, PQping).
  return PQpingParams(arrays.keywords(), arrays.values(), 0) == PQPING_REJECT;
}

}  // namespace re_dms
