#include "app/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/config_reader.h"
#include "app/connection_text.h"
#include "app/stage_config.h"
#include "base/error.h"
#include "base/quantities.h"
#include "source/catalog/pattern.h"

namespace re_dms {

namespace {

constexpr std::size_t kFileBytesMax = 1U << 20;
/// Few and large loads: each is a commit of the cluster.
constexpr std::chrono::seconds kRedshiftInterval{60};
constexpr int kLanesDefault = 4;
constexpr std::size_t kIdentifierBytesMax = 63;  // PostgreSQL: NAMEDATALEN - 1
constexpr std::uint64_t kSegmentBytesMin = 64ULL << 10;
constexpr std::uint64_t kMemoryBytesMin = 64ULL << 20;
// The target gets half of batch.memory, which at worst holds at once the row's CSV text with every
// quote doubled, its value, and a copy of that.
constexpr std::size_t kMemoryPerRowByte = 8;
constexpr std::string_view kDefaultJournal = "/var/lib/re_dms/journal";

/// Relative paths are taken from the folder of the configuration file, never from where the daemon
/// happens to be started.
std::string absolute_path(const std::filesystem::path& folder, std::string_view path) {
  std::string whole = (folder / path).lexically_normal();
  while (whole.size() > 1 && whole.ends_with('/')) {
    whole.pop_back();
  }
  return whole;
}

/// The path of "SCHEME://PATH"; empty, with the fault noted, when the URL is another one.
std::string path_of_url(ConfigReader& reader, std::string_view key, std::string_view url,
                        std::string_view scheme) {
  const std::string prefix = fmt::format("{}://", scheme);
  if (!url.starts_with(prefix) || url.size() == prefix.size() || url.ends_with('/') ||
      url.find_first_of("?#") != std::string_view::npos) {
    reader.refuse(key, fmt::format("{}/absolute/path or {}relative/path", prefix, prefix));
    return {};
  }
  return std::string(url.substr(prefix.size()));
}

bool is_slot_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= kIdentifierBytesMax && std::ranges::all_of(name, fits);
}

void check_pattern(ConfigReader& reader, std::string_view key, const std::string& pattern) {
  try {
    const TablePattern sound(pattern);
  } catch (const Error&) {
    reader.fault(key,
                 fmt::format("\"{}\" is not a table pattern; write \"schema.table\", with * and "
                             "? for any letters and double quotes around special names",
                             pattern));
  }
}

void read_patterns(ConfigReader& reader, std::string_view key, std::vector<std::string>& patterns) {
  if (auto given = reader.texts(key)) {
    patterns = *std::move(given);
  }
  for (const std::string& pattern : patterns) {
    check_pattern(reader, key, pattern);
  }
}

SourceSettings read_source(ConfigReader& reader) {
  SourceSettings source;
  source.url = reader.required_text("source.url",
                                    "url = \"postgresql://user@host:5432/database\" in [source]",
                                    Secrecy::Secret, connection_text);
  if (!source.url.empty() && !source.url.starts_with("postgresql://") &&
      !source.url.starts_with("postgres://") && source.url.find('=') == std::string::npos) {
    reader.refuse("source.url",
                  "postgresql://user@host:5432/database or libpq's \"host=... dbname=...\"");
  }
  source.password_command =
      reader.text("source.password_command", Secrecy::Secret).value_or(source.password_command);
  source.slot = reader.text("source.slot").value_or(source.slot);
  if (!is_slot_name(source.slot)) {
    reader.refuse("source.slot", "1 to 63 of the letters a-z, 0-9 and _");
  }
  source.publication = reader.text("source.publication").value_or(source.publication);
  if (source.publication.size() > kIdentifierBytesMax) {
    reader.refuse("source.publication", "a name of at most 63 bytes");
  }
  read_patterns(reader, "source.include", source.include);
  if (source.include.empty()) {
    reader.fault("source.include",
                 "an empty list would replicate nothing; leave the key out for "
                 "[\"public.*\"]");
  }
  read_patterns(reader, "source.exclude", source.exclude);
  source.auto_setup = reader.flag("source.auto_setup").value_or(source.auto_setup);
  if (const auto doubt = reader.text("source.on_doubt")) {
    source.on_doubt = *doubt == "set_aside" ? OnDoubt::SetAside : OnDoubt::Recopy;
    if (*doubt != "set_aside" && *doubt != "recopy") {
      reader.refuse("source.on_doubt", "\"recopy\" or \"set_aside\"");
    }
  }
  source.workers = reader.number("source.workers", 1, 64).value_or(source.workers);
  source.lock_timeout = reader.duration("source.lock_timeout").value_or(source.lock_timeout);
  if (source.lock_timeout.count() == 0) {
    reader.fault("source.lock_timeout",
                 "0 would wait forever while others queue behind; write a time such as \"5s\"");
  }
  return source;
}

void read_bad_values(ConfigReader& reader, const std::string& section, TableSettings& table) {
  constexpr std::string_view kKnown = R"("usual", "error", "null", "clamp" or "truncate")";
  const std::string of_table = section + ".bad_values";
  if (const auto wanted = reader.text(of_table)) {
    const auto known = bad_values(*wanted);
    table.bad_values = known.value_or(table.bad_values);
    if (!known) {
      reader.refuse(of_table, kKnown);
    }
  }
  const std::string of_columns = section + ".column_bad_values";
  for (const auto& [column, wanted] : reader.named_texts(of_columns)) {
    if (const auto known = bad_values(wanted)) {
      table.column_bad_values[column] = *known;
    } else {
      reader.fault(of_columns,
                   fmt::format("found {} = \"{}\", expected {}", column, wanted, kKnown));
    }
  }
}

/// The [[table]] sections, in their order.
std::vector<TableSettings> read_tables(ConfigReader& reader) {
  std::vector<TableSettings> tables;
  for (const std::string& section : reader.sections("table")) {
    TableSettings& table = tables.emplace_back();
    const std::string match = section + ".match";
    table.match = reader.text(match).value_or(table.match);
    check_pattern(reader, match, table.match);
    const std::string copy = section + ".initial_copy";
    if (const auto wanted = reader.text(copy)) {
      if (const auto known = initial_copy(*wanted)) {
        table.initial_copy = *known;
      } else {
        reader.refuse(copy, "\"auto\", \"adopt\" or \"never\"");
      }
    }
    const std::string on_drop = section + ".on_drop_column";
    if (const auto wanted = reader.text(on_drop)) {
      table.keeps_columns = *wanted == "keep";
      if (!table.keeps_columns && *wanted != "drop") {
        reader.refuse(on_drop, "\"drop\" or \"keep\"");
      }
    }
    read_bad_values(reader, section, table);
  }
  return tables;
}

JournalLimits read_journal(ConfigReader& reader, const std::filesystem::path& folder) {
  JournalLimits journal;
  journal.directory = absolute_path(
      folder, reader.text("journal.directory").value_or(std::string(kDefaultJournal)));
  if (journal.directory == "/") {
    reader.refuse("journal.directory", "a directory of its own");
  }
  journal.max_bytes = reader.bytes("journal.max_bytes").value_or(journal.max_bytes);
  journal.reserve_bytes = reader.bytes("journal.reserve_bytes").value_or(journal.reserve_bytes);
  journal.segment_bytes = reader.bytes("journal.segment_bytes").value_or(journal.segment_bytes);
  if (journal.segment_bytes < kSegmentBytesMin) {
    reader.refuse("journal.segment_bytes", "64KiB or more");
  }
  if (reader.sound("journal.segment_bytes") && reader.sound("journal.max_bytes") &&
      journal.segment_bytes > journal.max_bytes / 4) {
    reader.fault(
        "journal.max_bytes",
        fmt::format("{} bytes hold fewer than four segments of {} bytes; raise it or lower "
                    "journal.segment_bytes",
                    journal.max_bytes, journal.segment_bytes));
  }
  return journal;
}

BatchSettings read_batch(ConfigReader& reader) {
  BatchSettings batch;
  batch.interval = reader.duration("batch.interval").value_or(batch.interval);
  batch.memory_bytes = reader.bytes("batch.memory").value_or(batch.memory_bytes);
  if (batch.memory_bytes < kMemoryBytesMin) {
    reader.refuse("batch.memory", "64MiB or more");
  }
  const std::size_t fits = batch.memory_bytes / kMemoryPerRowByte;
  batch.row_bytes_max =
      reader.bytes("batch.max_row_bytes").value_or(std::min(batch.row_bytes_max, fits));
  if (batch.row_bytes_max == 0) {
    reader.refuse("batch.max_row_bytes", "more than 0");
  } else if (reader.sound("batch.memory") && batch.row_bytes_max > fits) {
    reader.fault("batch.max_row_bytes",
                 fmt::format("loading a row of {} may take {} times as much memory, and "
                             "batch.memory is {}; raise that or lower this",
                             size_text(batch.row_bytes_max), kMemoryPerRowByte,
                             size_text(batch.memory_bytes)));
  }
  return batch;
}

StageSettings read_stage(ConfigReader& reader, const std::filesystem::path& folder,
                         const std::string& journal) {
  StageSettings stage;
  const std::string url = reader.text("stage.url").value_or("");
  stage.s3 = read_s3(reader, url, folder);
  if (url.starts_with("s3:")) {
    return stage;
  }
  stage.directory = journal + ".stage";
  if (!url.empty()) {
    const std::string path = path_of_url(reader, "stage.url", url, "file");
    stage.directory = absolute_path(folder, path);
    if (!path.empty() && (stage.directory + "/").starts_with(journal + "/")) {
      reader.fault("stage.url", "must not lie in journal.directory, where only segments belong");
    }
  }
  return stage;
}

/// Nothing with a password.
std::optional<IamLogin> read_iam_login(ConfigReader& reader) {
  const std::string auth = reader.text("warehouse.auth").value_or("password");
  IamLogin login;
  login.cluster = reader.text("warehouse.cluster").value_or("");
  login.workgroup = reader.text("warehouse.workgroup").value_or("");
  login.region = reader.text("warehouse.region").value_or("");
  if (auth == "iam" && login.cluster.empty()) {
    reader.fault("warehouse.cluster", "is needed with auth = \"iam\": the cluster's identifier");
  } else if (auth == "iam_serverless" && login.workgroup.empty()) {
    reader.fault("warehouse.workgroup", "is needed with auth = \"iam_serverless\": its name");
  } else if (auth != "password" && auth != "iam" && auth != "iam_serverless") {
    reader.refuse("warehouse.auth", R"("password", "iam" or "iam_serverless")");
  }
  return auth == "password" ? std::nullopt : std::optional(login);
}

void read_redshift(ConfigReader& reader, const std::string& url, WarehouseSettings& warehouse) {
  warehouse.url = url;
  warehouse.iam_login = read_iam_login(reader);
  try {
    check_warehouse_url(warehouse);
  } catch (const Error& error) {
    reader.fault("warehouse.url", error.advice().empty() ? error.message() : error.advice());
  }
  warehouse.password_command =
      reader.text("warehouse.password_command", Secrecy::Secret).value_or("");
  warehouse.iam_role = reader.required_text(
      "warehouse.iam_role",
      "iam_role = \"arn:aws:iam::123456789012:role/redshift-copy\" in [warehouse], or \"default\"",
      Secrecy::Shown);
  if (warehouse.iam_role != "default" && !warehouse.iam_role.empty() &&
      !warehouse.iam_role.starts_with("arn:")) {
    reader.refuse("warehouse.iam_role", "the ARN of a role, or \"default\"");
  }
  warehouse.lanes = reader.number("warehouse.lanes", 1, kLanesMax).value_or(kLanesDefault);
}

WarehouseSettings read_warehouse(ConfigReader& reader, const std::filesystem::path& folder) {
  WarehouseSettings warehouse;
  const std::string url = reader.required_text(
      "warehouse.url", "url = \"duckdb:///var/lib/re_dms/warehouse.duckdb\" in [warehouse]",
      Secrecy::Secret);
  if (url.starts_with("redshift:")) {
    read_redshift(reader, url, warehouse);
  } else if (!url.empty()) {
    const std::string path = path_of_url(reader, "warehouse.url", url, "duckdb");
    warehouse.url = "duckdb://" + absolute_path(folder, path);
  }
  warehouse.schema = reader.text("warehouse.schema").value_or("");
  if (warehouse.schema.size() > kIdentifierBytesMax) {
    reader.refuse("warehouse.schema", "a name of at most 63 bytes");
  } else if (warehouse.schema == "re_dms" || warehouse.schema == "re_dms_internal") {
    reader.refuse("warehouse.schema", "another name: re_dms keeps its own tables there");
  }
  return warehouse;
}

/// Beside the journal, which is this daemon's alone.
SocketFile read_control(ConfigReader& reader, const std::filesystem::path& folder,
                        const std::string& journal) {
  SocketFile control;
  const std::string path = reader.text("control.socket").value_or(journal + ".sock");
  if (path != "off") {
    control.path = (folder / path).lexically_normal();
  }
  control.group = reader.text("control.group").value_or("");
  return control;
}

}  // namespace

