#include "stage/json_text.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace re_dms::json_text_test {
namespace {

const ValueLimits kLimits{.check = ValueCheck::Json, .bytes_max = 5000, .string_bytes_max = 10};

std::string problem(std::string_view json) {
  return std::string(json_problem(kLimits, json));
}

std::string repeated(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) {
    all += text;
  }
  return all;
}

TEST(JsonText, WhatATargetKeeps) {
  for (const char* const json :
       {"null", "true", "[]", "{}", R"({"a": [1, {"a": null}], "b": "x"})", R"("ten bytes.")",
        "-0.5", "12345678901234567890123456789012345678", "1e5", "1.5E+300", "-2.5e-3", "0e0",
        R"("\u00e9\ud83d\ude00\n\"")", R"([{"a": 1}, {"a": 2}])", R"(" : , { ")"}) {
    EXPECT_EQ(problem(json), "") << json;
  }
  EXPECT_EQ(problem(repeated("[", 1000) + repeated("]", 1000)), "");
}

TEST(JsonText, KeysThatAreThereTwice) {
  EXPECT_NE(problem(R"({"a": 1, "a": 2})"), "");
  EXPECT_NE(problem(R"([{"b": {"a": 1, "b": 0, "a": 2}}])"), "");
  EXPECT_NE(problem(R"({"a": 1, "\u0061": 2})"), "") << "one key, written in two ways";
  EXPECT_EQ(problem(R"({"a": "a", "b": ["a", "a"]})"), "");
}

TEST(JsonText, WhatIsTooLargeOrTooDeep) {
  EXPECT_NE(problem(repeated("[", 1001) + repeated("]", 1001)), "");
  EXPECT_NE(problem(R"("eleven byte")"), "");
  EXPECT_NE(problem(R"({"eleven byte": 1})"), "");
  EXPECT_NE(problem("\"\u00e9\u00e9\u00e9\u00e9\u00e9x\""), "") << "bytes count";
  EXPECT_NE(problem(R"("\u00e9\u00e9\u00e9\u00e9\u00e9x")"), "") << "those that are meant";
  EXPECT_NE(problem("[" + repeated("1, ", 1700) + "1]"), "");
}

TEST(JsonText, NumbersThatWouldChange) {
  for (const char* const json :
       {"123456789012345678901234567890123456789", "0.12345678901234567890123456789012345678",
        "1e400", "[1.2345678901234567891e3]", "1e-400", "{\"a\": 123456789012345678e30}"}) {
    EXPECT_NE(problem(json), "") << json;
  }
  EXPECT_EQ(problem("1.2345678901234567e+20"), "") << "a double's own text";
}

TEST(JsonText, CharactersThatATargetDoesNotHave) {
  for (const char* const json :
       {R"("\u0000")", R"("\ud800")", R"("\ude00")", R"("\ud800x")", R"("\ud800\u0041")"}) {
    EXPECT_NE(problem(json), "") << json;
  }
}

TEST(JsonText, OfValuesThatBecomeJson) {
  ValueLimits limits = kLimits;
  const auto with = [&limits](const JsonForm& form, std::string_view text) {
    limits.form = std::make_shared<const JsonForm>(form);
    PartsToJson parts;
    std::string json;
    return std::string(to_json(limits, text, parts, json));
  };
  using enum JsonForm::Kind;
  EXPECT_EQ(with({.kind = Array, .parts = {{.kind = Text}}}, "{NaN}"), "") << "a text like others";
  EXPECT_NE(with({.kind = Array, .parts = {{.kind = Text}}}, "{a,\"eleven byte\"}"), "");
  const JsonForm number{.kind = Array, .parts = {{.kind = Number}}};
  EXPECT_EQ(with(number, "{1,2}"), "");
  EXPECT_NE(with(number, "{123456789012345678901234567890123456789}"), "");
  const JsonForm object{.kind = Object, .parts = {{.kind = Json, .name = "a"}}};
  EXPECT_EQ(with(object, "({})"), "");
  EXPECT_EQ(with(object, "(\"[1, {\"\"b\"\": null}]\")"), "");
  EXPECT_EQ(with(object, "(no)"), kOtherParts) << "the attribute was of another type then";
  EXPECT_EQ(with(object, "(\"[1, \"\"b\"\"\")"), kOtherParts);
  EXPECT_EQ(with(object, "(\"1,\"\"b\"\":2\")"), kOtherParts) << "no attribute more";
  const JsonForm list{.kind = Array, .name = "b", .parts = {{.kind = Json}}};
  const JsonForm deep{.kind = Object, .parts = {{.kind = Number, .name = "a"}, list}};
  EXPECT_EQ(with(deep, "(1,\"{1,NULL,\"\"[2, 3]\"\"}\")"), "");
  EXPECT_EQ(with(deep, "(1,\"{foo,bar}\")"), kOtherParts);
  EXPECT_EQ(with(deep, "(1,\"{\"\"2,3\"\"}\")"), kOtherParts);
  EXPECT_EQ(with({.kind = Array, .parts = {deep}}, "{\"(1,{foo})\"}"), kOtherParts);
  EXPECT_NE(with(object, "(\"[\"\"\\\\u0000\"\"]\")"), kOtherParts) << "of its type, and odd";
  EXPECT_NE(with(object, "([1e400])"), kOtherParts);
  EXPECT_EQ(with(object, "(\"[" + repeated("1, ", 1700) + "1]\")"), problem(repeated("1", 5001)))
      << "too long, like other JSON";
}

}  // namespace
}  // namespace re_dms::json_text_test
