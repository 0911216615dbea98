// A process that ends inside each write to the DuckDB file, and one whose disk fails at each fsync.
// Defines pwrite and fsync for this program and the DuckDB library it loads.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <map>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "warehouse/duckdb/saved_blocks.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/testing/duckdb_target.h"
#include "warehouse/testing/lock_holder.h"

namespace {

// What befalls the process.
struct Fate {
  // Where it ends: writes still to come, and whether half of the last one is done.
  int writes_left = 0;
  bool half_of_it = false;

  // Where its disk fails: fsyncs of the DuckDB file still to come, the last of which fails. The
  // kernel keeps what was not synced then and takes it for written, so that it is lost with the
  // power unless it is written again.
  int syncs_left = 0;
  bool sync_failed = false;

  struct Unsynced {
    off_t at;
    std::string before;
  };

  std::vector<Unsynced> unsynced;

  // What happens to nothing: where the DuckDB file is written, if somebody wants to know.
  bool watched = false;
  std::vector<off_t> written;
};

Fate& fate() {
  static Fate fate;
  return fate;
}

bool is_the_file(int fd) {
  std::error_code ignored;
  return std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), ignored).extension() ==
         ".duckdb";
}

void note_write(int fd, size_t size, off_t at) {
  if ((fate().syncs_left == 0 && !fate().sync_failed) || !is_the_file(fd)) {
    return;
  }
  std::erase_if(fate().unsynced, [&](const Fate::Unsynced& write) {
    return fate().sync_failed && at <= write.at &&
           write.at + static_cast<off_t>(write.before.size()) <= at + static_cast<off_t>(size);
  });
  if (!fate().sync_failed) {
    std::string before(size, '\0');
    const ssize_t got = ::pread(fd, before.data(), size, at);
    before.resize(got > 0 ? static_cast<size_t>(got) : 0);
    fate().unsynced.push_back({at, std::move(before)});
  }
}

int sync_or_fail(int fd) {
  if (fate().syncs_left > 0 && is_the_file(fd)) {
    if (--fate().syncs_left == 0) {
      fate().sync_failed = true;
      errno = EIO;
      return -1;
    }
    fate().unsynced.clear();
  }
  return static_cast<int>(::syscall(SYS_fsync, fd));
}

ssize_t write_or_end(int fd, const void* bytes, size_t size, off_t at) {
  if (fate().watched && is_the_file(fd)) {
    fate().written.push_back(at);
  }
  note_write(fd, size, at);
  if (fate().writes_left == 1) {
    if (fate().half_of_it) {
      ::syscall(SYS_pwrite64, fd, bytes, size / 2, at);
    }
    ::_exit(42);
  }
  fate().writes_left -= fate().writes_left > 0 ? 1 : 0;
  return ::syscall(SYS_pwrite64, fd, bytes, size, at);
}

}  // namespace

extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return write_or_end(fd, bytes, size, at);
}

extern "C" ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t at) {
  return write_or_end(fd, bytes, size, at);
}

extern "C" int fsync(int fd) {
  return sync_or_fail(fd);
}

extern "C" int fdatasync(int fd) {
  return sync_or_fail(fd);
}

namespace re_dms::testing::torn_write_test {

namespace {

class DuckdbTornWrite : public WarehouseContract {
 protected:
  static TablePtr items() {
    return make_table(501, {"shop", "items"},
                      {key_column("id", bigint_type()), column("a", text_type())});
  }

  LayerBuilder inserts(int from, int to) const {
    LayerBuilder layer(items());
    for (int id = from; id < to; ++id) {
      layer.insert({std::to_string(id), "a" + std::to_string(id)});
    }
    return layer;
  }

  /// The load that is cut off: something of every sort.
  StagedBatch changes() {
    LayerBuilder layer(items());
    for (int id = 0; id < 2000; id += 3) {
      layer.remove({std::to_string(id)});
      layer.replace({std::to_string(id + 1)}, {std::to_string(id + 1), "b"});
      layer.update({std::to_string(id + 2)}, "01", {std::nullopt, "c"});
    }
    const TablePtr other = make_table(502, {"shop", "other"}, {key_column("id", bigint_type())});
    return next_batch({staged(layer), staged(LayerBuilder(other).create().insert({"1"}))});
  }

