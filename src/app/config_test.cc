#include "app/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>

#include "app/testing/config_text.h"
#include "base/error.h"
#include "source/catalog/pattern.h"

namespace re_dms::config_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using namespace config_text;

TEST(Config, FourLinesAreEnough) {
  const Config config = parse(kFourLines);
  EXPECT_EQ(config.file, "/etc/x/re.toml");
  EXPECT_EQ(config.source.url, "postgresql://re_dms@db:5432/app");
  EXPECT_EQ(config.source.slot, "re_dms");
  EXPECT_EQ(config.source.publication, "re_dms");
  EXPECT_THAT(config.source.include, ElementsAre("public.*"));
  EXPECT_TRUE(config.source.auto_setup);
  EXPECT_EQ(config.source.lock_timeout, std::chrono::seconds(5));
  EXPECT_EQ(config.journal.directory, "/var/lib/re_dms/journal");
  EXPECT_EQ(config.journal.max_bytes, 50ULL << 30);
  EXPECT_EQ(config.journal.reserve_bytes, 2ULL << 30);
  EXPECT_EQ(config.journal.segment_bytes, 64ULL << 20);
  EXPECT_EQ(config.batch.interval, std::chrono::seconds(10));
  EXPECT_EQ(config.batch.memory_bytes, 512ULL << 20);
  EXPECT_EQ(config.batch.row_bytes_max, 64ULL << 20);
  EXPECT_EQ(config.stage.directory, "/var/lib/re_dms/journal.stage");
  EXPECT_EQ(config.warehouse.url, "duckdb:///var/lib/re_dms/warehouse.duckdb");
  EXPECT_EQ(config.warehouse.schema, "");
  EXPECT_EQ(config.observe.listen, (ListenAddress{"127.0.0.1", 9847}));
  EXPECT_EQ(config.observe.log_format, std::nullopt);
}

TEST(Config, EveryKeyIsTaken) {
  const Config config = parse(R"(
[source]
url = "host=/tmp dbname=app"
password_command = "vault read"
slot = "s_1"
publication = "Pub"
include = ["public.*", "\"My Schema\".\"a.b\"", "orders"]
exclude = ["public.log_?"]
auto_setup = false
lock_timeout = "500ms"
[journal]
directory = "/data/j/"
max_bytes = "1GiB"
reserve_bytes = "0B"
segment_bytes = "1MiB"
[batch]
interval = "1m"
memory = "64MiB"
max_row_bytes = "1KiB"
[stage]
url = "file:///data/stage"
[warehouse]
url = "duckdb://w.duckdb"
schema = "copy"
[observe]
listen = "0.0.0.0:80"
allow_remote = true
log_format = "json"
)");
  EXPECT_EQ(config.source.password_command, "vault read");
  EXPECT_EQ(config.source.slot, "s_1");
  EXPECT_THAT(config.source.include, ElementsAre("public.*", R"("My Schema"."a.b")", "orders"));
  EXPECT_THAT(config.source.exclude, ElementsAre("public.log_?"));
  EXPECT_FALSE(config.source.auto_setup);
  EXPECT_EQ(config.source.lock_timeout, std::chrono::milliseconds(500));
  EXPECT_EQ(config.journal.directory, "/data/j");
  EXPECT_EQ(config.journal.reserve_bytes, 0U);
  EXPECT_EQ(config.batch.interval, std::chrono::minutes(1));
  EXPECT_EQ(config.stage.directory, "/data/stage");
  EXPECT_EQ(config.warehouse.schema, "copy");
  EXPECT_FALSE(config.observe.listen->is_loopback());
  EXPECT_EQ(config.observe.log_format, LogFormat::Json);
}

TEST(Config, RelativePathsAreTakenFromTheFoldersOfTheFile) {
  const Config config = parse(
      "[source]\nurl = \"dbname=a\"\n[journal]\ndirectory = \"j\"\n[stage]\nurl = \"file://s\"\n"
      "[warehouse]\nurl = \"duckdb://../w.duckdb\"\n");
  EXPECT_EQ(config.journal.directory, "/etc/x/j");
  EXPECT_EQ(config.stage.directory, "/etc/x/s");
  EXPECT_EQ(config.warehouse.url, "duckdb:///etc/w.duckdb");
}

