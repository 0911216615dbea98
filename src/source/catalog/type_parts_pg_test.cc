// What the catalog says of types that are made of others.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "source/catalog/catalog.h"
#include "source/testing/database_test.h"

namespace re_dms::type_parts_pg_test {
namespace {

class TypePartsTest : public DatabaseTest {
 protected:
  /// The columns of the table t.
  std::vector<Column> columns() {
    Connection connection(settings_, ConnectionPurpose::Sql);
    const auto oid = connection.query("SELECT 'public.t'::regclass::oid", "asking").oid(0, 0);
    return read_tables(connection, "none", {oid}).at(0).schema.columns;
  }

  /// The parts of the column c of the table t, in words.
  std::string parts() {
    const SharedParts parts = columns().at(0).type.parts;
    return parts ? words(*parts) : "none";
  }

  std::string parts_of(const std::string& type) {
    execute("DROP TABLE IF EXISTS t; CREATE TABLE t (c " + type + ")");
    return parts();
  }

  static std::string words(const TypeParts& type) {
    std::string all;
    for (const TypeParts& part : type.parts) {
      all += all.empty() ? "" : ", ";
      all += part.attnum == 0 ? "" : fmt::format("{}/{} ", part.name, part.attnum);
      all += words(part);
    }
    switch (type.kind) {
      case TypeParts::Kind::Single:
        return type.oid < 16384 ? fmt::format("{}", type.oid) : "own";
      case TypeParts::Kind::Array:
        return fmt::format("array{}[{}]", type.delimiter, all);
      case TypeParts::Kind::Composite:
        return fmt::format("({})", all);
      case TypeParts::Kind::Hstore:
        return "hstore";
    }
    return "";
  }
};

TEST_F(TypePartsTest, OfCompositesAndWhatTheyAreMadeOf) {
  execute(R"(CREATE TYPE inner_pair AS (n int, "a ""b""" text);
             CREATE DOMAIN positive AS numeric CHECK (value > 0);
             CREATE DOMAIN pair AS inner_pair;
             CREATE DOMAIN numbers AS int[];
             CREATE TYPE mood AS ENUM ('fine');
             CREATE TYPE whole AS (gone int, p positive, q pair, list inner_pair[], n numbers,
                                   b box[], m mood, r int4range);
             ALTER TYPE whole DROP ATTRIBUTE gone)");
  const std::string pair = R"((n/1 23, a "b"/2 25))";
  EXPECT_EQ(parts_of("inner_pair"), pair);
  EXPECT_EQ(parts_of("pair"), pair);
  EXPECT_EQ(parts_of("pair[]"), "array,[" + pair + "]");
  EXPECT_EQ(parts_of("numbers[]"), "array,[array,[23]]");
  EXPECT_EQ(parts_of("positive[]"), "array,[1700]");
  EXPECT_EQ(parts_of("whole"), "(p/2 1700, q/3 " + pair + ", list/4 array,[" + pair +
                                   "], n/5 array,[23], b/6 array;[603], m/7 own, r/8 3904)");
  EXPECT_EQ(parts_of("box[]"), "array;[603]");
  execute("CREATE TYPE nothing AS ()");
  EXPECT_EQ(parts_of("nothing"), "()");
  execute("CREATE TABLE other (id int, v text, g int GENERATED ALWAYS AS (id) STORED)");
  EXPECT_EQ(parts_of("other"), "(id/1 23, v/2 25, g/3 23)");
}

TEST_F(TypePartsTest, NoneWhereThereAreNone) {
  execute("CREATE TYPE mood AS ENUM ('fine'); CREATE DOMAIN words AS text");
  for (const char* const type : {"int", "int[]", "jsonb", "mood", "words", "int4range"}) {
    EXPECT_EQ(parts_of(type), "none") << type;
  }
}

TEST_F(TypePartsTest, HstoreIsTheExtensionsType) {
  execute(
      "CREATE SCHEMA elsewhere; CREATE EXTENSION hstore SCHEMA elsewhere;"
      "CREATE DOMAIN bag AS elsewhere.hstore");
  EXPECT_EQ(parts_of("elsewhere.hstore"), "hstore");
  EXPECT_EQ(parts_of("bag"), "hstore");
  EXPECT_EQ(parts_of("elsewhere.hstore[]"), "array,[hstore]");
  // Another type of that name, whose text may be anything.
  execute(
      "CREATE TYPE hstore;"
      "CREATE FUNCTION read_it(cstring) RETURNS hstore AS 'textin' LANGUAGE internal STRICT "
      "IMMUTABLE;"
      "CREATE FUNCTION write_it(hstore) RETURNS cstring AS 'textout' LANGUAGE internal STRICT "
      "IMMUTABLE;"
      "CREATE TYPE hstore (INPUT = read_it, OUTPUT = write_it, LIKE = text)");
  EXPECT_EQ(parts_of("public.hstore"), "none");
}

TEST_F(TypePartsTest, AnAlteredTypeHasOthers) {
  execute("CREATE TYPE pair AS (a int, b int); CREATE TABLE t (c pair)");
  EXPECT_EQ(parts(), "(a/1 23, b/2 23)");
  execute("ALTER TYPE pair ADD ATTRIBUTE c int, DROP ATTRIBUTE b");
  EXPECT_EQ(parts(), "(a/1 23, c/3 23)");
  execute("ALTER TYPE pair ADD ATTRIBUTE b int, DROP ATTRIBUTE c");
  execute("ALTER TYPE pair RENAME ATTRIBUTE a TO d");
  EXPECT_EQ(parts(), "(d/1 23, b/4 23)");
}

TEST_F(TypePartsTest, TooManyStayUnknown) {
  std::string types = "CREATE TYPE t0 AS (a int, b int)";
  for (int i = 1; i <= 12; ++i) {
    types += fmt::format("; CREATE TYPE t{0} AS (a t{1}, b t{1})", i, i - 1);
  }
  execute(types);
  EXPECT_NE(parts_of("t8"), "none");
  EXPECT_EQ(parts_of("t12"), "none");
}

TEST_F(TypePartsTest, TooManyInOneTableStayUnknown) {
  std::string attributes = "a0 int";
  for (int i = 1; i < 1500; ++i) {
    attributes += fmt::format(", a{} int", i);
  }
  execute("CREATE TYPE wide AS (" + attributes +
          "); CREATE TYPE pair AS (a int, b int);"
          "CREATE TABLE t (a wide, b wide, c wide, d wide, e wide, f wide, g wide, h pair)");
  const std::vector<Column> known = columns();
  ASSERT_EQ(known.size(), 8U);
  for (std::size_t i = 0; i < 6; ++i) {
    ASSERT_TRUE(known[i].type.parts) << i;
    EXPECT_EQ(&*known[i].type.parts, &*known[0].type.parts) << "kept once";
  }
  EXPECT_FALSE(known[6].type.parts);
  EXPECT_TRUE(known[7].type.parts);
}

}  // namespace
}  // namespace re_dms::type_parts_pg_test
