// A process that ends inside each write to the DuckDB file. Defines pwrite for this program and the
// DuckDB library it loads.
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "warehouse/testing/duckdb_target.h"

namespace {

// Of the process that is to end: writes still to come, and how much of the last one is done.
int writes_left = 0;
bool half_of_it = false;

ssize_t write_or_end(int fd, const void* bytes, size_t size, off_t at) {
  if (writes_left > 0 && --writes_left == 0) {
    if (half_of_it) {
      ::syscall(SYS_pwrite64, fd, bytes, size / 2, at);
    }
    ::_exit(42);
  }
  return ::syscall(SYS_pwrite64, fd, bytes, size, at);
}

}  // namespace

extern "C" ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  return write_or_end(fd, bytes, size, at);
}

extern "C" ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t at) {
  return write_or_end(fd, bytes, size, at);
}

namespace re_dms::testing {

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
      warehouse->take_over(test_origin());
      half_of_it = half;
      writes_left = writes;
      warehouse->load(batch);
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status) == 42;
  }

  std::string expected() const {
    return "SELECT count(*), sum(id), count(*) FILTER (a = 'b'), count(*) FILTER (a = 'c'), "
           "(SELECT count(*) FROM shop.other) FROM shop.items";
  }
};

INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbTornWrite, ::testing::Values(&make_duckdb_target));

}  // namespace

TEST_P(DuckdbTornWrite, LeavesTheFileAsItWasBeforeOrAfter) {
  load({staged(LayerBuilder(inserts(0, 3000)).create())});
  for (int round = 0; round < 4; ++round) {
    load({staged(inserts(3000 + round * 500, 3500 + round * 500))});
  }
  warehouse_.reset();
  const auto file = directory_ / "warehouse.duckdb";
  const auto before = directory_ / "before.duckdb";
  std::filesystem::copy_file(file, before);
  const StagedBatch batch = changes();
  const Lsn start = batch.span.from;
  int ends = 0;
  for (const bool half : {true, false}) {
    for (int writes = 1;; ++writes) {
      SCOPED_TRACE(fmt::format("write {}, {}", writes, half ? "half of it" : "none of it"));
      std::filesystem::remove(file.string() + ".saved_blocks");
      std::filesystem::copy_file(before, file, std::filesystem::copy_options::overwrite_existing);
      if (!load_and_end(batch, writes, half)) {
        break;
      }
      ++ends;
      const auto warehouse = open_warehouse(target_->settings(), clock_);
      const TargetState state = warehouse->take_over(test_origin());
      ASSERT_TRUE(state.loaded == start || state.loaded == batch.span.to);
      ASSERT_TRUE(warehouse->load(batch).set_aside.empty());
      ASSERT_EQ(select(expected()), Rows{"4333|11831167|667|667|1"});
    }
  }
  EXPECT_GT(ends, 6);
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
      writes_left = writes;
      open_warehouse(target_->settings(), clock_)->take_over(test_origin());
      ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WEXITSTATUS(status) != 42) {
      break;
    }
    ++ends;
    ASSERT_NO_THROW(open_warehouse(target_->settings(), clock_)->take_over(test_origin()));
  }
  EXPECT_GT(ends, 4);
}

}  // namespace re_dms::testing
