// The target. One interface, one folder per engine; engines differ in SQL text and a Limits value.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/check.h"
#include "model/initial_copy.h"
#include "model/lsn.h"
#include "model/origin.h"
#include "model/stage_format.h"
#include "model/staged_batch.h"
#include "model/table_layout.h"
#include "model/table_schema.h"
#include "model/table_state.h"
#include "warehouse/statement_watch.h"

namespace re_dms {

/// Redshift: AWS gives user and password for each connection.
struct IamLogin {
  std::string cluster{};    ///< identifier of a provisioned cluster
  std::string workgroup{};  ///< of Redshift Serverless; one of both
  std::string region{};     ///< of either; empty: what the surroundings say
  std::string profile{};    ///< of AWS's files; empty: the usual credentials
  std::string ca_file{};    ///< as HttpSettings has it
  std::string proxy{};      ///< as HttpSettings has it
};

inline constexpr int kLanesMax = 8;

struct WarehouseSettings {
  std::string url;     ///< duckdb:///absolute/path, or redshift://user:password@host:port/database
  std::string schema;  ///< empty: the source's schema names
  std::uint64_t memory_bytes = 0;  ///< what the engine may use inside this process
  /// For what does not fit into memory. Used by nobody else, and emptied by take_over: a process
  /// that was killed leaves its files there.
  std::string temporary_directory;
  /// Free disk reserved for somebody else (the journal): what does not fit into memory leaves half
  /// of it free.
  std::uint64_t temporary_reserve_bytes = 0;
  std::string password_command{};       ///< Redshift: run at each connect; empty: none
  std::optional<IamLogin> iam_login{};  ///< Redshift: instead of a password
  /// Redshift: what its COPY reads staged files as, an ARN or "default".
  std::string iam_role{};
  std::string bucket_region{};  ///< Redshift: of the staged files; empty: the cluster's
  int lanes = 1;                ///< Redshift: so many tables at a time, 1 to kLanesMax
  std::string null_text{};      ///< Redshift: as the StageFormat of the staged files has it
  /// Redshift: how tables that it makes are laid out; empty: as is usual.
  std::function<TableLayout(const QualifiedName& table)> layout{};
  StatementWatch watch{};
  /// Whether a table that was followed and is in doubt waits for a person, and not for a copy, as
  /// TableStates has it; empty: none does.
  std::function<bool(const QualifiedName& table)> holds_back{};
};

/// A table of the target.
struct TargetTable {
  TableSchema schema;  ///< without columns: there is no such table in the target yet
  TableState state = TableState::Live;
  std::string reason;                            ///< why it is not live; for people
  Lsn position;                                  ///< what it holds: all below
  InitialCopy initial_copy = InitialCopy::Auto;  ///< how it began
  bool asked = false;  ///< somebody wants the copy that it waits for, or gets
};

struct TableWish {
  Oid oid = 0;
  Wish wish = Wish::Pause;
};

/// What a daemon knows of its target before it takes it over.
struct TargetBefore {
  /// A target that is loaded further holds what this daemon's journal does not: it is refused.
  Lsn journal_end;
  /// This daemon's journal was loaded into it before: where nothing is there, it is refused.
  bool made = false;
};

/// What the target knew when this daemon took it over.
struct TargetState {
  std::uint64_t epoch = 0;
  Lsn loaded;  ///< origin.consistent_point on a fresh target
  std::vector<TargetTable> tables;
};

/// Of a table that began without a copy.
struct RowsNotThere {
  QualifiedName table;
  std::uint64_t rows = 0;  ///< that were to be changed or deleted
};

/// Values of a column that were changed because the target cannot hold them.
struct ColumnAdjusted {
  QualifiedName table;
  std::string column;
  std::string reason;
  std::uint64_t values = 0;
};

struct LoadReport {
  std::uint64_t rows = 0;  ///< staged rows applied
  /// The tables that hold the rows that the batch has of them; of the others, which were in a state
  /// that it is not about, or left, nothing was loaded.
  std::set<Oid> loaded{};
  /// Tables that left in this load: those that failed in it, and those that the batch names and
  /// that were in a state that it is about.
  std::vector<SetAside> set_aside{};
  /// CatchUp and Join: the tables that hold the batch now, and where they stood before it.
  std::vector<TableAt> tables{};
  std::vector<RowsNotThere> not_there{};
  std::vector<ColumnAdjusted> adjusted{};
  std::chrono::microseconds duration{0};
};

/// Used by one lane's thread at a time. Errors: Transient when the target is away or busy (a reader
/// holds the file: the message names its pid), Fatal when the fence says that another daemon took
/// over or the target is not what it should be. When stop is requested, long operations end within
/// a few seconds with Stopped, and what they did not commit is as it was before; a COMMIT that has
/// begun completes and the call returns.
class Warehouse {
 public:
  virtual ~Warehouse() = default;