TEST(Config, EmptyOptionalValuesMeanTheDefault) {
  const Config config = parse_more(
      "schema = \"\"\n[batch]\ninterval = \"\"\nmemory = \"\"\n[observe]\nlisten = \"\"\n"
      "log_format = \"\"\n[journal]\ndirectory = \"\"\n[stage]\nurl = \"\"\n");
  EXPECT_EQ(config.batch.interval, std::chrono::seconds(10));
  EXPECT_EQ(config.batch.memory_bytes, 512ULL << 20);
  EXPECT_EQ(config.observe.listen->port, 9847);
  EXPECT_EQ(config.journal.directory, "/var/lib/re_dms/journal");
}

TEST(Config, TheStatusPageCanBeOff) {
  EXPECT_EQ(parse_more("[observe]\nlisten = \"off\"\n").observe.listen, std::nullopt);
}

TEST(Config, EnvironmentAndFilesArePutIn) {
  const Config config = parse(
      "[source]\nurl = \"postgresql://u:${file:/run/secret}@${HOST}/a$$b\"\n"
      "publication = \"${DOLLARS}\"\n[warehouse]\nurl = \"duckdb:///${HOST}\"\n");
  EXPECT_EQ(config.source.url, "postgresql://u:s3cr%24t@db.internal/a$b");
  EXPECT_EQ(config.source.publication, "${HOST}$$") << "values put in are not looked at again";
  EXPECT_EQ(config.warehouse.url, "duckdb:///db.internal");
}

TEST(Config, CredentialsOfTheServiceArePutIn) {
  EXPECT_EQ(parse("[source]\nurl = \"postgresql://u:${credential:source_password}@h/a\"\n"
                  "[warehouse]\nurl = \"duckdb:///w\"\n")
                .source.url,
            "postgresql://u:hush@h/a");
  EXPECT_THAT(more_faults("schema = \"${credential:a/b}\"\n"), HasSubstr("needs a name"));
  EXPECT_THAT(more_faults("schema = \"${credential:none}\"\n"),
              HasSubstr("cannot read /credentials/none"));
}

TEST(Config, CommandsOfAPersonTakeTheFilesThatTheServiceIsGiven) {
  ::unsetenv("CREDENTIALS_DIRECTORY");
  EXPECT_EQ(process_surroundings("/etc/re_dms/eu.toml").credentials, "/etc/credstore/eu.");
  ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/re_dms.service", 1);
  EXPECT_EQ(process_surroundings("/etc/re_dms/eu.toml").credentials,
            "/run/credentials/re_dms.service/");
  ::unsetenv("CREDENTIALS_DIRECTORY");
}

TEST(Config, ReferencesThatLeadNowhereAreFaults) {
  EXPECT_THAT(more_faults("schema = \"${ABSENT}\"\n"),
              "/etc/x/re.toml:5: warehouse.schema: the environment variable ABSENT is not set");
  EXPECT_THAT(more_faults("schema = \"${file:/none}\"\n"), HasSubstr("cannot read /none"));
  EXPECT_THAT(more_faults("schema = \"${file:none}\"\n"), HasSubstr("begins with \"/\""));
  EXPECT_THAT(more_faults("schema = \"${no name}\"\n"),
              HasSubstr("neither ${NAME}, ${file:/path} nor"));
  EXPECT_THAT(more_faults("schema = \"a$b\"\n"), HasSubstr("must be written \"$$\""));
  EXPECT_THAT(more_faults("schema = \"${HOST\"\n"), HasSubstr("must be written \"$$\""));
  EXPECT_THAT(more_faults("[source.x]\n"), Not(HasSubstr("missing")));
}

