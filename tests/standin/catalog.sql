-- The system tables and views that Redshift has.
CREATE FUNCTION cut_line(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT pg_catalog.left($1, 1024) $$;
CREATE TABLE slices (slice int);
CREATE VIEW relation_columns AS
    SELECT n.nspname, c.oid AS relation, c.relkind, c.relowner, redshift.long_name(c.relname) AS table_name,
        redshift.long_name(a.attname) AS column_name, a.attname, a.attnum, a.attnotnull,
        pg_get_expr(d.adbin, d.adrelid) AS default_value, t.typname,
        CASE WHEN t.typname = 'rs_varchar' THEN 'character varying'
            WHEN t.typname = 'rs_char' THEN 'character'
            WHEN t.typname = 'rs_varbyte' THEN 'binary varying'
            WHEN t.typtype = 'd' AND t.typname LIKE 'decimal_19_%' THEN 'numeric'
            WHEN t.typtype = 'd' THEN t.typname::text
            WHEN t.typname IN ('varchar', 'text') THEN 'character varying'
            ELSE format_type(t.oid, NULL) END AS data_type,
        CASE WHEN t.typname IN ('rs_varchar', 'rs_char') AND a.atttypmod > 4 THEN a.atttypmod - 4
            WHEN t.typname = 'rs_varbyte' AND a.atttypmod > 0 THEN a.atttypmod
            WHEN t.typname = 'text' THEN 65535 END AS length,
        CASE WHEN t.typname = 'numeric' AND a.atttypmod > 4 THEN (a.atttypmod - 4) >> 16 & 65535
            WHEN t.typname LIKE 'decimal_19_%' THEN 19
            WHEN t.typname = 'int2' THEN 16 WHEN t.typname = 'int4' THEN 32 WHEN t.typname = 'int8' THEN 64
            WHEN t.typname = 'float4' THEN 24 WHEN t.typname = 'float8' THEN 53 END AS numeric_precision,
        CASE WHEN t.typname = 'numeric' AND a.atttypmod > 4 THEN (a.atttypmod - 4) & 2047
            WHEN t.typname LIKE 'decimal_19_%' THEN substr(t.typname::text, 12)::int
            WHEN t.typname IN ('int2', 'int4', 'int8') THEN 0 END AS numeric_scale,
        m.distkey, m.sortkeys, m.encodings, m.diststyle
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN redshift.table_memory m ON m.relation = c.oid
    WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('redshift', 'pg_catalog', 'information_schema', 'pg_toast');

-- Only what the search path names, temporary tables included.
CREATE VIEW pg_table_def AS
    SELECT nspname::text AS schemaname, table_name AS tablename, column_name AS "column",
        data_type || CASE WHEN length IS NOT NULL THEN '(' || length || ')'
            WHEN data_type = 'numeric' THEN '(' || numeric_precision || ',' || numeric_scale || ')'
            ELSE '' END AS type,
        coalesce(encodings->>column_name, 'none') AS encoding, coalesce(distkey = column_name, false) AS distkey,
        coalesce(array_position(sortkeys, column_name), 0) AS sortkey, attnotnull AS "notnull"
    FROM redshift.relation_columns WHERE relkind = 'r' AND nspname = ANY (current_schemas(true));

CREATE VIEW svv_columns AS
    SELECT current_database()::text AS table_catalog, nspname::text AS table_schema, table_name, column_name,
        attnum::int AS ordinal_position, default_value AS column_default,
        CASE WHEN attnotnull THEN 'NO' ELSE 'YES' END AS is_nullable, data_type,
        length AS character_maximum_length, numeric_precision, 2 AS numeric_precision_radix, numeric_scale,
        CASE WHEN data_type LIKE 'time%' THEN 6 END AS datetime_precision, NULL::text AS interval_type,
        NULL::text AS interval_precision, NULL::text AS character_set_catalog, NULL::text AS remarks
    FROM redshift.relation_columns
    WHERE pg_has_role(relowner, 'USAGE') OR has_table_privilege(relation, 'SELECT, INSERT, UPDATE, DELETE');
CREATE VIEW information_schema_columns AS
    SELECT *, CASE WHEN data_type LIKE 'char%' THEN character_maximum_length END AS character_octet_length
    FROM redshift.svv_columns;

CREATE VIEW svv_tables AS
    SELECT DISTINCT current_database()::text AS table_catalog, n.nspname::text AS table_schema,
        redshift.long_name(c.relname) AS table_name,
        CASE WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relpersistence = 't' THEN 'LOCAL TEMPORARY'
            ELSE 'BASE TABLE' END AS table_type, NULL::text AS remarks
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v')
        AND n.nspname NOT IN ('redshift', 'pg_toast')
        AND (pg_has_role(c.relowner, 'USAGE') OR has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE'))
    UNION ALL SELECT current_database()::text, schema, name, 'VIEW', NULL FROM redshift.late_views;
CREATE VIEW svv_relation_privileges AS
    SELECT n.nspname::text AS namespace_name, redshift.long_name(c.relname) AS relation_name, p.privilege_type,
        p.grantee::int AS identity_id, coalesce(g.rolname::text, 'public') AS identity_name,
        CASE WHEN p.grantee = 0 THEN 'public' WHEN g.rolcanlogin THEN 'user' ELSE 'group' END AS identity_type,
        p.is_grantable AS admin_option
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) p
        LEFT JOIN pg_roles g ON g.oid = p.grantee
    WHERE c.relkind IN ('r', 'v') AND n.nspname NOT IN ('redshift', 'pg_catalog', 'information_schema')
        AND (g.rolname = session_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = session_user));
