#include "stage/parts_json.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace re_dms::parts_json_test {
namespace {

using enum JsonForm::Kind;

std::string json(const JsonForm& form, std::string_view text) {
  PartsToJson parts;
  std::string made;
  const std::string_view problem = parts.append(form, text, 1000, made);
  return problem.empty() ? made : std::string(problem);
}

JsonForm list(JsonForm::Kind elements) {
  return {.kind = Array, .parts = {{.kind = elements}}};
}

JsonForm named(std::string name, JsonForm form) {
  form.name = std::move(name);
  return form;
}

JsonForm object(const std::vector<JsonForm>& attributes) {
  return {.kind = Object, .parts = attributes};
}

const JsonForm kPair = object({{.kind = Number, .name = "n"}, {.kind = Text, .name = "t"}});
const JsonForm kPairs{.kind = Pairs};

TEST(PartsToJson, Arrays) {
  EXPECT_EQ(json(list(Number), "{}"), "[]");
  EXPECT_EQ(json(list(Number), "{1,NULL,-2.50,1e+20}"), "[1,null,-2.50,1e+20]");
  EXPECT_EQ(json(list(Boolean), "{t,f,NULL}"), "[true,false,null]");
  EXPECT_EQ(json(list(Text), R"~({a,NULL,"NULL","","a,b","{\"\\}"})~"),
            R"~(["a",null,"NULL","","a,b","{\"\\}"])~");
  EXPECT_EQ(json(list(Text), "{\"a\nb\tc\x01\"}"), R"~(["a\u000ab\u0009c\u0001"])~");
  EXPECT_EQ(json(list(Text), "{{a,b},{c,d}}"), R"~([["a","b"],["c","d"]])~");
  EXPECT_EQ(json(list(Json), R"~({"{\"a\": [1, \"x\"]}",null,NULL,"\"s\""})~"),
            R"~([{"a": [1, "x"]},null,null,"s"])~");
  JsonForm boxes = list(Text);
  boxes.delimiter = ';';
  EXPECT_EQ(json(boxes, "{(1,1),(0,0);(2,2),(1,1)}"), R"~(["(1,1),(0,0)","(2,2),(1,1)"])~");
}

TEST(PartsToJson, Composites) {
  EXPECT_EQ(json(kPair, "(1,a)"), R"~({"n":1,"t":"a"})~");
  EXPECT_EQ(json(kPair, "(,)"), R"~({"n":null,"t":null})~");
  EXPECT_EQ(json(kPair, R"~((,""))~"), R"~({"n":null,"t":""})~");
  EXPECT_EQ(json(kPair, R"~((-1.50,"a ""b"" \\ c, (d)"))~"),
            R"~({"n":-1.50,"t":"a \"b\" \\ c, (d)"})~");
  EXPECT_EQ(json(kPair, R"~((1,""""))~"), R"~({"n":1,"t":"\""})~");
  EXPECT_EQ(json(kPair, "(1,\"a\nb\x01\")"), R"~({"n":1,"t":"a\u000ab\u0001"})~");
  EXPECT_EQ(json(kPair, "(1,NULL)"), R"~({"n":1,"t":"NULL"})~") << "a text";
  EXPECT_EQ(json(object({{.kind = Boolean, .name = "a \"b\""}}), "(t)"), R"~({"a \"b\"":true})~");
  EXPECT_EQ(json(object({{.kind = Text, .name = "a"}}), "()"), R"~({"a":null})~");
  EXPECT_EQ(json(object({}), "()"), "{}");
}

TEST(PartsToJson, Hstore) {
  EXPECT_EQ(json(kPairs, ""), "{}");
  EXPECT_EQ(json(kPairs, R"~("a"=>"1", "b"=>NULL, ""=>"NULL")~"),
            R"~({"a":"1","b":null,"":"NULL"})~");
  EXPECT_EQ(json(kPairs, R"~("a\"b"=>"\\c\"", "=>"=>", ")~"), R"~({"a\"b":"\\c\"","=>":", "})~");
  EXPECT_EQ(json(kPairs, "\"a\nb\"=>\"\x01\""), R"~({"a\u000ab":"\u0001"})~");
}

TEST(PartsToJson, OneInTheOther) {
  EXPECT_EQ(
      json({.kind = Array, .parts = {kPair}}, R"~({"(1,\"a \"\"b\"\" \\\\\\\\ c\")",NULL,"(,)"})~"),
      R"~([{"n":1,"t":"a \"b\" \\\\ c"},null,{"n":null,"t":null}])~");
  const JsonForm nested = object({named("pair", kPair),
                                  named("list", list(Number)),
                                  named("pairs", kPairs),
                                  {.kind = Text, .name = "last"}});
  EXPECT_EQ(json(nested, R"~(("(1,""x y"")","{1,NULL}","""k""=>""a\\""b\\\\""",end))~"),
            R"~({"pair":{"n":1,"t":"x y"},"list":[1,null],"pairs":{"k":"a\"b\\"},"last":"end"})~");
  EXPECT_EQ(json(nested, "(,,,)"), R"~({"pair":null,"list":null,"pairs":null,"last":null})~");
  EXPECT_EQ(json({.kind = Array, .parts = {kPairs}}, R"~({"\"a\"=>\"1\", \"b\"=>NULL","",NULL})~"),
            R"~([{"a":"1","b":null},{},null])~");
  // Of a domain over arrays.
  EXPECT_EQ(json({.kind = Array, .parts = {list(Number)}}, R"~({"{1,2}","{3}"})~"), "[[1,2],[3]]");
  const JsonForm deep =
      object({named("a", object({named("b", object({{.kind = Text, .name = "c"}}))}))});
  EXPECT_EQ(json(deep, R"~(("(""(""""x """""""""""")"")"))~"), R"~({"a":{"b":{"c":"x \""}}})~");
}

TEST(PartsToJson, WhatJsonDoesNotHave) {
  for (const char* const odd : {"{1,NaN}", "{Infinity}", "{-Infinity}"}) {
    EXPECT_NE(json(list(Number), odd).find("number"), std::string::npos) << odd;
  }
  EXPECT_NE(json(kPair, "(NaN,)").find("number"), std::string::npos);
  EXPECT_NE(json(list(Number), "[0:1]={1,2}").find("numbering"), std::string::npos);
  EXPECT_NE(json(object({named("a", list(Number))}), R"~(("[0:1]={1,2}"))~").find("numbering"),
            std::string::npos);
}

TEST(PartsToJson, WhatIsNotOfItsType) {
  for (const char* const text :
       {"(1)",    "(1,a,)", "(1,a,b)", "()",       "(x,a)",   "(01,a)",     "(1.,a)",
        "(+1,a)", "(1e,a)", "(0x1,a)", "(1,a\"b)", "(1,\"a)", "(1,\"a\"b)", "(1,a",
        "1,a)",   "",       "(",       ")",        "(1,a))",  "{1,a}",      "(1,\"a\\)"}) {
    EXPECT_EQ(json(kPair, text), kOtherParts) << text;
  }
  for (const char* const text : {"", "{", "}", "{a", "{a}b", "{}{}", "{a,}", "{,a}", "{a,,b}", "a",
                                 "{{a}", "{\"a}", "{{{{{{{a}}}}}}}", "{\"a\"b}"}) {
    EXPECT_EQ(json(list(Text), text), kOtherParts) << text;
  }
  for (const char* const text : {"a", "\"a\"", "\"a\"=>", "\"a\"=>1", "\"a\"=>\"1",
                                 "\"a\"=>\"1\",\"b\"=>NULL", "\"a\"=>NULLx", " "}) {
    EXPECT_EQ(json(kPairs, text), kOtherParts) << text;
  }
  EXPECT_EQ(json(object({}), "(1)"), kOtherParts);
  EXPECT_EQ(json(list(Boolean), "{yes}"), kOtherParts);
}

TEST(PartsToJson, KeepsNothingOfTheValueBefore) {
  PartsToJson parts;
  const JsonForm pairs{.kind = Array, .parts = {kPair}};
  for (int i = 0; i < 3; ++i) {
    std::string made;
    EXPECT_EQ(parts.append(pairs, R"~({"(1,\"a\"\"b\")","(2,c)"})~", 1000, made), "");
    EXPECT_EQ(made, R"~([{"n":1,"t":"a\"b"},{"n":2,"t":"c"}])~");
    EXPECT_NE(parts.append(pairs, R"~({"(1,\"a\"\"b)"})~", 1000, made), "");
  }
}

/// An array of 10,000 composites of 20 attributes with long names, all of them NULL.
JsonForm wide_form() {
  JsonForm wide{.kind = Object};
  for (int i = 0; i < 20; ++i) {
    wide.parts.push_back({.kind = Text, .name = std::string(50, static_cast<char>('a' + i))});
  }
  return {.kind = Array, .parts = {wide}};
}

std::string wide_text() {
  const std::string nulls = "\"(" + std::string(19, ',') + ")\"";
  std::string text = "{" + nulls;
  for (int i = 1; i < 10'000; ++i) {
    text += "," + nulls;
  }
  return text + "}";
}

TEST(PartsToJson, EndsWhereItIsTooLong) {
  constexpr std::size_t kBytesMax = 10'000;
  PartsToJson parts;
  std::string made;
  EXPECT_EQ(parts.append(wide_form(), wide_text(), kBytesMax, made), "");
  EXPECT_EQ(made.size(), kBytesMax + 1);
  EXPECT_LE(made.capacity(), 4 * kBytesMax);
  made.clear();
  EXPECT_EQ(parts.append(wide_form(), wide_text() + ")", kBytesMax, made), kOtherParts);
  EXPECT_LE(made.capacity(), 4 * kBytesMax);
  for (const JsonForm::Kind kind : {Text, Number, Json}) {
    std::string one;
    const std::string digits(kBytesMax * 10, '1');
    EXPECT_EQ(parts.append(list(kind), "{" + digits + "}", kBytesMax, one), "");
    EXPECT_EQ(one.size(), kBytesMax + 1);
    EXPECT_LE(one.capacity(), 4 * kBytesMax);
  }
  std::string fits;
  EXPECT_EQ(parts.append(kPair, "(1,abc)", std::string_view(R"({"n":1,"t":"abc"})").size(), fits),
            "");
  EXPECT_EQ(fits, R"({"n":1,"t":"abc"})");
}

TEST(PartsToJson, KeepsNoMemoryOfALargePart) {
  PartsToJson parts;
  std::string made;
  EXPECT_EQ(parts.append(list(Text), "{\"\\\"" + std::string(8'000'000, 'a') + "\"}", 1000, made),
            "");
  EXPECT_LE(parts.kept_bytes(), 1U << 20);
}

TEST(CsvGrowth, CoversAttributesThatAreNull) {
  const JsonForm form =
      object({{.kind = Text, .name = "a_long_name"}, {.kind = Text, .name = "b"}});
  const std::string field = R"~({""a_long_name"":null,""b"":null})~";
  EXPECT_GE(csv_growth(form) * std::string_view("(,)").size(), field.size());
  EXPECT_EQ(csv_growth(list(Text)), 6U);
  EXPECT_EQ(csv_growth({.kind = Array, .parts = {form}}), csv_growth(form));
}

}  // namespace
}  // namespace re_dms::parts_json_test
