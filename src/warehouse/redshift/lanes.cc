#include "warehouse/redshift/lanes.h"

#include <algorithm>
#include <exception>
#include <map>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/failpoint.h"
#include "base/retry.h"
#include "base/thread.h"
#include "observe/log.h"
#include "warehouse/redshift/faults.h"

namespace re_dms::redshift {

namespace {

// Commits of a busy cluster take a second each, and one waits for the other.
constexpr std::size_t kTablesWorthALane = 4;
constexpr std::uint64_t kBytesWorthALane = 16 << 20;
// What the statements of a layer take, as bytes.
constexpr std::uint64_t kBytesOfLayer = 1 << 20;
// Below what a network or a cluster lets a session be silent for.
constexpr std::chrono::minutes kIdleMost{5};

/// Where another daemon took over, that is what people have to know.
bool is_worse(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Error& found) {
    return found.kind() == ErrorKind::Fatal;
  } catch (...) {
    return false;
  }
}

}  // namespace

std::vector<std::vector<Oid>> deal(const StagedBatch& batch, const std::vector<Oid>& tables,
                                   int lanes) {
  std::map<Oid, std::uint64_t> bytes;
  for (const Oid oid : tables) {
    bytes[oid] = 0;
  }
  std::uint64_t total = 0;
  for (const StagedLayer& layer : batch.layers) {
    const auto table = bytes.find(layer.table->oid);
    if (table == bytes.end()) {
      continue;
    }
    table->second += kBytesOfLayer;
    for (const StagedFile& file : layer.files) {
      table->second += file.stored_bytes;
      total += file.stored_bytes;
    }
  }
  const std::size_t worth =
      std::max<std::size_t>(tables.size() / kTablesWorthALane, total / kBytesWorthALane);
  const std::size_t most = std::min(static_cast<std::size_t>(lanes), tables.size());
  const std::size_t count = std::clamp<std::size_t>(worth, 1, most);
  std::vector<Oid> largest_first = tables;
  std::ranges::stable_sort(largest_first, std::greater{}, [&](Oid oid) { return bytes.at(oid); });
  std::vector<std::vector<Oid>> dealt(count);
  std::vector<std::uint64_t> load(count, 0);
  for (const Oid oid : largest_first) {
    const auto lane = static_cast<std::size_t>(std::ranges::min_element(load) - load.begin());
    dealt[lane].push_back(oid);
    load[lane] += bytes.at(oid);
  }
  return dealt;
}

void Lanes::load(const StagedBatch& batch, const std::vector<std::vector<Oid>>& tables,
                 const LoadRun& run, const StoredPosition& stored, LanesReport report,
                 const std::stop_token& stop) {
  RE_DMS_CHECK(tables.size() <= open_.size());
  if (used_ && clock_.steady() - *used_ > kIdleMost) {
    close();
  }
  used_ = clock_.steady();
  std::vector<Share> shares = share_out(batch, tables, report.load);
  {
    std::vector<std::jthread> threads;
    for (std::size_t at = 0; at < shares.size(); ++at) {
      threads.emplace_back([this, at, &shares, &run, &stored, &stop] {
        begin_thread("lane-" + std::to_string(at + 1));
        this->load(static_cast<int>(at) + 1, shares[at], run, stored, stop);
      });
    }
  }
  gather(shares, report);
}

void Lanes::gather(std::vector<Share>& shares, LanesReport report) const {
  std::exception_ptr error;
  for (Share& share : shares) {
    report.tries.failed.merge(share.tries.failed);
    for (auto& [oid, rows] : share.tries.not_there) {
      report.tries.not_there.insert_or_assign(oid, std::move(rows));
    }
    if (share.failing) {
      report.failing.push_back(*share.failing);
    }
    if (share.error && (!error || is_worse(share.error))) {
      error = share.error;
    }
  }
  if (error) {
    std::rethrow_exception(error);
  }
  for (Share& share : shares) {
    if (share.not_opened.empty()) {
      report.load.loaded_elsewhere(std::move(share.known));
    } else {
      log(LogLevel::Warn, "lane_not_opened",
          "tables are loaded one after the other, for want of a session: " + share.not_opened);
    }
  }
}

std::vector<Lanes::Share> Lanes::share_out(const StagedBatch& batch,
                                           const std::vector<std::vector<Oid>>& tables,
                                           const BatchLoad& load) {
  std::vector<Share> shares(tables.size());
  std::map<Oid, Share*> share_of;
  for (std::size_t lane = 0; lane < tables.size(); ++lane) {
    Share& share = shares[lane];
    share.batch.kind = batch.kind;
    share.batch.span = batch.span;
    share.known = load.known(tables[lane]);
    for (const Oid oid : tables[lane]) {
      share_of[oid] = &share;
    }
  }
  for (const StagedLayer& layer : batch.layers) {
    if (const auto share = share_of.find(layer.table->oid); share != share_of.end()) {
      share->second->batch.layers.push_back(layer);
    }
  }
  return shares;
}

/// A cluster may take fewer sessions than there are lanes, and a password may change meanwhile: who
/// makes do with the one that is open loads as before.
bool Lanes::open(std::optional<Session>& session, Share& share, const std::stop_token& stop) {
  try {
    session.emplace(sessions_, stop);
    return true;
  } catch (const Stopped&) {
    throw;
  } catch (const Error& error) {
    share.not_opened = error.what();
    return false;
  }
}

/// On a thread of its own.
void Lanes::load(int lane, Share& share, const LoadRun& run, const StoredPosition& stored,
                 const std::stop_token& stop) {
  std::optional<Session>& session = open_.at(static_cast<std::size_t>(lane) - 1);
  try {
    if (!session && !open(session, share, stop)) {
      return;
    }
    session->stop_with(stop);
    load_into(*session, lane, share, run, stored);
  } catch (...) {
    share.error = std::current_exception();
  }
  // Of tables that failed, staged rows are left in the session.
  if (share.error || !share.tries.failed.empty()) {
    session.reset();
  }
}

void Lanes::load_into(Session& session, int lane, Share& share, const LoadRun& run,
                      const StoredPosition& stored) {
  RedshiftTables target(session, settings_, stored, lane);
  BatchLoad load(target, warehouse_, clock_, share.batch, std::move(share.known), share.tries);
  try {
    while (const auto fault = load.apply(load.missing())) {
      load.leave_out(*fault);
    }
    load.record_in_lane(run, lane);
    failpoint("lane-commit-before");
    session.commit();
  } catch (const StatementFailed& error) {
    share.failing = failing(load, error);
    throw;
  }
  failpoint("lane-commit-after");
  load.committed();
  share.known = load.take_known();
  for (const auto& [oid, entry] : share.tries.failed) {
    share.known.erase(oid);
  }
}

void Lanes::close() {
  for (auto& session : open_) {
    session.reset();
  }
}

}  // namespace re_dms::redshift