TEST(Config, AllFaultsComeAtOnceInTheOrderOfTheirLines) {
  EXPECT_EQ(faults("[batch]\n"
                   "memory = \"10MB\"\n"
                   "interval = 10\n"
                   "[source]\n"
                   "slot = \"Re-Dms\"\n"
                   "includ = [\"public.*\"]\n"
                   "auto_setup = \"yes\"\n"
                   "[stagee]\n"),
            "/etc/x/re.toml:1: warehouse.url: missing; set it like url = "
            "\"duckdb:///var/lib/re_dms/warehouse.duckdb\" in [warehouse]\n"
            "/etc/x/re.toml:2: batch.memory: found \"10MB\", expected a whole number with B, KiB, "
            "MiB, GiB or TiB, such as \"512MiB\"\n"
            "/etc/x/re.toml:3: batch.interval: found the number 10, expected a string in quotes\n"
            "/etc/x/re.toml:4: source.url: missing; set it like url = "
            "\"postgresql://user@host:5432/database\" in [source]\n"
            "/etc/x/re.toml:5: source.slot: found \"Re-Dms\", expected 1 to 63 of the letters a-z, "
            "0-9 and _\n"
            "/etc/x/re.toml:6: source.includ: unknown key; did you mean source.include?\n"
            "/etc/x/re.toml:7: source.auto_setup: found \"yes\", expected true or false, without "
            "quotes\n"
            "/etc/x/re.toml:8: \"stagee\": unknown section; did you mean stage?");
}

TEST(Config, ASyntaxErrorStopsAtItself) {
  EXPECT_THAT(faults("[source]\nurl = \"a\nslot = 3\n"), HasSubstr("/etc/x/re.toml:2: "));
}

TEST(Config, KeysOfLaterVersionsAreUnknown) {
  EXPECT_THAT(more_faults("deletes = \"soft\"\n"), HasSubstr("warehouse.deletes: unknown key"));
  EXPECT_THAT(more_faults("[[table]]\ndeletes = \"soft\"\n"),
              HasSubstr("table[1].deletes: unknown key"));
  EXPECT_THAT(faults("slot = \"x\"\n"),
              HasSubstr("\"slot\": unknown key; did you mean source.slot"));
  EXPECT_THAT(faults("source = 3\n"),
              HasSubstr("re.toml:1: source: found the number 3, expected a section [source]"));
}

TEST(Config, ValuesOfTheWrongFormAreNamed) {
  EXPECT_THAT(more_faults("[source.include]\n"), HasSubstr("found a section"));
  EXPECT_THAT(more_faults("[batch]\nmemory = 1.5\n"), HasSubstr("the number 1.5"));
  EXPECT_THAT(more_faults("[batch]\nmemory = [1]\n"), HasSubstr("found a list"));
  EXPECT_THAT(more_faults("[batch]\nmemory = true\n"), HasSubstr("found true"));
  EXPECT_THAT(more_faults("[batch]\nmemory = 2026-01-01\n"), HasSubstr("found a date"));
  EXPECT_THAT(more_faults("[batch]\nmemory = \"\\u0000\"\n"), HasSubstr("NUL"));
  EXPECT_THAT(more_faults("[batch]\nmemory = \"" + std::string(500, 'a') + "\"\n"),
              HasSubstr(std::string(80, 'a') + "...\""));
}

TEST(Config, SecretsAreNotRepeated) {
  const std::string text =
      faults("[source]\nurl = \"hunter2\"\npassword_command = 3\n[warehouse]\nurl = \"hunter2\"\n");
  EXPECT_THAT(text, HasSubstr("source.url: expected postgresql://"));
  EXPECT_THAT(text, HasSubstr("warehouse.url: expected duckdb:///absolute/path"));
  EXPECT_THAT(text, Not(HasSubstr("hunter2")));
}