CREATE VIEW pg_views AS
    SELECT schemaname::text, redshift.long_name(viewname) AS viewname, viewowner::text, definition
    FROM pg_catalog.pg_views WHERE schemaname NOT IN ('redshift', 'information_schema')
    UNION ALL SELECT schema, name, owner, sql FROM redshift.late_views;
CREATE VIEW information_schema_tables AS SELECT * FROM redshift.svv_tables;

CREATE VIEW information_schema_table_constraints AS
    SELECT current_database()::text AS constraint_catalog, n.nspname::text AS constraint_schema,
        m.name AS constraint_name, current_database()::text AS table_catalog, n.nspname::text AS table_schema,
        redshift.long_name(c.relname) AS table_name, m.kind AS constraint_type,
        'NO' AS is_deferrable, 'NO' AS initially_deferred
    FROM redshift.constraint_memory m JOIN pg_class c ON c.oid = m.relation
        JOIN pg_namespace n ON n.oid = c.relnamespace;
CREATE VIEW information_schema_key_column_usage AS
    SELECT current_database()::text AS constraint_catalog, n.nspname::text AS constraint_schema,
        m.name AS constraint_name, current_database()::text AS table_catalog, n.nspname::text AS table_schema,
        redshift.long_name(c.relname) AS table_name, k.name AS column_name, k.number::int AS ordinal_position
    FROM redshift.constraint_memory m JOIN pg_class c ON c.oid = m.relation
        JOIN pg_namespace n ON n.oid = c.relnamespace, unnest(m.columns) WITH ORDINALITY AS k(name, number);

-- Tables without rows are not in it.
CREATE FUNCTION row_count(relation oid) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    counted bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s', relation::regclass) INTO counted;
    RETURN counted;
END $$;
CREATE VIEW all_table_info AS
    SELECT current_database()::text AS database, n.nspname::text AS "schema", c.oid::int AS table_id,
        redshift.long_name(c.relname) AS "table", 'Y' AS encoded,
        CASE WHEN m.distkey IS NOT NULL THEN 'KEY(' || m.distkey || ')' WHEN m.diststyle = 'AUTO'
            THEN 'AUTO(ALL)' ELSE m.diststyle END AS diststyle,
        coalesce(m.sortkeys[1], CASE WHEN m.sort_auto THEN 'AUTO(SORTKEY)' END) AS sortkey1,
        cardinality(m.sortkeys) AS sortkey_num, pg_relation_size(c.oid) / 1048576 + 1 AS size,
        redshift.row_count(c.oid)::numeric(38,0) AS tbl_rows
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN redshift.table_memory m ON m.relation = c.oid
    WHERE c.relkind = 'r' AND c.relpersistence = 'p';
