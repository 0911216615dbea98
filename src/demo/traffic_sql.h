// What the demo's application does, as SQL. Values are made inside the server, so that a session
// costs the machine little and the traffic is the server's work.
#pragma once

#include <string_view>

namespace re_dms::demo {

/// Beside pgbench's tables: `documents` with every kind of value that is hard to copy, `inbox` to
/// be emptied now and then. pgbench_history gets a key, because the rows of a table without one
/// cannot be told apart.
inline constexpr std::string_view kSchemaSql = R"sql(
ALTER TABLE pgbench_history ADD COLUMN id bigserial PRIMARY KEY;

CREATE TABLE documents (
  id bigserial PRIMARY KEY,
  title text,
  body text,
  attributes jsonb,
  tags text[],
  price numeric(12,2),
  weight double precision,
  changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  published boolean NOT NULL DEFAULT false,
  thumbnail bytea
);
-- Uncompressed and out of line: an UPDATE of another column sends "unchanged" instead of the text.
ALTER TABLE documents ALTER COLUMN body SET STORAGE EXTERNAL;

CREATE TABLE inbox (
  id bigserial PRIMARY KEY,
  note text,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE SCHEMA traffic;

-- Up to 20 kB: 0 to 640 times 32 characters.
CREATE FUNCTION traffic.body() RETURNS text VOLATILE LANGUAGE sql AS $$
  SELECT coalesce(string_agg(md5(random()::text), ''), '')
  FROM generate_series(1, (SELECT floor(random() * 641)::int))
$$;

-- Texts that a CSV file or a careless NULL marker would damage.
CREATE FUNCTION traffic.title() RETURNS text VOLATILE LANGUAGE sql AS $$
  SELECT (ARRAY['Annual report', '', NULL, '\N', 'NULL', E'two\nlines', E'carriage\r\nreturn',
                'say "hello", twice', E'tab\tand \\ backslash', '  padded  ', 'Grüße aus Köln',
                '日本語 🚀', ',', '"', ''''])[1 + floor(random() * 15)::int]
$$;

CREATE FUNCTION traffic.attributes() RETURNS jsonb VOLATILE LANGUAGE sql AS $$
  SELECT CASE WHEN random() < 0.1 THEN NULL ELSE jsonb_build_object(
    'color', (ARRAY['red', 'green', '"quoted"', E'back\\slash'])[1 + floor(random() * 4)::int],
    'sizes', jsonb_build_array(floor(random() * 100), random(), NULL),
    'nested', jsonb_build_object('empty', '{}'::jsonb, 'note', traffic.title())) END
$$;

CREATE FUNCTION traffic.tags() RETURNS text[] VOLATILE LANGUAGE sql AS $$
  SELECT CASE WHEN random() < 0.1 THEN NULL ELSE
    (ARRAY['plain', 'two words', 'x,y', 'say "hi"', NULL, '', 'NULL', '{braces}', E'back\\slash'])
      [1 + floor(random() * 4)::int : floor(random() * 10)::int] END
$$;

CREATE FUNCTION traffic.weight() RETURNS double precision VOLATILE LANGUAGE sql AS $$
  SELECT CASE floor(random() * 12)::int
    WHEN 0 THEN NULL WHEN 1 THEN 'NaN' WHEN 2 THEN 'Infinity' WHEN 3 THEN '-Infinity'
    WHEN 4 THEN 5e-324 WHEN 5 THEN 1.7976931348623157e308 WHEN 6 THEN 0.1
    ELSE (random() - 0.5) * 1e6 END
$$;

-- One that is there, or none; keys are the sequence's, or moved from there by a million.
CREATE FUNCTION traffic.some_document() RETURNS bigint VOLATILE LANGUAGE sql AS $$
  SELECT id FROM documents
  WHERE id >= (SELECT floor(random() * last_value)::bigint FROM documents_id_seq)
              + (SELECT CASE WHEN random() < 0.2 THEN 1000000 ELSE 0 END)
  ORDER BY id LIMIT 1
$$;
)sql";

/// Documents that are there before; shorter than those that come.
inline constexpr std::string_view kFirstDocumentsSql = R"sql(
INSERT INTO documents (title, body, attributes, tags, price, weight, published)
SELECT traffic.title(), repeat(md5(random()::text), (random() * 40)::int), traffic.attributes(),
       traffic.tags(), (random() * 1e6)::numeric(12,2), traffic.weight(), random() < 0.5
FROM generate_series(1, 20000);
ANALYZE documents;
)sql";

/// A table that comes later, with rows.
inline constexpr std::string_view kAddTableSql = R"sql(
BEGIN;
CREATE TABLE orders (
  id bigserial PRIMARY KEY,
  customer text NOT NULL,
  quantity int NOT NULL,
  price numeric(10,2) NOT NULL
);
INSERT INTO orders (customer, quantity, price)
SELECT 'customer ' || n % 1000, n % 7, (n % 10000) / 100.0 FROM generate_series(1, 50000) n;
COMMIT
)sql";

inline constexpr std::string_view kOrdersSql = R"sql(
UPDATE orders SET quantity = quantity + 1 WHERE id = 1 + floor(random() * 50000)::int;
INSERT INTO orders (customer, quantity, price) VALUES ('a new one', 1, 9.99);
)sql";

inline constexpr std::string_view kInsertSql = R"sql(
INSERT INTO documents (title, body, attributes, tags, price, weight, published, thumbnail)
SELECT traffic.title(), traffic.body(), traffic.attributes(), traffic.tags(),
       CASE WHEN random() < 0.1 THEN NULL ELSE (random() * 1e6 - 1e5)::numeric(12,2) END,
       traffic.weight(), random() < 0.5,
       CASE floor(random() * 4)::int WHEN 0 THEN NULL WHEN 1 THEN ''
            ELSE decode(md5(random()::text), 'hex') END
FROM generate_series(1, (SELECT 1 + floor(random() * 5)::int));
)sql";

/// The long text stays as it is and is not sent.
inline constexpr std::string_view kSmallUpdateSql = R"sql(
UPDATE documents SET title = traffic.title(), changed_at = clock_timestamp(),
                     published = NOT published
WHERE id = (SELECT traffic.some_document());
)sql";

inline constexpr std::string_view kValuesUpdateSql = R"sql(
UPDATE documents SET attributes = traffic.attributes(), tags = traffic.tags(),
                     price = price * 1.07, weight = traffic.weight(), thumbnail = thumbnail || '\x00ff'
WHERE id = (SELECT traffic.some_document());
)sql";

inline constexpr std::string_view kBodyUpdateSql = R"sql(
UPDATE documents SET body = traffic.body(), changed_at = clock_timestamp()
WHERE id = (SELECT traffic.some_document());
)sql";

inline constexpr std::string_view kDeleteSql = R"sql(
DELETE FROM documents WHERE id = (SELECT traffic.some_document());
)sql";

inline constexpr std::string_view kMoveKeySql = R"sql(
UPDATE documents SET id = id + 1000000 WHERE id = (SELECT traffic.some_document());
)sql";

inline constexpr std::string_view kMoveKeyBackSql = R"sql(
UPDATE documents SET id = id - 1000000
WHERE id = (SELECT min(id) FROM documents WHERE id > 1000000);
)sql";

/// The two oldest documents change keys, by way of a third one.
inline constexpr std::string_view kSwapKeysSql = R"sql(
CREATE TEMP TABLE pair ON COMMIT DROP AS
  SELECT min(id) AS one, max(id) AS other
  FROM (SELECT id FROM documents ORDER BY id LIMIT 2 FOR UPDATE) AS oldest;
UPDATE documents SET id = -one FROM pair WHERE id = one AND one < other;
UPDATE documents SET id = one FROM pair WHERE id = other AND one < other;
UPDATE documents SET id = other FROM pair WHERE id = -one;
)sql";

inline constexpr std::string_view kPriorityUpdateSql = R"sql(
UPDATE documents SET priority = floor(random() * 5)::int
WHERE id = (SELECT traffic.some_document());
)sql";

inline constexpr std::string_view kInboxSql = R"sql(
INSERT INTO inbox (note) SELECT traffic.title() FROM generate_series(1, 10);
UPDATE inbox SET note = note || '!' WHERE id = (SELECT max(id) FROM inbox);
)sql";

inline constexpr std::string_view kTruncateSql = "TRUNCATE inbox;";

/// The default is a constant, so PostgreSQL rewrites no row and sends none: the target has to give
/// its rows the default itself.
inline constexpr std::string_view kAddColumnSql =
    "ALTER TABLE documents ADD COLUMN priority int DEFAULT 3";

}  // namespace re_dms::demo
