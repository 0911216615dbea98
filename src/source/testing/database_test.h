// A database of its own for each test, on one PostgreSQL of the suite's.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "source/connection/connection.h"
#include "source/source.h"
#include "source/testing/error_of.h"
#include "source/testing/throwaway_postgres.h"

namespace re_dms {

inline void no_intention(const Origin& origin) {
  EXPECT_FALSE(origin.created);
}

class DatabaseTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { postgres_ = std::make_unique<ThrowawayPostgres>(); }

  static void TearDownTestSuite() { postgres_.reset(); }

  /// Each test has a database of its own.
  void SetUp() override {
    database_ = "db" + std::to_string(++databases_);
    postgres_->execute("CREATE DATABASE " + database_);
    settings_.url = postgres_->url("postgres", database_);
    settings_.slot = "slot_" + database_;
    settings_.lock_timeout = std::chrono::milliseconds(500);
  }

  void TearDown() override {
    execute("DO $$ BEGIN PERFORM pg_drop_replication_slot('" + settings_.slot +
            "'); EXCEPTION WHEN undefined_object THEN NULL; END $$");
  }

  std::string execute(const std::string& sql) {
    Connection connection(settings_, ConnectionPurpose::Sql);
    const QueryResult result = connection.query("SET search_path = public; " + sql, sql);
    return result.rows() > 0 ? std::string(result.text(0, 0)) : "";
  }

  std::string reason_for(const std::vector<LeftOut>& left_out, const std::string& table) {
    const auto found = std::find_if(left_out.begin(), left_out.end(),
                                    [&](const LeftOut& l) { return l.table.name == table; });
    return found == left_out.end() ? "not left out" : found->reason;
  }

  std::string slots() {
    return execute("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '" +
                   settings_.slot + "'");
  }

  static inline std::unique_ptr<ThrowawayPostgres> postgres_;
  static inline int databases_ = 0;
  std::string database_;
  SourceSettings settings_;
};

}  // namespace re_dms
