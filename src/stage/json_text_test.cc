#include "stage/json_text.h"

#include <gtest/gtest.h>

#include <string>

namespace re_dms::json_text_test {
namespace {

constexpr ValueLimits kLimits{.check = ValueCheck::Json, .bytes_max = 5000, .string_bytes_max = 10};

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

std::string array(JsonElements elements, std::string_view text) {
  return json_of_array(elements, text).value_or("nothing");
}

TEST(JsonText, ArraysBecomeJson) {
  EXPECT_EQ(array(JsonElements::Numbers, "{}"), "[]");
  EXPECT_EQ(array(JsonElements::Numbers, "{1,NULL,-2.50,1e+20}"), "[1,null,-2.50,1e+20]");
  EXPECT_EQ(array(JsonElements::Booleans, "{t,f,NULL}"), "[true,false,null]");
  EXPECT_EQ(array(JsonElements::Texts, R"({a,NULL,"NULL","","a,b","{\"\\}"})"),
            R"(["a",null,"NULL","","a,b","{\"\\}"])");
  EXPECT_EQ(array(JsonElements::Texts, "{\"a\nb\tc\x01\"}"), R"(["a\u000ab\u0009c\u0001"])");
  EXPECT_EQ(array(JsonElements::Texts, "{{a,b},{c,d}}"), R"([["a","b"],["c","d"]])");
  EXPECT_EQ(array(JsonElements::Json, R"({"{\"a\": [1, \"x\"]}",null,NULL,"\"s\""})"),
            R"([{"a": [1, "x"]},null,null,"s"])");
  EXPECT_EQ(array(JsonElements::Numbers, "[0:1]={1,2}"), "nothing") << "no JSON has the bounds";
}

TEST(JsonText, ArraysThatATargetWouldChange) {
  ValueLimits limits = kLimits;
  limits.elements = JsonElements::Numbers;
  EXPECT_EQ(array_problem(limits, "{1,2}"), "");
  EXPECT_NE(array_problem(limits, "{1,NaN}"), "");
  EXPECT_NE(array_problem(limits, "{-Infinity}"), "");
  EXPECT_NE(array_problem(limits, "[2:3]={1,2}"), "");
  limits.elements = JsonElements::Texts;
  EXPECT_EQ(array_problem(limits, "{NaN}"), "") << "a text like others";
  EXPECT_NE(array_problem(limits, "{a,\"eleven byte\"}"), "");
}

}  // namespace
}  // namespace re_dms::json_text_test
