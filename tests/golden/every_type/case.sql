-- Every type the target has a type of its own for, and some that it holds as text; NULL of each.
CREATE TYPE mood AS ENUM ('sad', 'very happy');
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE kinds (
  id int PRIMARY KEY, c_bool boolean, c_int2 smallint, c_int4 integer, c_int8 bigint, c_float4 real,
  c_float8 double precision, c_numeric numeric, c_decimal numeric(38,10), c_wide numeric(60,30),
  c_text text, c_varchar varchar(5), c_char char(5), c_name name, c_bytea bytea, c_date date,
  c_time time, c_timetz timetz, c_timestamp timestamp, c_timestamptz timestamptz,
  c_interval interval, c_uuid uuid, c_json json, c_jsonb jsonb, c_xml xml, c_money money,
  c_inet inet, c_cidr cidr, c_macaddr macaddr, c_bit bit(3), c_varbit varbit, c_point point,
  c_tsvector tsvector, c_lsn pg_lsn, c_range int4range, c_multirange int4multirange, c_ints int[],
  c_texts text[], c_mood mood, c_moods mood[], c_domain positive, c_pair pair);
-- stream
INSERT INTO kinds (id) VALUES (1);
INSERT INTO kinds VALUES (
  2, true, -32768, -2147483648, -9223372036854775808, 0.1, 1.7976931348623157e308, 'NaN',
  -9999999999999999999999999999.9999999999, 0.000000000000000000000000000001, '', 'é', 'ab', 'name',
  '\x00ff5c', '0044-03-15 BC', '24:00:00', '12:00:00+05:30', '0001-12-31 23:59:59.999999 BC',
  '2024-06-30 18:30:00.5+00', '1 year 2 mons -3 days 04:05:06.7',
  '00000000-0000-0000-0000-0000000000ab', '{"a":  1.0, "a": null}', '{"b": 1.50, "a": 2}', '<a/>',
  -1234.5, '10.0.0.1/8', '10.1.2.3/32', '08:00:2b:01:02:03', '101', '', '(1,2.5)', '''it''''s'':7 fat:2B',
  '16/B374D848', '[1,6)', '{[1,3),[5,9)}', '{1,NULL,3}', '{"a b","NULL",NULL,"","c\"d"}', 'very happy',
  '{sad,"very happy"}', 7, '(1,"a ""q""")');
-- seal
UPDATE kinds SET c_float8 = 'Infinity', c_date = 'infinity', c_timestamp = '-infinity', c_texts = '{}';
