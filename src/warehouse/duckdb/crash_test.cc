// A process that ends at once behind COMMIT, before the file is closed: DuckDB's log is all that
// the next one finds.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "base/error.h"
#include "warehouse/duckdb/session.h"
#include "warehouse/testing/duckdb_target.h"

namespace re_dms::testing::crash_test {

namespace {

/// Runs `work` in another process, which must end itself by _exit(0).
void run_and_lose(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      work();
    } catch (...) {
      ::_exit(1);
    }
    ::_exit(2);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

struct Filled {
  ColumnType type;
  std::string missing;
  std::string shown;  ///< as DuckDB shows it
};

/// A missing value of every type that has one of its own in the target.
std::vector<Filled> filled_columns() {
  ColumnType array = type_of(1007, "integer[]");
  array.element_oid = 23;
  return {
      {type_of(16, "boolean"), "t", "true"},
      {type_of(21, "smallint"), "-7", "-7"},
      {type_of(23, "integer"), "7", "7"},
      {type_of(20, "bigint"), "9223372036854775807", "9223372036854775807"},
      {type_of(700, "real"), "0.1", "0.1"},
      {type_of(701, "double precision"), "5e-324", "5e-324"},
      {type_of(1700, "numeric(10,2)", (10 << 16 | 2) + 4), "1.50", "1.50"},
      {type_of(1700, "numeric"), "1.500", "1.500"},
      {type_of(25, "text"), "it's \"here\", \\N", "it's \"here\", \\N"},
      {type_of(17, "bytea"), "\\x00ff41", "\\x00\\xFFA"},
      {type_of(1082, "date"), "0044-03-15 BC", "0044-03-15 (BC)"},
      {type_of(1083, "time"), "24:00:00", "24:00:00"},
      {type_of(1114, "timestamp"), "2024-02-29 12:00:00.5", "2024-02-29 12:00:00.5"},
      {type_of(1184, "timestamptz"), "infinity", "infinity"},
      {type_of(1186, "interval"), "1 day 00:00:01", "1 day 00:00:01"},
      {type_of(2950, "uuid"), "00000000-0000-0000-0000-0000000000ab",
       "00000000-0000-0000-0000-0000000000ab"},
      {type_of(114, "json"), "{\"a\":  1}", "{\"a\":  1}"},
      {type_of(3802, "jsonb"), "{\"b\": 1.50}", "{\"b\": 1.50}"},
      {array, "{1,NULL,3}", "{1,NULL,3}"},
  };
}

class DuckdbCrash : public WarehouseContract {
 protected:
  std::string path() const { return (directory_ / "warehouse.duckdb").string(); }

  /// Takes the file over and loads the layers as the next batch, in a process that ends behind
  /// COMMIT.
  void load_and_lose(std::vector<StagedLayer> layers) {
    const StagedBatch batch = next_batch(std::move(layers));
    run_and_lose([&] {
      WarehouseSettings settings;
      settings.url = "duckdb://" + path();
      bool loading = false;
      bool committed = false;
      settings.watch.begins = [&](std::string_view statement) {
        if (committed) {
          ::_exit(0);
        }
        committed = loading && statement == "COMMIT";
      };
      const auto warehouse = open_warehouse(settings, clock_);
      warehouse->take_over(test_origin(), unknown_before(), {});
      loading = true;
      warehouse->load(batch, {});
    });
    loaded_ = batch.span.to;
  }

  static TablePtr items() {
    return make_table(501, {"shop", "items"},
                      {key_column("id", bigint_type()), column("a", text_type())});
  }
};

INSTANTIATE_TEST_SUITE_P(DuckDb, DuckdbCrash, ::testing::Values(&make_duckdb_target));

TEST_P(DuckdbCrash, ColumnsWithValuesOfEveryTypeAreThere) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}).insert({"2", "y"}))});
  TablePtr wide = items();
  LayerBuilder create(wide);
  std::string expected;
  std::vector<std::string> names;
  for (const Filled& filled : filled_columns()) {
    Column added = column("c" + std::to_string(names.size()), filled.type);
    added.missing = filled.missing;
    names.push_back(added.name);
    wide = with_column(wide, std::move(added));
    expected += "|" + filled.shown;
  }
  LayerBuilder layer(wide);
  for (const std::string& name : names) {
    layer.add_column(name);
  }
  load_and_lose({staged(layer.remove({"2"}).insert({"3"}))});
  warehouse_.reset();
  // The COMMIT is in the file itself: nothing has to be replayed.
  EXPECT_FALSE(std::filesystem::exists(path() + ".wal"));
  EXPECT_EQ(inspect_warehouse(target_->settings(), test_origin()), loaded_);
  EXPECT_TRUE(load({}).set_aside.empty());
  EXPECT_EQ(select("SELECT * FROM shop.items WHERE id = 1"), Rows{"1|x" + expected});
  EXPECT_EQ(select("SELECT id, a, c0 FROM shop.items WHERE id > 1"), Rows{"3|NULL|NULL"});
  EXPECT_EQ(select("SELECT count(*) FROM duckdb_columns() WHERE column_default IS NOT NULL AND "
                   "schema_name = 'shop'"),
            Rows{"0"});
}

TEST_P(DuckdbCrash, ColumnsAddedOneByOneBetweenRowsAreThere) {
  Column with_b = column("b", type_of(1082, "date"));
  with_b.missing = "2024-02-29";
  const TablePtr second = with_column(items(), with_b);
  const TablePtr third = with_column(second, column("c", bigint_type()));
  Column with_d = column("d", type_of(3802, "jsonb"));
  with_d.missing = "{}";
  const TablePtr fourth = with_column(third, with_d);
  load_and_lose(
      {staged(LayerBuilder(items()).create().insert({"1", "x"})),
       staged(LayerBuilder(second).add_column("b").insert({"2", "x", std::nullopt})),
       staged(LayerBuilder(third).add_column("c").update({"1"}, "1001", {"1", {}, {}, "5"})),
       staged(LayerBuilder(fourth).add_column("d").remove({"2"}).insert({"3"}))});
  EXPECT_TRUE(load({}).set_aside.empty());
  EXPECT_EQ(select("SELECT * FROM shop.items"),
            (Rows{"1|x|2024-02-29|5|{}", "3|NULL|NULL|NULL|NULL"}));
}

TEST_P(DuckdbCrash, ALogThatDuckdbRefusesIsReplayed) {
  load({staged(LayerBuilder(items()).create().insert({"1", "x"}))});
  run_and_lose([&] {
    duckdb::Session session({path(), 0, ""}, duckdb::FileAccess::ReadWrite);
    // As the session of a person has it who alters the file by hand.
    session.execute(sql("SET checkpoint_threshold = '1GB'"));
    session.execute(sql("ALTER TABLE shop.items ADD COLUMN z VARCHAR DEFAULT upper('z')"));
    ::_exit(0);
  });
  EXPECT_THROW(duckdb::Session({path(), 0, ""}, duckdb::FileAccess::ReadOnly), Error);
  { const duckdb::Session session({path(), 0, ""}, duckdb::FileAccess::ReadWrite); }
  EXPECT_EQ(select("SELECT * FROM shop.items"), Rows{"1|x|Z"});
}

}  // namespace
}  // namespace re_dms::testing::crash_test
