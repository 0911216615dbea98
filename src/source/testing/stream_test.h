// A table, a publication and a slot on a PostgreSQL of the suite's own, for tests that stream.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "source/testing/stream_probe.h"
#include "source/testing/throwaway_postgres.h"

namespace re_dms {

/// Table t (id int PRIMARY KEY, v text stored out of line) is empty when the slot begins.
class StreamTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    postgres_ =
        std::make_unique<ThrowawayPostgres>(std::vector<std::string>{"wal_sender_timeout = 4s"});
  }

  static void TearDownTestSuite() { postgres_.reset(); }

  void SetUp() override {
    postgres_->execute(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public;"
        "DROP PUBLICATION IF EXISTS re_dms;"
        "CREATE TABLE t (id int PRIMARY KEY, v text);"
        "ALTER TABLE t ALTER v SET STORAGE EXTERNAL");
    settings_.url = postgres_->url();
    Source source(settings_);
    origin_ = source.create_slot({}, [](const Origin&) {}).origin;
  }

  void TearDown() override {
    postgres_->execute(
        "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE "
        "active");
    wait_until_free();
    postgres_->execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
  }

  /// The slot is free a moment after the server ended the stream before.
  void wait_until_free() {
    ASSERT_TRUE(postgres_->becomes("SELECT count(*) FROM pg_replication_slots WHERE active", "0"));
  }

  std::unique_ptr<StreamProbe> start(bool open = false, ReadTimes times = {}) {
    return std::make_unique<StreamProbe>(settings_, origin_, origin_.consistent_point,
                                         origin_.consistent_point, open, times);
  }

  static std::vector<std::string> without_idle(std::vector<std::string> records) {
    std::erase(records, "idle");
    return records;
  }

  std::string confirmed_beyond(Lsn lsn) {
    return "SELECT confirmed_flush_lsn >= '" + to_string(lsn) + "' FROM pg_replication_slots";
  }

  static inline std::unique_ptr<ThrowawayPostgres> postgres_;
  SourceSettings settings_;
  Origin origin_;
};

}  // namespace re_dms