TEST(Config, BoundsMustFitEachOther) {
  EXPECT_THAT(more_faults("[journal]\nmax_bytes = \"100MiB\"\n"), HasSubstr("four segments"));
  EXPECT_THAT(more_faults("[journal]\nsegment_bytes = \"1KiB\"\n"), HasSubstr("64KiB or more"));
  EXPECT_THAT(more_faults("[batch]\nmemory = \"63MiB\"\n"), HasSubstr("64MiB or more"));
  EXPECT_THAT(
      more_faults("[batch]\nmax_row_bytes = \"65MiB\"\n"),
      HasSubstr("re.toml:6: batch.max_row_bytes: loading a row of 65 MiB may take 8 times as "
                "much memory, and batch.memory is 512 MiB; raise that or lower this"));
  EXPECT_EQ(
      parse_more("[batch]\nmemory = \"2GiB\"\nmax_row_bytes = \"256MiB\"\n").batch.row_bytes_max,
      256U << 20);
  EXPECT_EQ(parse_more("[batch]\nmemory = \"2GiB\"\n").batch.row_bytes_max, 64U << 20);
  EXPECT_EQ(parse_more("[batch]\nmemory = \"128MiB\"\n").batch.row_bytes_max, 16U << 20);
  EXPECT_THAT(more_faults("[batch]\nmax_row_bytes = \"0B\"\n"), HasSubstr("more than 0"));
  EXPECT_EQ(parse_more("[batch]\ninterval = \"0s\"\n").batch.interval.count(), 0);
}

TEST(Config, NamesAndPatternsAreChecked) {
  const auto source = [](const std::string& line) {
    return faults("[source]\nurl = \"dbname=a\"\n" + line +
                  "\n[warehouse]\nurl = \"duckdb:///w\"\n");
  };
  EXPECT_THAT(source("slot = \"" + std::string(64, 'a') + "\""), HasSubstr("1 to 63"));
  EXPECT_THAT(source("include = []"), HasSubstr("would replicate nothing"));
  EXPECT_THAT(source("include = [1]"), HasSubstr("a list of strings"));
  EXPECT_THAT(source("include = \"public.*\""), HasSubstr("a list of strings"));
  EXPECT_THAT(source("include = [\"a.b.c\"]"), HasSubstr("not a table pattern"));
  EXPECT_THAT(source("exclude = [\"\"]"), HasSubstr("not a table pattern"));
  EXPECT_THAT(source("exclude = ['\"a']"), HasSubstr("not a table pattern"));
  EXPECT_THAT(source("lock_timeout = \"0s\""), HasSubstr("wait forever"));
  EXPECT_THAT(more_faults("schema = \"re_dms\"\n"), HasSubstr("keeps its own tables"));
}

TEST(Config, UrlsOfOtherKindsAreRefused) {
  for (const char* url : {"mysql://u@h/db", "duckdb:", "duckdb://", "duckdb:///a/", "/a/b",
                          "duckdb:///a?access_mode=read_only"}) {
    EXPECT_THAT(faults(std::string("[source]\nurl=\"dbname=a\"\n[warehouse]\nurl=\"") + url + "\""),
                HasSubstr("warehouse.url: expected duckdb://"))
        << url;
  }
  EXPECT_THAT(more_faults("[stage]\nurl = \"/var/x\"\n"), HasSubstr("file:///absolute"));
  EXPECT_THAT(more_faults("[stage]\nurl = \"file:///var/lib/re_dms/journal/s\"\n"),
              HasSubstr("must not lie in journal.directory"));
}

