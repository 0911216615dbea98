#include "warehouse/duckdb/library.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "warehouse/duckdb/location.h"
#include "warehouse/warehouse.h"

namespace re_dms::duckdb::library_test {
namespace {

TEST(Library, IsOfTheVersionThisProgramWasBuiltFor) {
  EXPECT_EQ(library().library_version(), library_version());
}

TEST(Location, IsAnAbsolutePath) {
  EXPECT_EQ(file_of("duckdb:///var/lib/re_dms/warehouse.duckdb"),
            "/var/lib/re_dms/warehouse.duckdb");
  EXPECT_THROW(file_of("duckdb://warehouse.duckdb"), Error);
  EXPECT_THROW(file_of("duckdb://"), Error);
  EXPECT_THROW(file_of("duckdb:///var/lib/"), Error);
}

TEST(Location, KeepsNamesUnambiguous) {
  for (const char* url : {"duckdb:///x/re_dms.duckdb", "duckdb:///x/RE_DMS", "duckdb:///x/temp.db",
                          "duckdb:///x/.duckdb", "duckdb:///x/re_dms_internal.a.b"}) {
    EXPECT_THROW(file_of(url), Error) << url;
  }
}

TEST(OpenWarehouse, RefusesSchemesItDoesNotKnow) {
  WarehouseSettings settings;
  settings.url = "mysql://somewhere/db";
  EXPECT_THROW(open_warehouse(settings, real_clock()), Error);
  EXPECT_NE(check_warehouse(settings), "");
}

}  // namespace
}  // namespace re_dms::duckdb::library_test
