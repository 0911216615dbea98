// Names and values inside SQL texts. The only place where outside text becomes SQL.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/table_schema.h"

namespace re_dms {

/// "name" in double quotes.
std::string quote_identifier(std::string_view name);

/// 'text' as a literal; right under standard_conforming_strings = on, which every session pins.
std::string quote_literal(std::string_view text);

/// "schema"."name".
std::string quote_name(const QualifiedName& name);

/// '{1,2}'::oid[].
std::string oid_array(const std::vector<Oid>& oids);

/// A query for the OIDs of the tables and leaf partitions that a publication of single tables has.
/// Not pg_publication_tables: from PostgreSQL 16 on that opens each table, and so waits while
/// somebody holds ACCESS EXCLUSIVE on one.
std::string published_oids(std::string_view publication);

}  // namespace re_dms