  /// Loads `batch` in a process that ends at its write number `writes`; whether it got that far.
  bool load_and_end(const StagedBatch& batch, int writes, bool half) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto warehouse = open_warehouse(target_->settings(), clock_);
      warehouse->take_over(test_origin(), unknown_before(), {});
      fate().half_of_it = half;
      fate().writes_left = writes;
      warehouse->load(batch, {});
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status) == 42;
  }

  /// Loads `batch` in a process for which fsync number `syncs` fails; it tries again, and then the
  /// power fails. The exit code: 42 where the load was reported, 43 where it was not, 0 where there
  /// were fewer fsyncs.
  int load_and_lose_power(const StagedBatch& batch, int syncs) {
    const pid_t child = ::fork();
    if (child == 0) {
      const auto warehouse = open_warehouse(target_->settings(), clock_);
      warehouse->take_over(test_origin(), unknown_before(), {});
      fate().syncs_left = syncs;
      int code = 43;
      for (int tries = 0; tries < 2 && code == 43; ++tries) {
        try {
          warehouse->load(batch, {});
          code = fate().sync_failed ? 42 : 0;
        } catch (const Error&) {
          fate().syncs_left = 0;
        }
      }
      const int fd = ::open((directory_ / "warehouse.duckdb").c_str(), O_WRONLY);
      for (auto write = fate().unsynced.rbegin();
           fate().sync_failed && write != fate().unsynced.rend(); ++write) {
        ::syscall(SYS_pwrite64, fd, write->before.data(), write->before.size(), write->at);
      }
      ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  /// A file with rows, a copy of it beside it.
  std::filesystem::path loaded_file() {
    load({staged(LayerBuilder(inserts(0, 3000)).create())});
    for (int round = 0; round < 4; ++round) {
      load({staged(inserts(3000 + round * 500, 3500 + round * 500))});
    }
    warehouse_.reset();
    std::filesystem::copy_file(file(), before());
    return before();
  }

  /// How many free places the blocks have that hold the metadata, by number.
  std::map<std::int64_t, int> free_places() {
    duckdb::Session session({file(), 0, ""}, duckdb::FileAccess::ReadOnly);
    std::map<std::int64_t, int> found;
    for (const Row& row :
         session.query(sql("SELECT block_id, free_blocks FROM pragma_metadata_info()"))) {
      found.emplace(std::stoll(row[0].value_or("")), std::stoi(row[1].value_or("")));
    }
    return found;
  }

  void bring_back() {
    std::filesystem::remove(file().string() + ".saved_blocks");
    std::filesystem::copy_file(before(), file(), std::filesystem::copy_options::overwrite_existing);
  }

  std::filesystem::path file() const { return directory_ / "warehouse.duckdb"; }

  std::filesystem::path before() const { return directory_ / "before.duckdb"; }

  std::string expected() const {
    return "SELECT count(*), sum(id), count(*) FILTER (a = 'b'), count(*) FILTER (a = 'c'), "
           "(SELECT count(*) FROM shop.other) FROM shop.items";
  }
};

INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbTornWrite, ::testing::Values(&make_duckdb_target));

TEST_P(DuckdbTornWrite, LeavesTheFileAsItWasBeforeOrAfter) {
  loaded_file();
  const StagedBatch batch = changes();
  const Lsn start = batch.span.from;
  int ends = 0;
  for (const bool half : {true, false}) {
    for (int writes = 1;; ++writes) {
      SCOPED_TRACE(fmt::format("write {}, {}", writes, half ? "half of it" : "none of it"));
      bring_back();
      if (!load_and_end(batch, writes, half)) {
        break;
      }
      ++ends;
      const auto warehouse = open_warehouse(target_->settings(), clock_);
      const TargetState state = warehouse->take_over(test_origin(), unknown_before(), {});
      ASSERT_TRUE(state.loaded == start || state.loaded == batch.span.to);
      ASSERT_TRUE(warehouse->load(batch, {}).set_aside.empty());
      ASSERT_EQ(select(expected()), Rows{"4333|11831167|667|667|1"});
    }
  }
  EXPECT_GT(ends, 6);
}

TEST_P(DuckdbTornWrite, MeetsNoBlockOfMetadataWithoutAFreePlace) {
  std::vector<StagedLayer> tables;
  for (Oid oid = 600; oid < 640; ++oid) {
    std::vector<Column> columns{key_column("id", bigint_type())};
    for (int i = 0; i < 15; ++i) {
      columns.push_back(column(fmt::format("c{}", i), bigint_type()));
    }
    const TextRow row(16, "1");
    tables.push_back(
        staged(LayerBuilder(make_table(oid, {"shop", fmt::format("t{}", oid)}, columns))
                   .create()
                   .insert(row)));
  }
  load(std::move(tables));
  load({staged(inserts(0, 3000).create())});
  std::size_t full = 0;
  std::size_t over = 0;
  for (int round = 0; round < 8; ++round) {
    const auto places = free_places();
    fate().written.clear();
    fate().watched = true;
    load({staged(inserts(3000 + round * 500, 3500 + round * 500))});
    fate().watched = false;
    for (const off_t at : fate().written) {
      constexpr off_t kHeaders = 3L * 4096;
      const auto place = places.find((at - kHeaders) / (256L << 10));
      if (at >= kHeaders && place != places.end()) {
        EXPECT_GT(place->second, 0) << "block " << place->first;
        ++over;
      }
    }
    for (const auto& [block, free] : places) {
      full += free == 0 ? 1 : 0;
    }
  }
  // Otherwise this has seen nothing.
  EXPECT_GT(full, 8U);
  EXPECT_GT(over, 0U);
}

TEST_P(DuckdbTornWrite, AnFsyncThatFailsIsNotBelievedTheSecondTime) {
  loaded_file();
  const StagedBatch batch = changes();
  int reported = 0;
  for (int syncs = 1;; ++syncs) {
    SCOPED_TRACE(fmt::format("fsync {}", syncs));
    bring_back();
    const int code = load_and_lose_power(batch, syncs);
    if (code == 0) {
      break;
    }
    reported += code == 42 ? 1 : 0;
    const auto warehouse = open_warehouse(target_->settings(), clock_);
    const TargetState state = warehouse->take_over(test_origin(), unknown_before(), {});
    if (code == 42) {
      ASSERT_EQ(state.loaded, batch.span.to);
    }
    ASSERT_TRUE(warehouse->load(batch, {}).set_aside.empty());
    ASSERT_EQ(select(expected()), Rows{"4333|11831167|667|667|1"});
  }
  EXPECT_GT(reported, 0);
}

TEST_P(DuckdbTornWrite, IsPutRightByWhoeverLoadsAndByNobodyElse) {
  loaded_file();
  const StagedBatch batch = changes();
  bool torn = false;
  for (int writes = 1; !torn; ++writes) {
    bring_back();
    ASSERT_TRUE(load_and_end(batch, writes, true));
    torn = duckdb::needs_restoring(file().string());
  }
  const std::string left = read_file(real_file_system(), file().string());
  EXPECT_THAT(check_warehouse(target_->settings()),
              ::testing::HasSubstr("a crash interrupted a load"));
  EXPECT_EQ(read_file(real_file_system(), file().string()), left);
  {
    const LockHolder holder(file().string());
    // It may be inside a COMMIT, which looks like this too.
    EXPECT_FALSE(duckdb::needs_restoring(file().string()));
    try {
      duckdb::restore_blocks(file().string());
      ADD_FAILURE() << "wrote to a file that another process holds";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::Transient);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(std::to_string(holder.pid())));
    }
  }
  EXPECT_EQ(read_file(real_file_system(), file().string()), left);
  const auto warehouse = open_warehouse(target_->settings(), clock_);
  EXPECT_EQ(warehouse->take_over(test_origin(), unknown_before(), {}).loaded, batch.span.from);
  EXPECT_EQ(check_warehouse(target_->settings()), "");
}

TEST_P(DuckdbTornWrite, WhileTheFileIsMadeLeavesOneThatOpens) {
  const std::string file = (directory_ / "warehouse.duckdb").string();
  int ends = 0;
  for (int writes = 1; writes < 20; ++writes) {
    SCOPED_TRACE(fmt::format("write {}", writes));
    std::filesystem::remove(file);
    std::filesystem::remove(file + ".saved_blocks");
    const pid_t child = ::fork();
    if (child == 0) {
      fate().writes_left = writes;
      open_warehouse(target_->settings(), clock_)->take_over(test_origin(), unknown_before(), {});
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WEXITSTATUS(status) != 42) {
      break;
    }
    ++ends;
    ASSERT_NO_THROW(open_warehouse(target_->settings(), clock_)
                        ->take_over(test_origin(), unknown_before(), {}));
  }
  EXPECT_GT(ends, 4);
}

}  // namespace
}  // namespace re_dms::testing::torn_write_test
