-- What the stand-in's database has beside PostgreSQL's own: Redshift's types and functions. The types of
-- characters compare as bpchar does, trailing blanks being insignificant, and keep them, as VARCHAR does.
-- Run by database.py, which fills in {…}.
CREATE SCHEMA redshift;
GRANT USAGE ON SCHEMA redshift TO PUBLIC;
SET search_path = redshift, pg_catalog;

{character_types}

CREATE TYPE rs_varbyte;
CREATE FUNCTION rs_varbyte_in(cstring) RETURNS rs_varbyte LANGUAGE internal IMMUTABLE STRICT AS 'byteain';
CREATE FUNCTION rs_varbyte_out(rs_varbyte) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'byteaout';
CREATE TYPE rs_varbyte (INPUT = rs_varbyte_in, OUTPUT = rs_varbyte_out, TYPMOD_IN = bittypmodin,
    TYPMOD_OUT = bittypmodout, LIKE = bytea);
CREATE CAST (rs_varbyte AS bytea) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (bytea AS rs_varbyte) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE FUNCTION rs_varbyte_of(value text) RETURNS rs_varbyte LANGUAGE sql IMMUTABLE STRICT
    AS $$ SELECT pg_catalog.convert_to(value, 'UTF8')::redshift.rs_varbyte $$;
CREATE CAST (text AS rs_varbyte) WITH FUNCTION rs_varbyte_of(text) AS ASSIGNMENT;
CREATE FUNCTION rs_varbyte_fit(value rs_varbyte, modifier int, explicit bool) RETURNS rs_varbyte
    LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    most int := modifier;
BEGIN
    IF modifier < 1 OR pg_catalog.octet_length(value::bytea) <= most THEN
        RETURN value;
    ELSIF explicit THEN
        RETURN pg_catalog.substring(value::bytea, 1, most)::redshift.rs_varbyte;
    END IF;
    RAISE EXCEPTION 'value too long for type binary varying(%)', most USING ERRCODE = '22001';
END $$;
CREATE CAST (rs_varbyte AS rs_varbyte) WITH FUNCTION rs_varbyte_fit(rs_varbyte, int, bool) AS IMPLICIT;
{varbyte_operators}

CREATE DOMAIN super AS jsonb;
CREATE DOMAIN geometry AS text;
CREATE DOMAIN geography AS text;
CREATE DOMAIN hllsketch AS text;
{decimals}

-- What Redshift remembers of a table and PostgreSQL does not.
CREATE TABLE table_memory (
    relation oid PRIMARY KEY, diststyle text NOT NULL,
    distkey text, sortkeys text[] NOT NULL DEFAULT '{}', interleaved bool NOT NULL DEFAULT false,
    sort_auto bool NOT NULL DEFAULT true, encodings jsonb NOT NULL DEFAULT '{}',
    identity_columns text[] NOT NULL DEFAULT '{}');
CREATE TABLE constraint_memory (
    relation oid NOT NULL, name text NOT NULL, kind text NOT NULL, columns text[] NOT NULL,
    target text, target_columns text[]);
CREATE TABLE long_names (short name PRIMARY KEY, long text NOT NULL);
CREATE TABLE late_views (schema text, name text, owner text, sql text NOT NULL, PRIMARY KEY (schema, name));
CREATE TABLE load_errors (
    userid text NOT NULL DEFAULT session_user, query bigint, tbl oid, starttime timestamp DEFAULT now(),
    session int, filename text, line_number bigint, colname text, type text, col_length text, position int,
    raw_line text, raw_field_value text, err_code int, err_reason text);
CREATE TABLE load_commits (
    userid text NOT NULL DEFAULT session_user, query bigint, filename text, lines_scanned bigint, at timestamp DEFAULT now());
CREATE FUNCTION long_name(short name) RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT coalesce((SELECT long FROM redshift.long_names l WHERE l.short = $1), $1::text) $$;
GRANT SELECT ON long_names, table_memory, constraint_memory, late_views TO PUBLIC;

