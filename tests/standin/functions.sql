-- Redshift's functions that PostgreSQL lacks or has otherwise; found before PostgreSQL's own.
CREATE FUNCTION version() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'PostgreSQL 8.0.2 on i686-pc-linux-gnu,'
    ' compiled by GCC gcc (GCC) 3.4.2 20041017 (Red Hat 3.4.2-6.fc3), Redshift 1.0.48805' $$;
CREATE FUNCTION getdate() RETURNS timestamp LANGUAGE sql STABLE
    AS $$ SELECT date_trunc('second', statement_timestamp() AT TIME ZONE 'UTC') $$;
CREATE FUNCTION sysdate() RETURNS timestamp LANGUAGE sql STABLE AS $$ SELECT now() AT TIME ZONE 'UTC' $$;
CREATE FUNCTION len(text) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT pg_catalog.length($1) $$;
CREATE FUNCTION len(rs_char) RETURNS int LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT pg_catalog.length(pg_catalog.rtrim($1::text, ' ')) $$;
CREATE FUNCTION json_is_unique(value json) RETURNS bool LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF json_typeof(value) = 'array' THEN
        RETURN coalesce((SELECT bool_and(redshift.json_is_unique(e)) FROM json_array_elements(value) e), true);
    ELSIF json_typeof(value) = 'object' THEN
        RETURN coalesce((SELECT count(DISTINCT e.key) = count(*) AND bool_and(redshift.json_is_unique(e.value))
            FROM json_each(value) e), true);
    END IF;
    RETURN true;
END $$;
CREATE FUNCTION json_parse(text) RETURNS super LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF NOT redshift.json_is_unique($1::json) THEN
        RAISE EXCEPTION 'Invalid JSON: duplicate attribute' USING ERRCODE = 'XX000';
    END IF;
    RETURN $1::jsonb;
END $$;
-- Only a scalar is cast to a text.
CREATE FUNCTION super_text(jsonb) RETURNS rs_varchar LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    IF jsonb_typeof($1) IN ('object', 'array') THEN
        RAISE EXCEPTION 'Cannot cast a SUPER object or array to VARCHAR' USING ERRCODE = 'XX000';
    END IF;
    RETURN $1 #>> '{}';
END $$;
CREATE CAST (jsonb AS rs_varchar) WITH FUNCTION super_text(jsonb) AS ASSIGNMENT;
CREATE FUNCTION json_serialize(super) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$ SELECT $1::text $$;
CREATE FUNCTION is_valid_json(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    PERFORM $1::json;
    RETURN true;
EXCEPTION WHEN OTHERS THEN
    RETURN false;
END $$;
CREATE FUNCTION from_hex(text) RETURNS rs_varbyte LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT pg_catalog.decode($1, 'hex')::redshift.rs_varbyte $$;
CREATE FUNCTION to_hex(bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT pg_catalog.encode($1, 'hex') $$;
CREATE FUNCTION to_varbyte(text, text) RETURNS rs_varbyte LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT CASE lower($2) WHEN 'hex' THEN pg_catalog.decode($1, 'hex') WHEN 'base64'
        THEN pg_catalog.decode($1, 'base64') ELSE pg_catalog.convert_to($1, 'UTF8') END::redshift.rs_varbyte $$;
CREATE FUNCTION from_varbyte(rs_varbyte, text) RETURNS text LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT CASE lower($2) WHEN 'hex' THEN pg_catalog.encode($1, 'hex') WHEN 'base64'
        THEN pg_catalog.encode($1, 'base64') ELSE pg_catalog.convert_from($1, 'UTF8') END $$;
CREATE FUNCTION sha2(text, int) RETURNS text LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to($1, 'UTF8')), 'hex') $$;
CREATE FUNCTION dateadd(part text, amount bigint, at timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT at + (amount || ' ' || part)::interval $$;
CREATE FUNCTION datediff(part text, since timestamp, until timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT CASE lower(part) WHEN 'day' THEN until::date - since::date ELSE floor(extract(epoch FROM
        date_trunc(part, until)) - extract(epoch FROM date_trunc(part, since)))
        / extract(epoch FROM ('1 ' || part)::interval) END::bigint $$;

-- What the stand-in asks for beside a statement.
CREATE FUNCTION fail() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused by the stand-in' USING ERRCODE = 'XX000';
END $$;
CREATE FUNCTION check_visible(names text[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    -- Names are looked up in the present, pg_class is read by the transaction's snapshot.
    IF EXISTS (SELECT FROM unnest(names) n WHERE to_regclass(n) IS NOT NULL
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(n))) THEN
        RAISE EXCEPTION 'Relation does not exist' USING ERRCODE = 'XX000',
            DETAIL = 'error: Relation does not exist code: 1018';
    END IF;
END $$;
CREATE FUNCTION check_single(several bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF several > 0 THEN
        RAISE EXCEPTION 'Found multiple matches to update the same tuple.' USING ERRCODE = 'XX000';
    END IF;
END $$;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA redshift TO PUBLIC;