TEST(Config, RedshiftNeedsARoleAndABucket) {
  const auto with = [](const std::string& stage, const std::string& warehouse) {
    return "[source]\nurl=\"dbname=a\"\n[stage]\n" + stage + "\n[warehouse]\n" + warehouse + "\n";
  };
  const std::string bucket = "url = \"s3://bucket/p\"\nregion = \"eu-west-1\"";
  const std::string cluster = "url = \"redshift://u@h:5439/db\"\n";
  const Config config = parse(with(bucket, cluster + "iam_role = \"default\""));
  EXPECT_EQ(config.warehouse.url, "redshift://u@h:5439/db");
  EXPECT_EQ(config.batch.interval, std::chrono::seconds(60));
  EXPECT_EQ(config.warehouse.lanes, 4);
  EXPECT_EQ(parse(with(bucket, cluster + "iam_role = \"default\"\nlanes = 1")).warehouse.lanes, 1);
  EXPECT_THAT(faults(with(bucket, cluster + "iam_role = \"default\"\nlanes = 9")),
              HasSubstr("warehouse.lanes"));
  EXPECT_THAT(faults(with(bucket, cluster)), HasSubstr("warehouse.iam_role: missing"));
  EXPECT_THAT(faults(with(bucket, cluster + "iam_role = \"copy\"")),
              HasSubstr("the ARN of a role"));
  EXPECT_THAT(faults(with("", cluster + "iam_role = \"default\"")),
              HasSubstr("s3://bucket/prefix"));
  const std::string iam = "url = \"redshift://h/db\"\niam_role = \"default\"\nauth = \"iam\"\n";
  EXPECT_EQ(parse(with(bucket, iam + "cluster = \"main\"")).warehouse.iam_login->cluster, "main");
  EXPECT_THAT(faults(with(bucket, iam)), HasSubstr("warehouse.cluster: is needed"));
  EXPECT_THAT(faults(with(bucket, "url = \"redshift://h/db\"\niam_role = \"default\"")),
              HasSubstr("redshift://user@host"));
}

TEST(Config, TheStatusPageIsOfThisMachineUnlessAllowed) {
  EXPECT_THAT(more_faults("[observe]\nlisten = \"0.0.0.0:9847\"\n"), HasSubstr("allow_remote"));
  EXPECT_THAT(more_faults("[observe]\nlisten = \"9847\"\n"), HasSubstr("ADDRESS:PORT"));
  EXPECT_THAT(more_faults("[observe]\nlog_format = \"xml\"\n"), HasSubstr("\"text\", \"json\""));
}

TEST(Config, AFileThatCannotBeReadIsAUsageError) {
  try {
    load_config("/nowhere/re_dms.toml");
    FAIL() << "there is no such file";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::Usage);
    EXPECT_THAT(error.what(), HasSubstr("/nowhere/re_dms.toml: No such file"));
  }
  EXPECT_THROW(load_config("/"), Error) << "a directory";
  EXPECT_THROW(load_config("/dev/zero"), Error) << "without end";
}

TEST(Config, IsReadFromAFileWithTheProcessEnvironment) {
  const std::string path = ::testing::TempDir() + "re_dms_config_test.toml";
  std::ofstream(path) << kFourLines << "schema = \"${RE_DMS_TEST_SCHEMA}\"\n";
  ::setenv("RE_DMS_TEST_SCHEMA", "from_env", 1);
  EXPECT_EQ(load_config(path).warehouse.schema, "from_env");
  ::unsetenv("RE_DMS_TEST_SCHEMA");
  EXPECT_THROW(load_config(path), Error);
  std::remove(path.c_str());
}

TEST(Config, LogsAreTextOnATerminalOnly) {
  EXPECT_EQ(log_format_for({}, true), LogFormat::Text);
  EXPECT_EQ(log_format_for({}, false), LogFormat::Json);
  ObserveSettings settings;
  settings.log_format = LogFormat::Text;
  EXPECT_EQ(log_format_for(settings, false), LogFormat::Text);
}

/// The TOML blocks of docs/configuration.md.
std::vector<std::string> documented() {
  std::ifstream file(RE_DMS_CONFIGURATION_DOCUMENT);
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```toml") {
      blocks.emplace_back();
      inside = true;
    } else if (line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

TEST(Config, TheDocumentedFilesAreTaken) {
  Surroundings surroundings = made_up();
  surroundings.file = [](const std::string&) { return "secret\n"; };
  const std::vector<std::string> blocks = documented();
  ASSERT_EQ(blocks.size(), 3U);
  for (std::string block : blocks) {
    // Those of one section only.
    block = block.starts_with("[source]") ? block : kFourLines + block;
    EXPECT_NO_THROW(parse_config(block, "/etc/re_dms/re_dms.toml", surroundings)) << block;
  }
}

}  // namespace
}  // namespace re_dms::config_test