CREATE VIEW svv_table_info AS SELECT * FROM redshift.all_table_info WHERE tbl_rows > 0;

CREATE VIEW stv_slices AS SELECT slice / 2 AS node, slice, slice AS localslice, 'D' AS type FROM redshift.slices;
CREATE TABLE isolation (level text);
CREATE VIEW stv_db_isolation_level AS
    SELECT current_database()::text AS db_name, level AS isolation_level FROM redshift.isolation;
CREATE VIEW stv_sessions AS
    SELECT backend_start::timestamp AS starttime, pid AS process, usename::text AS user_name,
        datname::text AS db_name, 0 AS timeout_sec FROM pg_stat_activity WHERE datname = current_database();
CREATE VIEW sys_session_history AS
    SELECT usesysid::int AS user_id, pid AS session_id, datname::text AS database_name, 'active' AS status,
        backend_start::timestamp AS start_time, NULL::timestamp AS end_time
    FROM pg_stat_activity WHERE datname = current_database();
CREATE VIEW stv_recents AS
    SELECT usesysid::int AS userid, CASE state WHEN 'active' THEN 'Running' ELSE 'Done' END AS status,
        query_start::timestamp AS starttime, usename::text AS user_name, datname::text AS db_name,
        query, pid FROM pg_stat_activity WHERE datname = current_database();
CREATE VIEW stv_locks AS
    SELECT l.relation::int AS table_id, l.pid AS lock_owner_pid, l.mode AS lock_status
    FROM pg_locks l WHERE l.relation IS NOT NULL AND l.database = (SELECT oid FROM pg_database
        WHERE datname = current_database());
-- Others' transactions are for superusers.
CREATE VIEW svv_transactions AS
    SELECT a.usename::text AS txn_owner, a.datname::text AS txn_db, a.backend_xid::text::bigint AS xid, a.pid,
        a.xact_start::timestamp AS txn_start, l.mode AS lock_mode, 'relation'::text AS lockable_object_type,
        l.relation::int AS relation, l.granted
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.relation IS NOT NULL AND a.datname = current_database()
        AND (a.usename = session_user OR (SELECT rolsuper FROM pg_roles WHERE rolname = session_user));
CREATE VIEW stl_load_errors AS
    SELECT 100 AS userid, 0 AS slice, tbl, starttime, session, query, rpad(filename, 256) AS filename, line_number,
        rpad(colname, 127) AS colname, rpad(type, 10) AS type, rpad(col_length, 10) AS col_length, position,
        rpad(redshift.cut_line(raw_line), 1024) AS raw_line,
        rpad(redshift.cut_line(raw_field_value), 1024) AS raw_field_value, err_code,
        rpad(err_reason, 100) AS err_reason, false AS is_partial, 0 AS start_offset
    FROM redshift.load_errors WHERE userid = session_user
        OR (SELECT rolsuper FROM pg_roles WHERE rolname = session_user);
CREATE VIEW sys_load_error_detail AS
    SELECT 100 AS user_id, query AS query_id, 0::bigint AS transaction_id, session AS session_id,
        current_database()::text AS database_name, tbl::int AS table_id, starttime AS start_time,
        rpad(filename, 256) AS file_name, line_number, rpad(colname, 127) AS column_name,
        rpad(type, 10) AS column_type, rpad(col_length, 10) AS column_length, position, err_code AS error_code,
        rpad(err_reason, 512) AS error_message
    FROM redshift.load_errors WHERE userid = session_user
        OR (SELECT rolsuper FROM pg_roles WHERE rolname = session_user);
CREATE VIEW stl_load_commits AS
    SELECT 100 AS userid, query, rpad(filename, 256) AS filename, lines_scanned, at AS curtime, 1 AS status
    FROM redshift.load_commits WHERE userid = session_user;
GRANT SELECT ON ALL TABLES IN SCHEMA redshift TO PUBLIC;
REVOKE ALL ON load_errors, load_commits, all_table_info FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA redshift TO PUBLIC;
