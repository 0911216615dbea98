#include "source/connection/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>

#include "base/environment.h"
#include "base/error.h"
#include "model/output_settings.h"

namespace re_dms {

namespace {

/// Of the variables that libpq reads, those that say nothing a service does.
bool counts_beside_service(std::string_view keyword) {
  return keyword == "service" || keyword == "servicefile" || keyword == "password" ||
         keyword == "passfile";
}

/// The session settings as libpq's `options`. They go with the connection, because there they
/// override what role and database have set and do not follow a reload while a stream runs
/// (PostgreSQL 15: a running walsender's settings change otherwise).
std::string pinned_options() {
  std::string options;
  for (const OutputSetting& setting : kPinnedSettings) {
    // The encoding is a parameter of libpq's own.
    if (setting.name != "client_encoding") {
      options += fmt::format("{}-c {}={}", options.empty() ? "" : " ", setting.name, setting.value);
    }
  }
  return options;
}

/// libpq 15, fe-protocol3.c, EnvironmentOptions: of the session, where re_dms says everything
/// itself. And what PGSSLMODE was called before.
constexpr const char* kVariablesBeside[] = {"PGTZ", "PGDATESTYLE", "PGGEQO", "PGREQUIRESSL"};

std::string environment(const char* name) {
  return environment_variable(name).value_or("");
}

/// libpq quotes the part it stumbles over; that part may be the password.
std::string harmless(const char* libpq_text) {
  std::string_view text = libpq_text != nullptr ? libpq_text : "";
  text = text.substr(0, text.find('\n'));
  const std::size_t first = text.find('"');
  const std::string_view quoted =
      first == std::string_view::npos ? "" : text.substr(first, text.rfind('"') - first);
  const bool may_be_secret = quoted.find_first_of(":@/") != std::string_view::npos ||
                             quoted.find("pass") != std::string_view::npos;
  return may_be_secret ? "it is neither a URL nor key=value pairs" : std::string(text);
}

bool is_local(const std::string& host) {
  return host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost" || host == "::1" ||
         host.starts_with("127.");
}

void complete(ConnectionParameters& parameters) {
  parameters.emplace("application_name", "re_dms");
  parameters.emplace("connect_timeout", "10");
  parameters.emplace("keepalives", "1");
  parameters.emplace("keepalives_idle", "30");
  parameters.emplace("keepalives_interval", "10");
  parameters.emplace("keepalives_count", "3");
  parameters.emplace("tcp_user_timeout", "30000");
  const auto named = [&](const char* keyword, const char* variable) {
    const auto found = parameters.find(keyword);
    return found != parameters.end() ? found->second : environment(variable);
  };
  const std::string hosts = named("host", "PGHOST") + named("hostaddr", "PGHOSTADDR");
  if (hosts.find(',') != std::string::npos) {
    parameters.emplace("target_session_attrs", "read-write");
  }
  if (!is_local(hosts) && environment("PGSSLMODE").empty()) {
    parameters.emplace("sslmode", "verify-full");
  }
}

}  // namespace

ConnectionParameters connection_parameters(const std::string& url, ConnectionPurpose purpose) {
  char* problem = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(url.c_str(), &problem), &PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> problem_owner(problem, &PQfreemem);
  if (options == nullptr) {
    throw Error(
        ErrorKind::Usage, fmt::format("source.url cannot be read: {}", harmless(problem)),
        "It looks like postgresql://USER@HOST:5432/DATABASE; special characters in user or "
        "password are written as %XX, except in values that replace ${NAME} or ${file:/path}");
  }
  ConnectionParameters parameters;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr && *option->val != '\0') {
      parameters[option->keyword] = option->val;
    }
  }
  complete(parameters);
  // What a service says counts more than variables about the same, as with libpq; but only libpq
  // reads its file.
  const bool by_service = parameters.contains("service") || !environment("PGSERVICE").empty();
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (const std::string given = option->envvar == nullptr ? "" : environment(option->envvar);
        !given.empty() && (!by_service || counts_beside_service(option->keyword))) {
      parameters.emplace(option->keyword, given);
    }
  }
  std::string& session = parameters["options"];
  // The last of two settings counts.
  session += session.empty() ? "" : " ";
  session += pinned_options();
  parameters["client_encoding"] = "UTF8";
  parameters.erase("replication");
  if (purpose == ConnectionPurpose::Replication) {
    parameters["replication"] = "database";
  }
  return parameters;
}

std::vector<std::string> libpq_variables() {
  std::vector<std::string> names(std::begin(kVariablesBeside), std::end(kVariablesBeside));
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse("", nullptr), &PQconninfoFree);
  for (const PQconninfoOption* option = options.get();
       option != nullptr && option->keyword != nullptr; ++option) {
    if (option->envvar != nullptr) {
      names.emplace_back(option->envvar);
    }
  }
  return names;
}

ParameterArrays::ParameterArrays(const ConnectionParameters& parameters) {
  for (const auto& [keyword, value] : parameters) {
    keywords_.push_back(keyword.c_str());
    values_.push_back(value.c_str());
  }
  keywords_.push_back(nullptr);
  values_.push_back(nullptr);
}

std::chrono::seconds connect_patience(const ConnectionParameters& parameters) {
  const std::string& text = parameters.at("connect_timeout");
  int seconds = 10;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  seconds = std::clamp(seconds <= 0 ? 60 : seconds, 2, 300);
  std::ptrdiff_t hosts = 1;
  for (const char* keyword : {"host", "hostaddr"}) {
    if (const auto found = parameters.find(keyword); found != parameters.end()) {
      hosts = std::max(hosts, 1 + std::count(found->second.begin(), found->second.end(), ','));
    }
  }
  // A host that does not answer is given up after tcp_user_timeout, then the next one is tried.
  const std::ptrdiff_t each = hosts == 1 ? seconds : std::max(seconds, 35);
  return std::chrono::seconds(hosts * each);
}

}  // namespace re_dms
