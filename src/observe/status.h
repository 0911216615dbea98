// What a running daemon says about itself, and its JSON form: the contract of /status.json. Keys
// are only ever added. Positions are text here, "16/B374D848", because this is an edge: they are
// shown, never compared; empty means not known. Nothing in it holds row values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "observe/copy_status.h"

namespace re_dms {

enum class DaemonState {
  Starting,
  Streaming,
  Paused,
  Reconnecting,
  StageAway,
  WarehouseAway,
  Stopping
};

inline constexpr auto kDaemonStates = std::to_array(
    {DaemonState::Starting, DaemonState::Streaming, DaemonState::Paused, DaemonState::Reconnecting,
     DaemonState::StageAway, DaemonState::WarehouseAway, DaemonState::Stopping});

/// "starting", "streaming", "paused", "reconnecting", "stage away", "warehouse away", "stopping".
std::string_view to_string(DaemonState state);

struct SourceStatus {
  bool connected = false;
  std::string server_lsn;  ///< the server's end of WAL as last heard
  std::string received_lsn;
  std::string journaled_lsn;        ///< durable here: what the slot was told
  std::uint64_t rows_received = 0;  ///< row changes; those that were sent again count again
};

struct JournalStatus {
  std::uint64_t bytes = 0;
  std::uint64_t max_bytes = 0;
};

/// The batch being filled.
struct BatchStatus {
  std::uint64_t memory_bytes = 0;
  std::uint64_t rows = 0;  ///< row changes in it, before folding
  std::string staged_lsn;
};

struct LastLoad {
  std::uint64_t rows = 0;
  double seconds = 0;
  SystemTime at;
};

struct WarehouseStatus {
  std::string name;  ///< Warehouse::describe
  std::string loaded_lsn;
  std::uint64_t rows_loaded = 0;
  std::uint64_t batches_loaded = 0;
  std::optional<LastLoad> last_load;
};

/// How far the target is behind.
struct LagStatus {
  std::uint64_t bytes = 0;        ///< of WAL
  std::optional<double> seconds;  ///< empty: not known yet
};

/// A table that is not replicated, and why.
struct TableTrouble {
  std::string table;
  std::string reason;
};

struct TablesStatus {
  std::uint64_t live = 0;
  CopiesStatus copies;
  std::vector<ComingTable> coming;
  std::vector<TableTrouble> not_live;      ///< set aside: each waits for a person
  std::vector<TableTrouble> paused;        ///< somebody paused them
  std::vector<TableTrouble> removed;       ///< the source has them no longer
  std::vector<TableTrouble> left_out;      ///< matched by include, never begun
  std::vector<TableTrouble> not_copied{};  ///< followed, but begun without their rows
};

struct LastError {
  std::string text;
  SystemTime at;
};

struct DaemonStatus {
  std::string version;
  double uptime_seconds = 0;
  SystemTime now;
  DaemonState state = DaemonState::Starting;
  std::string reason;  ///< of the state, for people: "journal full"
  SourceStatus source;
  JournalStatus journal;
  BatchStatus batch;
  WarehouseStatus warehouse;
  LagStatus lag;
  TablesStatus tables;
  std::optional<LastError> last_error;
  std::uint64_t log_lines_lost = 0;  ///< nobody read standard error
};

/// "paused: journal full"
std::string state_text(const DaemonStatus& status);

/// Text that is not UTF-8 is repaired.
std::string to_json(const DaemonStatus& status);

/// Throws Fatal on text that is no status; keys that are missing keep their defaults, unknown ones
/// are passed over, so that another release's answer can be read.
DaemonStatus parse_status(std::string_view json);

}  // namespace re_dms
