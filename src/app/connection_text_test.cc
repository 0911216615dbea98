// What is put into a connection's text reaches libpq as it is, whatever letters it has.
#include "app/connection_text.h"

#include <gtest/gtest.h>

#include <map>

#include "source/connection/conninfo.h"

namespace re_dms::connection_text_test {
namespace {

constexpr std::string_view kHard = "a@b.example/c?d#e%41$x";

class ConnectionText : public ::testing::Test {
 protected:
  std::string text(std::string_view written) const {
    return connection_text(
        written, {[this](const std::string& name) -> std::optional<std::string> {
                    const auto found = variables_.find(name);
                    return found == variables_.end() ? std::nullopt : std::optional(found->second);
                  },
                  [](const std::string& path) { return path == "/pw" ? std::string(kHard) : ""; }});
  }

  /// As libpq reads it.
  std::string parameter(std::string_view written, const std::string& keyword) const {
    const ConnectionParameters all = connection_parameters(text(written), ConnectionPurpose::Sql);
    const auto found = all.find(keyword);
    return found == all.end() ? "" : found->second;
  }

  std::map<std::string, std::string> variables_ = {
      {"PW", std::string(kHard)},
      {"ODD", " it's \\ a\t\"b\" \xC3\xA4&=:[],;+%zz "},
      {"EMPTY", ""},
      {"HOST", "db.internal"},
      {"HOSTS", "one:5433,[::1]:5434"},
      {"SOCKET", "/var/run/postgresql"},
      {"PORT", "5433"},
      {"DB", "a/b?c"},
      {"PARAMETERS", "sslmode=require&connect_timeout=3"},
      {"PAIRS", "sslmode=require connect_timeout=3"},
      {"URL", "postgresql://u:p%40q@db:5433/app?sslmode=require"}};
};

TEST_F(ConnectionText, AnyPasswordWorksInAUrl) {
  for (const std::string_view written :
       {"postgresql://u:${PW}@db/app", "postgres://u:${file:/pw}@${HOST}:${PORT}/${DB}",
        "postgresql://db/app?password=${PW}", "postgresql://db/app?user=u&password=${PW}&port=1"}) {
    EXPECT_EQ(parameter(written, "password"), kHard) << written;
  }
  EXPECT_EQ(parameter("postgresql://u:${ODD}@db/app", "password"), variables_["ODD"]);
  EXPECT_EQ(parameter("postgresql://${ODD}:x@db/app", "user"), variables_["ODD"]);
  EXPECT_EQ(parameter("postgresql://u:a${PW}${ODD}z@db/app", "password"),
            "a" + variables_["PW"] + variables_["ODD"] + "z");
}

TEST_F(ConnectionText, EveryPartOfAUrlMayBePutIn) {
  const std::string_view whole =
      "postgresql://u:${PW}@${HOST}:${PORT}/${DB}?application_name=${ODD}";
  EXPECT_EQ(parameter(whole, "host"), "db.internal");
  EXPECT_EQ(parameter(whole, "port"), "5433");
  EXPECT_EQ(parameter(whole, "dbname"), "a/b?c");
  EXPECT_EQ(parameter(whole, "application_name"), variables_["ODD"]);
  EXPECT_EQ(parameter("postgresql://${HOST}/x", "host"), "db.internal");
  EXPECT_EQ(parameter("postgresql://u@${SOCKET}/x", "host"), "/var/run/postgresql");
  EXPECT_EQ(parameter("postgresql://${HOSTS}/x", "host"), "one,::1");
  EXPECT_EQ(parameter("postgresql://u@${HOSTS}/x", "port"), "5433,5434");
}

TEST_F(ConnectionText, WhatStandsForSeveralPartsStaysAsItIs) {
  EXPECT_EQ(text("${URL}"), variables_["URL"]);
  EXPECT_EQ(text("${PAIRS}"), variables_["PAIRS"]);
  EXPECT_EQ(parameter("${URL}&password=${PW}", "password"), kHard);
  EXPECT_EQ(parameter("${URL}&password=${PW}", "user"), "u");
  EXPECT_EQ(parameter("postgresql://db/app?${PARAMETERS}", "sslmode"), "require");
  EXPECT_EQ(parameter("postgresql://db/app?port=1&${PARAMETERS}&user=u", "connect_timeout"), "3");
  EXPECT_EQ(parameter("host=db ${PAIRS} user=u", "connect_timeout"), "3");
  EXPECT_EQ(parameter("${PAIRS} password=${PW}", "password"), kHard);
}

TEST_F(ConnectionText, AnyValueWorksInPairs) {
  for (const std::string_view written :
       {"host=db password=${PW}", "host=db password = ${PW} user=u", "password='${PW}' host=db",
        "host=db password=${file:/pw}"}) {
    EXPECT_EQ(parameter(written, "password"), kHard) << written;
  }
  for (const std::string_view written :
       {"host=db password=${ODD}", "password='${ODD}' user=u", "password= ${ODD} user=u"}) {
    EXPECT_EQ(parameter(written, "password"), variables_["ODD"]) << written;
  }
  EXPECT_EQ(parameter(R"(host=db password='it\'s ${ODD}' user=u)", "password"),
            "it's " + variables_["ODD"]);
  EXPECT_EQ(parameter("host=db password=x${EMPTY} user=u", "password"), "x");
  EXPECT_EQ(parameter("host=db password=${EMPTY} user=u", "user"), "u");
  EXPECT_EQ(parameter("host=db password=${EMPTY}", "password"), "");
  EXPECT_EQ(parameter("host=db password=don't${PW} user=u", "password"),
            "don't" + variables_["PW"]);
}

TEST_F(ConnectionText, WhatIsWrittenStaysAsItIs) {
  EXPECT_EQ(text("postgresql://u:p%40q@db/app$$x"), "postgresql://u:p%40q@db/app$x");
  EXPECT_EQ(text("host='a b' dbname=c"), "host='a b' dbname=c");
  EXPECT_EQ(text(""), "");
}

}  // namespace
}  // namespace re_dms::connection_text_test