CREATE FUNCTION keep_late_view(schema text, name text, sql text, replace bool) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF NOT has_schema_privilege(session_user, schema, 'CREATE') THEN
        RAISE EXCEPTION 'permission denied for schema %', schema USING ERRCODE = '42501';
    ELSIF to_regclass(format('%I.%I', schema, name)) IS NOT NULL OR NOT replace
            AND EXISTS (SELECT FROM redshift.late_views l WHERE l.schema = $1 AND l.name = $2) THEN
        RAISE EXCEPTION 'relation "%" already exists', name USING ERRCODE = '42P07';
    END IF;
    INSERT INTO redshift.late_views AS l VALUES ($1, $2, session_user, $3)
        ON CONFLICT ON CONSTRAINT late_views_pkey DO UPDATE SET sql = excluded.sql;
END $$;
CREATE FUNCTION forget_late_view(schema text, name text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM redshift.late_views l WHERE l.schema = $1 AND l.name = $2 AND l.owner = session_user::text;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'must be owner of relation %', name USING ERRCODE = '42501';
    END IF;
END $$;

CREATE FUNCTION remember_table(relation regclass, attributes jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO redshift.table_memory (relation, diststyle, distkey, sortkeys, interleaved, sort_auto, encodings,
        identity_columns)
        VALUES (relation, attributes->>'diststyle', attributes->>'distkey',
            array(SELECT jsonb_array_elements_text(attributes->'sortkeys')),
            (attributes->>'interleaved')::bool, (attributes->>'sort_auto')::bool, attributes->'encodings',
            array(SELECT jsonb_array_elements_text(attributes->'identity')))
        ON CONFLICT DO NOTHING;
    PERFORM redshift.remember_constraint(relation, one) FROM jsonb_array_elements(attributes->'constraints') one;
END $$;
CREATE FUNCTION remember_constraint(relation regclass, one jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER AS $$
    INSERT INTO redshift.constraint_memory (relation, name, kind, columns)
        SELECT $1, one->>'name', one->>'kind', array(SELECT jsonb_array_elements_text(one->'columns')) $$;
CREATE FUNCTION inherit_memory(relation regclass, parent regclass) RETURNS void
    LANGUAGE sql SECURITY DEFINER AS $$
    INSERT INTO redshift.table_memory (relation, diststyle, distkey, sortkeys, interleaved, sort_auto, encodings)
        SELECT $1, diststyle, distkey, sortkeys, interleaved, sort_auto, encodings
        FROM redshift.table_memory m WHERE m.relation = $2 $$;
CREATE FUNCTION change_memory(relation regclass, attributes jsonb) RETURNS void
    LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE redshift.table_memory m SET diststyle = coalesce(attributes->>'diststyle', diststyle),
        distkey = CASE WHEN attributes ? 'diststyle' THEN attributes->>'distkey' ELSE distkey END,
        sortkeys = CASE WHEN attributes ? 'sortkeys'
            THEN array(SELECT jsonb_array_elements_text(attributes->'sortkeys')) ELSE sortkeys END,
        sort_auto = coalesce((attributes->>'sort_auto')::bool, sort_auto),
        encodings = encodings || coalesce(attributes->'encodings', '{}')
        WHERE m.relation = $1 $$;
CREATE FUNCTION rename_in_memory(relation regclass, old text, new text) RETURNS void
    LANGUAGE sql SECURITY DEFINER AS $$
    UPDATE redshift.table_memory m SET distkey = CASE WHEN distkey = old THEN new ELSE distkey END,
        sortkeys = array_replace(sortkeys, old, new) WHERE m.relation = $1;
    UPDATE redshift.constraint_memory m SET columns = array_replace(columns, old, new)
        WHERE m.relation = $1 $$;
CREATE FUNCTION forget_constraint(relation regclass, name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM redshift.constraint_memory m WHERE m.relation = $1 AND m.name = $2;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'constraint "%" does not exist', $2 USING ERRCODE = '42704';
    END IF;
END $$;