Config parse_config(std::string_view text, const std::string& file,
                    const Surroundings& surroundings) {
  ConfigReader reader(text, file, surroundings);
  Config config;
  const std::filesystem::path path = std::filesystem::absolute(file).lexically_normal();
  const std::filesystem::path folder = path.parent_path();
  config.file = path;
  config.source = read_source(reader);
  config.source.tables = read_tables(reader);
  config.journal = read_journal(reader, folder);
  config.batch = read_batch(reader);
  config.stage = read_stage(reader, folder, config.journal.directory);
  config.warehouse = read_warehouse(reader, folder);
  if (config.stage.s3 && config.warehouse.url.starts_with("duckdb://")) {
    reader.fault("stage.url",
                 "DuckDB reads its files from a directory: leave the key out, or write "
                 "\"file:///var/lib/re_dms/stage\"; S3 is for a warehouse that reads from it");
  }
  config.observe = read_observe(reader, config.journal.directory);
  config.control = read_control(reader, folder, config.journal.directory);
  config.given = reader.given();
  if (config.warehouse.url.starts_with("redshift://")) {
    if (!config.given.contains("batch.interval")) {
      config.batch.interval = kRedshiftInterval;
    }
    if (!config.stage.s3 && reader.sound("stage.url")) {
      reader.fault("stage.url", "is to be s3://bucket/prefix: Redshift reads files from S3 alone");
    }
  }
  reader.finish();
  return config;
}

Config load_config(const std::string& path) {
  std::string text;
  try {
    text = read_text_file(path, kFileBytesMax);
  } catch (const Error& error) {
    throw Error(ErrorKind::Usage, fmt::format("no configuration: {}", error.message()),
                "Name the file with --config FILE; four lines are enough for a first one: [source] "
                "and [warehouse], each with its url");
  }
  return parse_config(text, path, process_surroundings(path));
}

LogFormat log_format_for(const ObserveSettings& settings, bool terminal) {
  return settings.log_format.value_or(terminal ? LogFormat::Text : LogFormat::Json);
}

}  // namespace re_dms