  /// Creates or migrates the service tables, raises the epoch and reads the state; a fresh target
  /// gets loaded = origin.consistent_point. Half a copy goes: its table waits for another one.
  /// Refuses (Fatal) a target that belongs to another cluster or slot or is not what is known of
  /// it, and then changes nothing: the daemon that loads it continues. Durable on return. May be
  /// called again when the first try met an outage.
  virtual TargetState take_over(const Origin& origin, const TargetBefore& before,
                                const std::stop_token& stop) = 0;

  /// Applies a batch in one target transaction, fenced: the stored epoch must be ours, and what the
  /// batch begins with must be what is stored, else Fatal and nothing happens: span.from is the
  /// loaded position (Stream). Of tables that catch up (CatchUp, Join), one that stands before the
  /// place that the batch names for it lacks changes and is to be copied anew; one that stands
  /// behind it is passed over. Where the target holds the batch already under our epoch (a COMMIT
  /// whose answer was lost), it does nothing and reports so. Every DELETE, UPDATE and INSERT
  /// touches exactly the rows staged; a table for which that fails, or whose values the target
  /// refuses, is set aside with the reason in the same transaction and the rest is applied. Layers
  /// of tables in another state than their batch's are skipped: Live (Stream), CatchingUp
  /// (CatchUp), Waiting or Copying (Copy). On return data and position are durable. No table is set
  /// aside because of a stop.
  ///
  /// A copy is built beside its table, which readers see as it was until the copy's last layer
  /// takes its place. A step of another copy than the one begun last is skipped.
  ///
  /// With Adopt and Never a table that is there is kept, whoever made it: the last step puts the
  /// copy's rows into it in place of its own (Adopt), or leaves those (Never). Its columns are
  /// found by name, those that the source does not have are left to their defaults. One that cannot
  /// take the rows is set aside at the first step. Of a table that began by Never, rows may be
  /// missing: a row to be deleted, or changed in some columns, that is not there is counted; one
  /// that comes whole is added.
  ///
  /// A batch that does not fit into one transaction, or in which several tables fail, takes
  /// several: some tables each, the loaded position in the last. Tables that hold the batch already
  /// are passed over, so that another call, or the next start, goes on where this one ended.
  virtual LoadReport load(const StagedBatch& batch, const std::stop_token& stop) = 0;

  /// Does what people ask of tables, one after the other in one fenced transaction: gives those
  /// that are asked about as they are then. Nothing happens to a table that is so already, or that
  /// the target does not know. A copy that is being built goes when its table is paused. A paused
  /// table keeps the position it has, an unknown one if it holds no copy; one that goes on catches
  /// up from its position, or waits for a copy if that is unknown. Durable on return.
  virtual std::vector<TargetTable> grant(const std::vector<TableWish>& wishes,
                                         const std::stop_token& stop) = 0;

  /// One short text such as "DuckDB 1.4.4 at /var/lib/re_dms/warehouse.duckdb".
  virtual std::string describe() const = 0;
};

/// Bytes in settings.temporary_directory now. From any thread; may miss what comes and goes
/// meanwhile.
std::uint64_t spilled_bytes(const WarehouseSettings& settings);

/// Throws Fatal for a target, `name`, that is loaded beyond the end of the journal.
void require_not_ahead(std::string_view name, Lsn loaded, Lsn journal_end);

/// Throws the Fatal error of a target, `name`, in which nothing of re_dms is left.
[[noreturn]] void throw_target_gone(std::string_view name);

/// How files for this target are to be staged. `random`: what no value of the source can be
/// expected to hold, such as 16 random hex digits.
StageFormat stage_format(const WarehouseSettings& settings, std::string_view random);

/// The target as people may see it: the URL, without what is secret in it.
std::string target_name(const WarehouseSettings& settings);

/// Throws Usage for a URL that no engine can connect by.
void check_warehouse_url(const WarehouseSettings& settings);

/// The engine for settings.url; throws Usage for an unknown scheme.
std::unique_ptr<Warehouse> open_warehouse(const WarehouseSettings& settings, Clock& clock);

/// What `check` finds about a target: empty text = fine, else what is wrong and what to do.
std::string check_warehouse(const WarehouseSettings& settings);

/// What `check` finds when the target loads a staged layer of one text, into a table that goes with
/// the session. Empty for engines that read files of this machine. Throws what connecting throws.
std::vector<CheckResult> check_copy(const WarehouseSettings& settings, const StagedLayer& probe);

/// What `check` says of types that somebody wants: what columns of these tables become, or why they
/// cannot. Asks nobody; empty for engines without a choice.
std::vector<CheckResult> check_types(const WarehouseSettings& settings,
                                     const std::vector<TableSchema>& tables);

/// A look before anything is made for this target, such as a slot: writes nothing, raises no epoch
/// and needs no fence. Returns the loaded position of a target that belongs to the origin (its
/// system identifier, database and slot), nothing for one that no re_dms has loaded into, which
/// take_over would begin with. Throws what take_over would: Transient when the target is away or
/// busy, Fatal when it cannot be opened or made, or belongs to another cluster or slot, Usage for
/// an unknown scheme. Not to be called while a Warehouse of the same target is at work in this
/// process.
std::optional<Lsn> inspect_warehouse(const WarehouseSettings& settings, const Origin& origin);

}  // namespace re_dms
