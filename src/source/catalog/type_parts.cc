#include "source/catalog/type_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "source/connection/sql_text.h"

namespace re_dms {

namespace {

// - A type's rows: one, or one for each live attribute of a composite (of a table's row type too).
// - array_out, which alone prints arrays, puts the delimiter of the element's type between them.
// - What PostgreSQL's text of a value is made of decides here, so a generated column counts.
constexpr std::string_view kTypes = R"(
WITH RECURSIVE reached AS (
  SELECT unnest({wanted}) AS id
  UNION
  SELECT part.id
    FROM reached JOIN pg_type t ON t.oid = reached.id
   CROSS JOIN LATERAL (
     SELECT t.typbasetype AS id WHERE t.typtype = 'd'
      UNION ALL
     SELECT t.typelem WHERE t.typoutput = 'array_out'::regproc
      UNION ALL
     SELECT a.atttypid FROM pg_attribute a
      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
   ) part
)
SELECT t.oid, t.typtype, t.typbasetype,
       CASE WHEN t.typoutput = 'array_out'::regproc THEN t.typelem ELSE 0 END, element.typdelim,
       t.typname = 'hstore' AND EXISTS (
         SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
          WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid
            AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
            AND e.extname = 'hstore'),
       a.attnum, a.attname, a.atttypid
  FROM reached JOIN pg_type t ON t.oid = reached.id
  LEFT JOIN pg_type element ON element.oid = t.typelem
  LEFT JOIN pg_attribute a ON t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0
                          AND NOT a.attisdropped
 ORDER BY t.oid, a.attnum)";

struct CatalogAttribute {
  std::int16_t attnum = 0;
  std::string name;
  Oid type = 0;
};

struct CatalogType {
  char kind = 'b';  ///< pg_type.typtype
  Oid base = 0;     ///< of a domain
  Oid element = 0;  ///< of an array
  char delimiter = ',';
  bool hstore = false;
  std::vector<CatalogAttribute> attributes;
};

using CatalogTypes = std::unordered_map<Oid, CatalogType>;

CatalogTypes read_types(Connection& connection, const std::vector<Oid>& wanted) {
  const QueryResult result =
      connection.query(fmt::format(kTypes, fmt::arg("wanted", oid_array(wanted))),
                       "reading the source's catalog of types");
  CatalogTypes types;
  for (int row = 0; row < result.rows(); ++row) {
    CatalogType& type = types[result.oid(row, 0)];
    type.kind = result.text(row, 1).front();
    type.base = result.oid(row, 2);
    type.element = result.oid(row, 3);
    type.delimiter = result.is_null(row, 4) ? ',' : result.text(row, 4).front();
    type.hstore = result.flag(row, 5);
    if (!result.is_null(row, 6)) {
      type.attributes.push_back({static_cast<std::int16_t>(result.number(row, 6)),
                                 std::string(result.text(row, 7)), result.oid(row, 8)});
    }
  }
  return types;
}

/// Puts the parts of types together, those of each type once.
class PartsMaker {
 public:
  struct Made {
    SharedParts parts;  ///< nothing where there are none, or it cannot be looked into
    std::size_t count = 0;
  };

  explicit PartsMaker(const CatalogTypes& types) : types_(types) {}

  const Made& make(Oid oid) {
    const auto [found, is_first] = made_.try_emplace(oid);
    if (is_first) {
      count_ = 0;
      auto parts = part(oid, 1);
      if (parts && parts->kind != TypeParts::Kind::Single) {
        found->second = {SharedParts(*std::move(parts)), count_};
      }
    }
    return found->second;
  }

 private:
  std::optional<TypeParts> part(Oid oid, std::size_t depth) {
    const CatalogType* type = find(oid);
    for (; type != nullptr && type->kind == 'd'; type = find(oid)) {
      oid = type->base;
    }
    if (type == nullptr || depth > TypeParts::kDepthMax || ++count_ > TypeParts::kCountMax) {
      return std::nullopt;
    }
    TypeParts made;
    made.oid = oid;
    if (type->hstore) {
      made.kind = TypeParts::Kind::Hstore;
    } else if (type->element != 0) {
      made.kind = TypeParts::Kind::Array;
      made.delimiter = type->delimiter;
      if (!add(made, {0, "", type->element}, depth)) {
        return std::nullopt;
      }
    } else if (type->kind == 'c') {
      made.kind = TypeParts::Kind::Composite;
      for (const CatalogAttribute& attribute : type->attributes) {
        if (!is_utf8(attribute.name) || !add(made, attribute, depth)) {
          return std::nullopt;
        }
      }
    }
    return made;
  }

  bool add(TypeParts& whole, const CatalogAttribute& attribute, std::size_t depth) {
    auto made = part(attribute.type, depth + 1);
    if (!made) {
      return false;
    }
    made->name = attribute.name;
    made->attnum = attribute.attnum;
    whole.parts.push_back(*std::move(made));
    return true;
  }

  const CatalogType* find(Oid oid) const {
    const auto found = types_.find(oid);
    return found == types_.end() ? nullptr : &found->second;
  }

  const CatalogTypes& types_;
  std::unordered_map<Oid, Made> made_;
  std::size_t count_ = 0;
};

std::set<Oid> types_of(const std::vector<CatalogTable>& tables) {
  std::set<Oid> types;
  for (const CatalogTable& table : tables) {
    for (const Column& column : table.schema.columns) {
      if (may_have_parts(column.type)) {
        types.insert(column.type.base_oid);
      }
    }
  }
  return types;
}

/// The journal repeats a table's answer in each segment, so all of its columns have a bound
/// together.
void set_parts(TableSchema& table, PartsMaker& maker) {
  std::size_t count = 0;
  for (Column& column : table.columns) {
    if (!may_have_parts(column.type)) {
      continue;
    }
    const PartsMaker::Made& made = maker.make(column.type.base_oid);
    if (count + made.count <= TypeParts::kTableCountMax) {
      column.type.parts = made.parts;
      count += made.count;
    }
  }
}

}  // namespace

void read_type_parts(Connection& connection, std::vector<CatalogTable>& tables) {
  const std::set<Oid> wanted = types_of(tables);
  if (wanted.empty()) {
    return;
  }
  const CatalogTypes types = read_types(connection, {wanted.begin(), wanted.end()});
  PartsMaker maker(types);
  for (CatalogTable& table : tables) {
    set_parts(table.schema, maker);
  }
}

}  // namespace re_dms
