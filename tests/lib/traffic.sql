-- Random traffic, made inside the server: `traffic.act(n)` does n random things to the tables below.
-- The tables cover what a replica identity can be; their names, columns and values are odd on purpose.
-- REPLICA IDENTITY FULL is in traffic_full.sql.
CREATE SCHEMA traffic;
CREATE SCHEMA "Odd Schema";
CREATE SCHEMA "da.ta";

CREATE TABLE public.int_key (
  id bigint PRIMARY KEY, n int, note text, amount numeric(12,2), at timestamptz, ok boolean,
  ratio double precision, small real, day date);
CREATE TABLE public.composite_key (
  region text, id int, payload text, rate double precision, PRIMARY KEY (region, id));
CREATE TABLE public.uuid_key (id uuid PRIMARY KEY, tags text[], doc jsonb, raw bytea, code char(5));
CREATE TABLE public.index_identity (a int NOT NULL, b text NOT NULL, c text, d numeric);
CREATE UNIQUE INDEX index_identity_by_b ON public.index_identity (b, a);
ALTER TABLE public.index_identity REPLICA IDENTITY USING INDEX index_identity_by_b;
CREATE TABLE public.toasted (
  id int PRIMARY KEY, n int, plain text, packed text, j json, d jsonb, list text[], raw bytea);
ALTER TABLE public.toasted ALTER plain SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL;
CREATE TABLE "Odd Schema"."Odd ""Table"" ü, 'x'" (
  "select" int PRIMARY KEY, "with space" text, "quo""te" text, "ünï\cöde" text, "UPPER" int,
  "'); --" text);

CREATE TABLE public.text_key (name text PRIMARY KEY, n int, note text);
-- Both columns of the key are long; short enough for an index only because they compress.
CREATE TABLE public.toasted_key (
  place text NOT NULL, name text NOT NULL, n int, body text, PRIMARY KEY (place, name));
ALTER TABLE public.toasted_key ALTER body SET STORAGE EXTERNAL;
CREATE TABLE public.restless (id int PRIMARY KEY, n int, body text, other int UNIQUE);
-- Two names of 63 bytes, and key words.
CREATE TABLE "da.ta"."012345 sélect * from ""ÄÖÜ"".""日本語"" where true; -- 12345" (
  "order" int, "group by" text, "table" text, "ctid.x" text,
  "ΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩ." text, "_re_dms" int, PRIMARY KEY ("group by", "order"));

CREATE FUNCTION traffic.below(n int) RETURNS int LANGUAGE sql VOLATILE AS
  $$ SELECT floor(random() * n)::int $$;

-- A key: mostly one of few, so that rows meet again, deleted keys come back and clients collide.
CREATE FUNCTION traffic.key() RETURNS int LANGUAGE sql VOLATILE AS
  $$ SELECT CASE WHEN random() < 0.7 THEN floor(random() * 300)::int
            ELSE floor(random() * 20000)::int END $$;

