#include "source/source.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "model/output_settings.h"
#include "source/catalog/pattern.h"
#include "source/connection/conninfo.h"
#include "source/connection/password_command.h"
#include "source/connection/sql_text.h"
#include "source/connection/sqlstate.h"
#include "source/setup/publication.h"
#include "source/setup/slot.h"
#include "source/setup/synchronous_names.h"
#include "source/testing/error_of.h"

namespace re_dms::source_test {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

bool matches(std::string_view pattern, const std::string& schema, const std::string& table) {
  return TablePattern(pattern).matches({schema, table});
}

TEST(TablePattern, MatchesLikePsql) {
  EXPECT_TRUE(matches("public.orders", "public", "orders"));
  EXPECT_TRUE(matches("PUBLIC.Orders", "public", "orders"));
  EXPECT_FALSE(matches("public.orders", "public", "Orders"));
  EXPECT_FALSE(matches("public.orders", "public", "orders2"));
  EXPECT_TRUE(matches("public.*", "public", "anything"));
  EXPECT_TRUE(matches("*.*", "s", "t"));
  EXPECT_TRUE(matches("p*c.o*r*s", "public", "orders"));
  EXPECT_FALSE(matches("p*c.o*r*z", "public", "orders"));
  EXPECT_TRUE(matches("public.order?", "public", "orders"));
  EXPECT_FALSE(matches("public.order?", "public", "order"));
  EXPECT_TRUE(matches("public.caf?", "public", "café"));
  EXPECT_TRUE(matches("public.*", "public", "with.dot"));
}

TEST(TablePattern, KeepsWhatIsQuoted) {
  EXPECT_TRUE(matches("\"My Schema\".\"Or.ders\"", "My Schema", "Or.ders"));
  EXPECT_TRUE(matches("public.\"Order\"*", "public", "OrderItems"));
  EXPECT_FALSE(matches("public.\"*\"", "public", "orders"));
  EXPECT_TRUE(matches("public.\"*\"", "public", "*"));
  EXPECT_TRUE(matches("public.\"say \"\"hi\"\"\"", "public", "say \"hi\""));
  EXPECT_TRUE(matches("public.a[0-9]+", "public", "a[0-9]+"));
}

TEST(TablePattern, WithoutDotTakesAnySchema) {
  EXPECT_TRUE(matches("orders", "shop", "orders"));
  EXPECT_TRUE(matches("ord*", "public", "orders"));
}

TEST(TablePattern, RefusesWhatItCannotMean) {
  for (const char* bad : {"", ".t", "s.", "a.b.c", "\"open", "\"\""}) {
    EXPECT_EQ(error_of([&] { TablePattern{bad}; }).kind(), ErrorKind::Usage) << bad;
  }
}

TEST(TableSelection, ExcludesBeforeIncludes) {
  const TableSelection selection({"public.*", "shop.orders"}, {"*.schema_migrations"});
  EXPECT_TRUE(selection.matches({"public", "a"}));
  EXPECT_TRUE(selection.matches({"shop", "orders"}));
  EXPECT_FALSE(selection.matches({"shop", "items"}));
  EXPECT_FALSE(selection.matches({"public", "schema_migrations"}));
}

TEST(SqlState, TellsWhatMayPassFromWhatIsFinal) {
  for (const char* code :
       {"08006", "57P01", "57P03", "53300", "55006", "55P03", "40001", "XX000", "99999", ""}) {
    EXPECT_EQ(sqlstate_rule(code).kind, ErrorKind::Transient) << code;
  }
  for (const char* code : {"28P01", "28000", "3D000", "42501", "42704", "55000", "58P01", "0A000",
                           "57P04", "22P05", "42601", "42883"}) {
    EXPECT_EQ(sqlstate_rule(code).kind, ErrorKind::Fatal) << code;
  }
}

TEST(SqlState, AdvisesOnWhatAPersonMustDo) {
  EXPECT_THAT(std::string(sqlstate_rule("28P01").advice), HasSubstr("password"));
  EXPECT_THAT(std::string(sqlstate_rule("55006").advice), HasSubstr("pg_terminate_backend"));
}

TEST(SqlState, IsFoundInVerboseTextOfAnyLanguage) {
  EXPECT_EQ(sqlstate_in("connection to server on socket \"/s\" failed: FATAL:  28P01: password "
                        "authentication failed for user \"u\"\nLOCATION:  auth_failed, auth.c:338"),
            "28P01");
  EXPECT_EQ(sqlstate_in("Verbindung fehlgeschlagen: FATAL:  3D000: Datenbank fehlt"), "3D000");
  EXPECT_EQ(sqlstate_in("could not connect to server: Connection refused"), std::nullopt);
}

TEST(SqlState, KnowsLibpqsOwnFinalFailures) {
  EXPECT_EQ(connect_error("x failed: fe_sendauth: no password supplied", "c").kind(),
            ErrorKind::Fatal);
  EXPECT_EQ(connect_error("server does not support SSL, but SSL was required", "c").kind(),
            ErrorKind::Fatal);
  for (const char* text :
       {"connection to server at \"h\", port 1 failed: Connection refused",
        "could not translate host name \"h\" to address: Name or service not known",
        "connection to server on socket \"/s\" failed: No such file or directory"}) {
    const Error error = connect_error(text, "c");
    EXPECT_EQ(error.kind(), ErrorKind::Transient);
    EXPECT_THAT(error.advice(), HasSubstr("source.url")) << text;
  }
}

TEST(ConnectionParameters, PinWhatDecidesHowValuesLook) {
  const auto parameters =
      connection_parameters("postgresql://u@db.internal/app", ConnectionPurpose::Sql);
  for (const char* pinned :
       {"datestyle=ISO", "intervalstyle=postgres", "extra_float_digits=3", "bytea_output=hex",
        "timezone=UTC", "lc_monetary=C", "search_path=pg_catalog", "statement_timeout=0"}) {
    EXPECT_THAT(parameters.at("options"), HasSubstr(std::string("-c ") + pinned));
  }
  for (const OutputSetting& setting : kPinnedSettings) {
    const std::string& options = parameters.at("options");
    const auto name = fmt::format("-c {}=", setting.name);
    EXPECT_EQ(options.find(name), options.rfind(name)) << name << " is pinned twice";
  }
  EXPECT_EQ(parameters.at("client_encoding"), "UTF8");
  EXPECT_EQ(parameters.at("application_name"), "re_dms");
  EXPECT_EQ(parameters.at("keepalives"), "1");
  EXPECT_FALSE(parameters.contains("replication"));
}

TEST(ConnectionParameters, LetTheUrlDecideTheRest) {
  const auto parameters = connection_parameters(
      "host=h dbname=d user=u connect_timeout=3 application_name=mine replication=true "
      "options='-c datestyle=German -c geqo=off' client_encoding=LATIN1",
      ConnectionPurpose::Replication);
  EXPECT_EQ(parameters.at("connect_timeout"), "3");
  EXPECT_EQ(parameters.at("application_name"), "mine");
  EXPECT_EQ(parameters.at("replication"), "database");
  EXPECT_EQ(parameters.at("client_encoding"), "UTF8");
  EXPECT_THAT(parameters.at("options"), HasSubstr("-c geqo=off"));
  // The last setting counts.
  EXPECT_GT(parameters.at("options").find("datestyle=ISO"),
            parameters.at("options").find("datestyle=German"));
}

TEST(ConnectionParameters, CheckTheServersCertificateUnlessLocal) {
  unsetenv("PGSSLMODE");
  const auto mode = [](const std::string& url) {
    const auto parameters = connection_parameters(url, ConnectionPurpose::Sql);
    const auto found = parameters.find("sslmode");
    return found == parameters.end() ? std::string("default") : found->second;
  };
  EXPECT_EQ(mode("postgresql://u@db.internal/app"), "verify-full");
  EXPECT_EQ(mode("postgresql://u@db.internal/app?sslmode=require"), "require");
  EXPECT_EQ(mode("postgresql://u@localhost/app"), "default");
  EXPECT_EQ(mode("postgresql://u@/app?host=/run/postgresql"), "default");
}

TEST(ConnectionParameters, WaitForEachHost) {
  const auto patience = [](const std::string& url) {
    return connect_patience(connection_parameters(url, ConnectionPurpose::Sql)).count();
  };
  EXPECT_EQ(patience("host=a"), 10);
  EXPECT_EQ(patience("host=a connect_timeout=3"), 3);
  EXPECT_GE(patience("host=a,b"), 60);
}

TEST(ConnectionParameters, NeverShowThePassword) {
  for (const char* url : {"postgres:/u:secret@h/d", "password=secret host", "u:secret@h",
                          "postgresql://u:se%cret@h/d"}) {
    const Error error = error_of([&] { connection_parameters(url, ConnectionPurpose::Sql); });
    EXPECT_EQ(error.kind(), ErrorKind::Usage) << url;
    EXPECT_THAT(std::string(error.what()), Not(HasSubstr("secret"))) << url;
    EXPECT_THAT(std::string(error.what()), Not(HasSubstr("cret@"))) << url;
  }
}

TEST(PasswordCommand, GivesTheFirstLine) {
  EXPECT_EQ(run_password_command("printf 'one\\r\\ntwo\\n'"), "one");
  EXPECT_EQ(run_password_command("printf 'no newline'"), "no newline");
}

TEST(PasswordCommand, SaysWhatWentWrongWithoutTheOutput) {
  const Error failed = error_of([] { run_password_command("echo secret; exit 3"); });
  EXPECT_THAT(std::string(failed.what()), HasSubstr("status 3"));
  EXPECT_THAT(std::string(failed.what()), Not(HasSubstr("secret")));
  EXPECT_EQ(failed.kind(), ErrorKind::Transient);
  EXPECT_THAT(error_of([] { run_password_command("true"); }).message(), HasSubstr("nothing"));
}

TEST(PasswordCommand, IsEndedWhenItHangs) {
  const Error error = error_of([] { run_password_command("sleep 60", milliseconds(100)); });
  EXPECT_THAT(error.message(), HasSubstr("no answer"));
}

TEST(CommitWait, SeesWhoseConfirmationCommitsNeed) {
  EXPECT_EQ(commit_wait("", "re_dms"), CommitWait::Never);
  EXPECT_EQ(commit_wait("a, b", "re_dms"), CommitWait::Never);
  EXPECT_EQ(commit_wait("FIRST 1 (a, \"b c\")", "re_dms"), CommitWait::Never);
  EXPECT_EQ(commit_wait("*", "re_dms"), CommitWait::Always);
  EXPECT_EQ(commit_wait("RE_DMS", "re_dms"), CommitWait::Always);
  EXPECT_EQ(commit_wait("ANY 1 (*)", "re_dms"), CommitWait::Always);
  EXPECT_EQ(commit_wait("FIRST 1 (a, *)", "re_dms"), CommitWait::Possibly);
}

TEST(SqlText, QuotesWhatComesFromOutside) {
  EXPECT_EQ(quote_name({"My\"S", "t"}), "\"My\"\"S\".\"t\"");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(oid_array({1, 22}), "'{1,22}'::oid[]");
  EXPECT_EQ(oid_array({}), "'{}'::oid[]");
}

TEST(SlotName, IsCheckedBeforeAnythingConnects) {
  SourceSettings settings;
  settings.url = "host=h";
  settings.slot = "Re-Dms";
  EXPECT_EQ(error_of([&] { Source{settings}; }).kind(), ErrorKind::Usage);
  EXPECT_NO_THROW(require_slot_name("re_dms_2"));
}

TEST(SlotProblem, NamesTheSettingThatLostTheSlot) {
  SlotState slot;
  slot.plugin = "pgoutput";
  slot.database = "app";
  slot.lost = true;
  EXPECT_THAT(slot_problem(slot, "app"), HasSubstr("max_slot_wal_keep_size"));
  slot.lost_by = "wal_removed";
  EXPECT_THAT(slot_problem(slot, "app"), HasSubstr("max_slot_wal_keep_size"));
  slot.lost_by = "idle_timeout";
  EXPECT_THAT(slot_problem(slot, "app"), HasSubstr("idle_replication_slot_timeout"));
  slot.lost_by = "wal_level_insufficient";
  EXPECT_THAT(slot_problem(slot, "app"), HasSubstr("wal_level_insufficient"));
}

TEST(PublicationProblems, GeneratedColumns) {
  PublicationState publication;
  EXPECT_THAT(publication_problems(publication, "re_dms", false), ::testing::IsEmpty());
  publication.generated = true;
  EXPECT_THAT(publication_problems(publication, "re_dms", false),
              ::testing::ElementsAre(HasSubstr("(publish_generated_columns = none)")));
}

TEST(PublicationProblems, NobodyIsToldToDropWhatReplicationNeeds) {
  PublicationState publication;
  publication.schemas = true;
  EXPECT_THAT(publication_problems(publication, "re_dms", false),
              ::testing::ElementsAre(HasSubstr("DROP PUBLICATION")));
  EXPECT_THAT(publication_problems(publication, "re_dms", true),
              ::testing::ElementsAre(::testing::AllOf(HasSubstr("DROP TABLES IN SCHEMA"),
                                                      ::testing::Not(HasSubstr("DROP PUB")))));
}

}  // namespace
}  // namespace re_dms::source_test