CREATE FUNCTION traffic.odd() RETURNS text LANGUAGE plpgsql VOLATILE AS $body$
DECLARE
  odd text[] := ARRAY['', ' ', 'NULL', 'null', '\N', '\\N', '"', '""', '''', E'a\nb', E'a\r\nb', E'\r',
    E'\n', E'\t', '\', '\.', ',', ',,', 'a,"b",c', '{}', '{NULL}', '\x', 'é', '😀', '日本語', U&'\FEFF',
    U&'\2028', U&'\00A0', E'\x01', E'\x7f', 'trailing', 'trailing ', ' leading', E'\b\f\v', '\\.', E'\\\n', '–', '🏳️‍🌈', 'ﬁ', '"quoted"', 'a''b', '$$', '%s',
    '0', 't', E'\\', E'"\n"', E'"\\N"', 'e' || U&'\0301', U&'\+10FFFF', 'long ' || repeat('x', 300)];
  made text := '';
BEGIN
  IF random() < 0.5 THEN
    RETURN odd[1 + traffic.below(array_length(odd, 1))];
  END IF;
  FOR i IN 0..traffic.below(6) LOOP
    made := made || odd[1 + traffic.below(array_length(odd, 1))];
  END LOOP;
  RETURN made;
END $body$;

-- NULL, short or up to 20 kB, and then mostly too long to stay in the row; seldom up to 640 kB.
CREATE FUNCTION traffic.big() RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  dice float := random();
BEGIN
  IF dice < 0.1 THEN RETURN NULL; END IF;
  IF dice < 0.3 THEN RETURN traffic.odd(); END IF;
  IF dice < 0.4 THEN RETURN repeat(traffic.odd(), traffic.below(200)); END IF;
  IF dice < 0.405 THEN
    RETURN (SELECT string_agg(md5(random()::text), '') FROM generate_series(0, traffic.below(20000)));
  END IF;
  RETURN (SELECT string_agg(md5(random()::text), '') FROM generate_series(0, traffic.below(600)));
END $$;

CREATE FUNCTION traffic.json() RETURNS json LANGUAGE sql VOLATILE AS $$
  SELECT CASE traffic.below(5) WHEN 0 THEN NULL WHEN 1 THEN 'null' WHEN 2 THEN '{"a":  1, "a": 2.50}'
    WHEN 3 THEN json_build_object('text', traffic.odd(), 'n', traffic.below(1000), 'list', ARRAY[1, NULL])
    ELSE json_build_object('big', traffic.big()) END $$;

CREATE FUNCTION traffic.texts() RETURNS text[] LANGUAGE sql VOLATILE AS $$
  SELECT CASE traffic.below(4) WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN ARRAY[traffic.big()]
    ELSE ARRAY[traffic.odd(), NULL, traffic.odd(), ''] END $$;

CREATE FUNCTION traffic.float() RETURNS float8 LANGUAGE sql VOLATILE AS $$
  SELECT (ARRAY['NaN', 'Infinity', '-Infinity', '-0', '0', '5e-324', '1.7976931348623157e308', '0.1',
    random()::text, (random() * 1e18)::text])[1 + traffic.below(10)]::float8 $$;

CREATE FUNCTION traffic.day() RETURNS date LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN random() < 0.9 THEN date '2000-01-01' + traffic.below(20000)
    ELSE (ARRAY['infinity', '-infinity', '0044-03-15 BC', '0001-01-01', '9999-12-31', '10000-01-01'])[1 + traffic.below(6)]::date
    END $$;

CREATE FUNCTION traffic.moment() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN random() < 0.9 THEN to_timestamp(traffic.below(2000000000) + random())
    ELSE (ARRAY['infinity', '-infinity', '0001-12-31 23:59:59.999999+00 BC', '0001-01-01 00:00:00+00',
      '9999-12-31 23:59:59.999999+00', '10000-01-01 00:00:00+00'])[1 + traffic.below(6)]::timestamptz END $$;

CREATE FUNCTION traffic.amount() RETURNS numeric LANGUAGE sql VOLATILE AS $$
  SELECT CASE WHEN random() < 0.1 THEN 'NaN' ELSE traffic.below(100000) / 100.0 END $$;

CREATE FUNCTION traffic.int_key(k bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE traffic.below(8)
  WHEN 0, 1, 2 THEN
    INSERT INTO public.int_key VALUES (k, traffic.below(1000), traffic.odd(),
      traffic.amount(), traffic.moment(), random() < 0.5, traffic.float(), random()::real, traffic.day())
    ON CONFLICT (id) DO UPDATE SET n = int_key.n + 1, note = NULL;
  WHEN 3, 4 THEN UPDATE public.int_key SET n = traffic.below(1000), note = traffic.odd(), at = traffic.moment() WHERE id = k;
  WHEN 5 THEN DELETE FROM public.int_key WHERE id = k;
  WHEN 6 THEN UPDATE public.int_key SET id = traffic.key() WHERE id = k;
  ELSE  -- a swap, or a ring of three, over a key of nobody else
    UPDATE public.int_key SET id = -pg_backend_pid() WHERE id = k;
    UPDATE public.int_key SET id = k WHERE id = k + 1;
    UPDATE public.int_key SET id = k + 1, ok = NOT ok WHERE id = k + 2;
    UPDATE public.int_key SET id = k + (ARRAY[1, 2])[1 + traffic.below(2)]
      WHERE id = -pg_backend_pid();
  END CASE;
END $$;

CREATE FUNCTION traffic.composite_key(k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  place text := CASE WHEN random() < 0.5 THEN traffic.odd() ELSE 'eu' END;
BEGIN
  CASE traffic.below(7)
  WHEN 0, 1, 2 THEN
    INSERT INTO public.composite_key VALUES (place, k % 100, traffic.odd(), traffic.float())
    ON CONFLICT DO NOTHING;
  WHEN 3 THEN UPDATE public.composite_key SET payload = traffic.big() WHERE (region, id) = (place, k % 100);
  WHEN 4 THEN DELETE FROM public.composite_key WHERE (region, id) = (place, k % 100);
  WHEN 5 THEN UPDATE public.composite_key SET region = traffic.odd() WHERE (region, id) = (place, k % 100);
  ELSE UPDATE public.composite_key SET id = id + 1000, payload = NULL WHERE region = place AND id = k % 100;
  END CASE;
END $$;

CREATE FUNCTION traffic.uuid_key(k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  u uuid := md5(k::text)::uuid;
BEGIN
  CASE traffic.below(6)
  WHEN 0, 1 THEN
    INSERT INTO public.uuid_key VALUES (u, traffic.texts(), traffic.json()::jsonb,
      decode(md5(traffic.odd()), 'hex'), left(traffic.odd(), 5))
    ON CONFLICT (id) DO UPDATE SET doc = EXCLUDED.doc;
  WHEN 2 THEN UPDATE public.uuid_key SET tags = traffic.texts() WHERE id = u;
  WHEN 3 THEN UPDATE public.uuid_key SET doc = traffic.json()::jsonb, raw = '\x' WHERE id = u;
  WHEN 4 THEN UPDATE public.uuid_key SET id = md5((k + 1)::text)::uuid WHERE id = u;
  ELSE DELETE FROM public.uuid_key WHERE id = u;
  END CASE;
END $$;

CREATE FUNCTION traffic.index_identity(k int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE traffic.below(6)
  WHEN 0, 1, 2 THEN
    INSERT INTO public.index_identity VALUES (k % 50, traffic.odd(), traffic.big(), random()::numeric)
    ON CONFLICT DO NOTHING;
  WHEN 3 THEN UPDATE public.index_identity SET c = traffic.big() WHERE a = k % 50 AND b < 'b';
  WHEN 4 THEN UPDATE public.index_identity SET b = traffic.odd() || k WHERE a = k % 50 AND random() < 0.3;
  ELSE DELETE FROM public.index_identity WHERE a = k % 50 AND random() < 0.5;
  END CASE;
END $$;

-- Every subset of the long columns is updated, so that every subset of them stays unchanged.
CREATE FUNCTION traffic.toasted(k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  mask int := traffic.below(64);
BEGIN
  CASE traffic.below(7)
  WHEN 0, 1 THEN
    INSERT INTO public.toasted VALUES (k, 0, traffic.big(), traffic.big(), traffic.json(),
      traffic.json()::jsonb, traffic.texts(), convert_to(traffic.big(), 'UTF8'))
    ON CONFLICT (id) DO UPDATE SET n = toasted.n + 1;
  WHEN 2, 3, 4 THEN
    UPDATE public.toasted SET n = n + 1,
      plain = CASE WHEN mask & 1 > 0 THEN traffic.big() ELSE plain END,
      packed = CASE WHEN mask & 2 > 0 THEN traffic.big() ELSE packed END,
      j = CASE WHEN mask & 4 > 0 THEN traffic.json() ELSE j END,
      d = CASE WHEN mask & 8 > 0 THEN traffic.json()::jsonb ELSE d END,
      list = CASE WHEN mask & 16 > 0 THEN traffic.texts() ELSE list END,
      raw = CASE WHEN mask & 32 > 0 THEN convert_to(traffic.big(), 'UTF8') ELSE raw END
    WHERE id = k;
  WHEN 5 THEN UPDATE public.toasted SET id = traffic.key() WHERE id = k;
  ELSE DELETE FROM public.toasted WHERE id = k;
  END CASE;
END $$;

CREATE FUNCTION traffic.odd_names(k int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  CASE traffic.below(4)
  WHEN 0, 1 THEN
    INSERT INTO "Odd Schema"."Odd ""Table"" ü, 'x'" VALUES (k, traffic.odd(), traffic.odd(),
      traffic.odd(), k, traffic.odd())
    ON CONFLICT ("select") DO UPDATE SET "UPPER" = -1, "quo""te" = NULL;
  WHEN 2 THEN UPDATE "Odd Schema"."Odd ""Table"" ü, 'x'" SET "ünï\cöde" = traffic.odd(), "'); --" = ''
    WHERE "select" BETWEEN k AND k + 2;
  ELSE DELETE FROM "Odd Schema"."Odd ""Table"" ü, 'x'" WHERE "select" = k;
  END CASE;
END $$;

CREATE FUNCTION traffic.text_key(k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  key text := traffic.odd();
BEGIN
  CASE traffic.below(6)
  WHEN 0, 1, 2 THEN
    INSERT INTO public.text_key VALUES (key, k, traffic.odd())
    ON CONFLICT (name) DO UPDATE SET n = text_key.n + 1, note = EXCLUDED.note;
  WHEN 3 THEN UPDATE public.text_key SET name = traffic.odd() WHERE name = key;
  WHEN 4 THEN UPDATE public.text_key SET note = NULL, n = k WHERE name IN (key, key || ' ', rtrim(key));
  ELSE DELETE FROM public.text_key WHERE name = key;
  END CASE;
END $$;

CREATE FUNCTION traffic.long_key(k int) RETURNS text LANGUAGE sql VOLATILE AS
  $$ SELECT repeat(chr(65 + k % 7), 3000 + k % 5) || k % 20 $$;

CREATE FUNCTION traffic.toasted_key(k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  p text := traffic.long_key(k % 3);
  key text := traffic.long_key(k);
BEGIN
  CASE traffic.below(6)
  WHEN 0, 1 THEN
    INSERT INTO public.toasted_key VALUES (p, key, k, traffic.big())
    ON CONFLICT (place, name) DO UPDATE SET n = toasted_key.n + 1;
  WHEN 2 THEN UPDATE public.toasted_key SET n = n + 1 WHERE (place, name) = (p, key);
  WHEN 3 THEN UPDATE public.toasted_key SET place = traffic.long_key(k % 3 + 1) WHERE (place, name) = (p, key);
  WHEN 4 THEN UPDATE public.toasted_key SET body = traffic.big() WHERE name = key;
  ELSE DELETE FROM public.toasted_key WHERE (place, name) = (p, key);
  END CASE;
END $$;

-- Keys that hardly ever stay: one by one, in chains, in rings and all at once.
CREATE FUNCTION traffic.restless(k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  aside int := -1000000 - pg_backend_pid();
BEGIN
  CASE traffic.below(9)
  WHEN 0, 1, 2 THEN
    INSERT INTO public.restless VALUES (k, 0, traffic.big(), NULL)
    ON CONFLICT (id) DO UPDATE SET id = restless.id + 1, n = restless.n + 1;
  WHEN 3 THEN UPDATE public.restless SET id = id + 1 WHERE id = k;
  WHEN 4 THEN  -- a chain, each into the place of the one before it
    FOR i IN REVERSE k + 8..k LOOP
      UPDATE public.restless SET id = i + 1 WHERE id = i;
    END LOOP;
  WHEN 5 THEN  -- a ring of five
    UPDATE public.restless SET id = aside WHERE id = k + 4;
    FOR i IN REVERSE k + 3..k LOOP
      UPDATE public.restless SET id = i + 1, n = n + 1 WHERE id = i;
    END LOOP;
    UPDATE public.restless SET id = k, body = 'round' WHERE id = aside;
  WHEN 6 THEN  -- there and back, or another in its place
    UPDATE public.restless SET id = aside, other = k WHERE id = k;
    IF random() < 0.5 THEN
      INSERT INTO public.restless VALUES (k, -1, 'in the place of another', NULL);
    END IF;
    UPDATE public.restless SET id = (SELECT max(id) + 1 FROM public.restless), other = NULL WHERE id = aside;
  WHEN 7 THEN  -- many at once
    UPDATE public.restless SET id = -id, n = n + 1 WHERE id BETWEEN k AND k + 30;
  ELSE DELETE FROM public.restless WHERE abs(id) = k;
  END CASE;
END $$;

CREATE FUNCTION traffic.long_names(k int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  b text := traffic.odd();
BEGIN
  CASE traffic.below(4)
  WHEN 0, 1 THEN
    INSERT INTO "da.ta"."012345 sélect * from ""ÄÖÜ"".""日本語"" where true; -- 12345"
      VALUES (k % 10, b, traffic.odd(), traffic.big(), traffic.odd(), k) ON CONFLICT DO NOTHING;
  WHEN 2 THEN UPDATE "da.ta"."012345 sélect * from ""ÄÖÜ"".""日本語"" where true; -- 12345"
    SET "table" = traffic.odd(), "ΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩΩ." = traffic.big()
    WHERE "order" = k % 10 AND random() < 0.2;
  ELSE
    IF random() < 0.5 THEN
      DELETE FROM "da.ta"."012345 sélect * from ""ÄÖÜ"".""日本語"" where true; -- 12345"
        WHERE "group by" = b;
    ELSE
      UPDATE "da.ta"."012345 sélect * from ""ÄÖÜ"".""日本語"" where true; -- 12345"
        SET "group by" = traffic.odd() WHERE "group by" = b AND "order" = k % 10;
    END IF;
  END CASE;
END $$;

-- traffic_full.sql puts another in its place.
CREATE FUNCTION traffic.full_identity(k int) RETURNS void LANGUAGE sql AS '';

-- Which tables are emptied by DELETE alone. A column without a default that came near a TRUNCATE sets its
-- table aside: whether the new file is the TRUNCATE's or holds values cannot be told.
CREATE TABLE traffic.never_truncated (name regclass PRIMARY KEY);

-- The tables above, and those that traffic_full.sql adds.
CREATE TABLE traffic.emptied (name regclass PRIMARY KEY);
INSERT INTO traffic.emptied VALUES
  ('public.int_key'), ('public.composite_key'), ('public.uuid_key'), ('public.index_identity'),
  ('public.toasted'), ('public.text_key'), ('public.toasted_key'), ('public.restless'),
  ('"Odd Schema"."Odd ""Table"" ü, ''x''"'),
  ('"da.ta"."012345 sélect * from ""ÄÖÜ"".""日本語"" where true; -- 12345"');

-- One to four tables at once.
CREATE FUNCTION traffic.empty() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  names text;
  never regclass;
BEGIN
  SELECT string_agg(name::text, ', ') INTO names FROM (
    SELECT name FROM traffic.emptied WHERE name NOT IN (SELECT name FROM traffic.never_truncated)
    ORDER BY random() LIMIT 1 + traffic.below(4)) chosen;
  IF names IS NOT NULL THEN
    EXECUTE 'TRUNCATE ' || names || CASE WHEN random() < 0.3 THEN ' RESTART IDENTITY CASCADE' ELSE '' END;
  END IF;
  SELECT name INTO never FROM traffic.never_truncated ORDER BY random() LIMIT 1;
  IF never IS NOT NULL THEN
    EXECUTE format('DELETE FROM %s', never);
  END IF;
END $$;

-- What fails (a key that is taken, a deadlock) is rolled back alone, as a subtransaction.
CREATE FUNCTION traffic.act(n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  k int;
BEGIN
  FOR i IN 1..n LOOP
    k := traffic.key();
    BEGIN
      CASE traffic.below(11)
      WHEN 0 THEN PERFORM traffic.int_key(k);
      WHEN 1 THEN PERFORM traffic.composite_key(k);
      WHEN 2 THEN PERFORM traffic.uuid_key(k);
      WHEN 3 THEN PERFORM traffic.index_identity(k);
      WHEN 4 THEN PERFORM traffic.toasted(k);
      WHEN 5 THEN PERFORM traffic.text_key(k);
      WHEN 6 THEN PERFORM traffic.toasted_key(k);
      WHEN 7 THEN PERFORM traffic.restless(k);
      WHEN 8 THEN PERFORM traffic.long_names(k);
      WHEN 9 THEN PERFORM traffic.full_identity(k);
      ELSE PERFORM traffic.odd_names(k);
      END CASE;
      IF random() < 0.0005 THEN PERFORM traffic.empty(); END IF;
    EXCEPTION WHEN unique_violation OR deadlock_detected OR lock_not_available
      OR program_limit_exceeded THEN NULL;
    END;
  END LOOP;
END $$;
