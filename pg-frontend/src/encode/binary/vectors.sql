-- Writes vectors.txt, what PostgreSQL 15 makes of a value in text and in binary:
--
--   psql -XqAt -f vectors.sql > vectors.txt        (from this folder, any database in UTF8)
--
-- A line is `type | sql literal | stored | text form | hex of the binary form`. `stored` is the
-- value of a date or time as Arrow keeps it, found by SQL and not by either form: days or
-- microseconds since 1970-01-01, `months days microseconds` of an interval, the ends of the range
-- for the infinities; empty for other types. NULL has `null` for all three. A backslash and a line
-- feed in a text form are `\\` and `\n`.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET extra_float_digits = 1;
SET client_min_messages = warning;
\set ON_ERROR_STOP on

CREATE FUNCTION pg_temp.stored(x date) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN x = 'infinity' THEN '2147483647' WHEN x = '-infinity' THEN '-2147483648'
    ELSE (x - date '1970-01-01')::text END $$;
CREATE FUNCTION pg_temp.stored(x time) RETURNS text LANGUAGE sql AS $$
  SELECT trunc(extract(epoch FROM x) * 1000000)::text $$;
CREATE FUNCTION pg_temp.stored(x timestamp) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN x = 'infinity' THEN '9223372036854775807'
    WHEN x = '-infinity' THEN '-9223372036854775808'
    ELSE trunc(extract(epoch FROM x) * 1000000)::text END $$;
CREATE FUNCTION pg_temp.stored(x timestamptz) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.stored(x AT TIME ZONE 'UTC') $$;
CREATE FUNCTION pg_temp.stored(x interval) RETURNS text LANGUAGE sql AS $$
  SELECT (extract(year FROM x) * 12 + extract(month FROM x)) || ' ' || extract(day FROM x) || ' '
    || trunc(extract(hour FROM x) * 3600000000 + extract(minute FROM x) * 60000000
      + extract(microseconds FROM x)) $$;
CREATE FUNCTION pg_temp.stored(x anynonarray) RETURNS text LANGUAGE sql AS $$ SELECT '' $$;
CREATE FUNCTION pg_temp.stored(x date[]) RETURNS text LANGUAGE sql AS $$
  SELECT ARRAY(SELECT pg_temp.stored(e) FROM unnest(x) e)::text $$;
CREATE FUNCTION pg_temp.stored(x timestamp[]) RETURNS text LANGUAGE sql AS $$
  SELECT ARRAY(SELECT pg_temp.stored(e) FROM unnest(x) e)::text $$;
CREATE FUNCTION pg_temp.stored(x timestamptz[]) RETURNS text LANGUAGE sql AS $$
  SELECT ARRAY(SELECT pg_temp.stored(e) FROM unnest(x) e)::text $$;
CREATE FUNCTION pg_temp.stored(x interval[]) RETURNS text LANGUAGE sql AS $$
  SELECT ARRAY(SELECT pg_temp.stored(e) FROM unnest(x) e)::text $$;
CREATE FUNCTION pg_temp.stored(x anyarray) RETURNS text LANGUAGE sql AS $$ SELECT '' $$;

CREATE FUNCTION pg_temp.vector(type text, literal text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  value text := CASE WHEN type LIKE 'record%' THEN literal
    ELSE format('CAST(%s AS %s)', literal, type) END;
  send text;
  vector text;
BEGIN
  IF literal = 'NULL' THEN
    RETURN concat_ws(' | ', type, literal, 'null', 'null', 'null');
  END IF;
  EXECUTE format('SELECT typsend::text FROM pg_type WHERE oid = pg_typeof(%s)', value) INTO send;
  EXECUTE format(
    $f$SELECT concat_ws(' | ', pg_temp.stored(%1$s),
      replace(replace(format('%%s', %1$s), '\', '\\'), E'\n', '\n'), encode(%2$s(%1$s), 'hex'))$f$,
    value, send) INTO vector;
  RETURN concat_ws(' | ', type, literal, vector);
END $$;

CREATE TEMP TABLE vectors (id serial, type text, literal text);
INSERT INTO vectors (type, literal) VALUES
  ('bool', $$'t'$$), ('bool', $$'f'$$), ('bool', 'NULL'),
  ('int2', '0'), ('int2', '1'), ('int2', '-1'), ('int2', '32767'), ('int2', '-32768'),
  ('int2', 'NULL'),
  ('int4', '0'), ('int4', '42'), ('int4', '-42'), ('int4', '2147483647'), ('int4', '-2147483648'),
  ('int4', 'NULL'),
  ('int8', '0'), ('int8', '1'), ('int8', '-1'), ('int8', '9223372036854775807'),
  ('int8', '-9223372036854775808'), ('int8', 'NULL'),
  ('oid', '0'), ('oid', '26'), ('oid', '2147483648'), ('oid', '4294967295'), ('oid', 'NULL'),
  ('float4', $$'0'$$), ('float4', $$'-0'$$), ('float4', $$'1.5'$$), ('float4', $$'0.1'$$),
  ('float4', $$'-123456.79'$$), ('float4', $$'3.4028235e+38'$$), ('float4', $$'1e-45'$$),
  ('float4', $$'1.1754944e-38'$$), ('float4', $$'16777216'$$), ('float4', $$'NaN'$$),
  ('float4', $$'Infinity'$$), ('float4', $$'-Infinity'$$), ('float4', 'NULL'),
  ('float8', $$'0'$$), ('float8', $$'-0'$$), ('float8', $$'1'$$), ('float8', $$'-1.5'$$),
  ('float8', $$'0.1'$$), ('float8', $$'1e15'$$), ('float8', $$'1e23'$$),
  ('float8', $$'3.141592653589793'$$), ('float8', $$'1.7976931348623157e+308'$$),
  ('float8', $$'2.2250738585072014e-308'$$), ('float8', $$'5e-324'$$),
  ('float8', $$'9007199254740993'$$), ('float8', $$'NaN'$$), ('float8', $$'Infinity'$$),
  ('float8', $$'-Infinity'$$), ('float8', 'NULL'),
  ('numeric(9,0)', '0'), ('numeric(9,0)', '1'), ('numeric(9,0)', '-1'),
  ('numeric(9,0)', '9999'), ('numeric(9,0)', '10000'), ('numeric(9,0)', '99999999'),
  ('numeric(9,0)', '100000000'), ('numeric(9,0)', '-120000000'), ('numeric(9,0)', 'NULL'),
  ('numeric(9,1)', '-10.5'), ('numeric(9,2)', '0'), ('numeric(9,2)', '0.01'),
  ('numeric(9,2)', '-0.05'), ('numeric(9,2)', '1.50'), ('numeric(9,2)', '1234567.89'),
  ('numeric(9,3)', '0.105'), ('numeric(9,3)', '10000'), ('numeric(9,4)', '0.0001'),
  ('numeric(9,4)', '10000.0001'), ('numeric(9,5)', '0.00001'), ('numeric(9,8)', '0.00010002'),
  ('numeric(9,9)', '0.000000001'), ('numeric(9,9)', '-0.999999999'),
  ('numeric(18,0)', '999999999999999999'), ('numeric(18,6)', '-123456789012.345678'),
  ('numeric(18,18)', '0.000000000000000001'), ('numeric(18,4)', '12345678901234.5678'),
  ('numeric(20,0)', '18446744073709551615'), ('numeric(20,0)', '9999999999999999'),
  ('numeric(20,0)', '10000000000000000'), ('numeric(20,0)', '10000000000000001'),
  ('numeric(20,4)', '9999999999999999.9999'), ('numeric(20,4)', '1000000000000000.0000'),
  ('numeric(38,0)', '99999999999999999999999999999999999999'),
  ('numeric(38,0)', '-99999999999999999999999999999999999999'),
  ('numeric(38,0)', '10000000000000000000000000000000000000'),
  ('numeric(38,0)', '12345678901234567890123456789012345678'), ('numeric(38,0)', '0'),
  ('numeric(38,10)', '1234567890123456789012345678.0123456789'),
  ('numeric(38,16)', '-9999999999999999999999.9999999999999999'),
  ('numeric(38,16)', '1.0000000000000001'), ('numeric(38,16)', '0'), ('numeric(38,16)', '12.5'),
  ('numeric(38,37)', '9.9999999999999999999999999999999999999'),
  ('numeric(38,38)', '0.99999999999999999999999999999999999999'),
  ('numeric(38,38)', '-0.00000000000000000000000000000000000001'), ('numeric(38,38)', '0'),
  ('numeric(38,38)', 'NULL'),
  ('numeric(76,0)', repeat('9', 76)), ('numeric(76,0)', '-' || repeat('1234', 19)),
  ('numeric(76,0)', '1' || repeat('0', 75)), ('numeric(76,0)', '7'),
  ('numeric(76,38)', repeat('9', 38) || '.' || repeat('9', 38)),
  ('numeric(76,38)', '-0.' || repeat('0', 37) || '1'), ('numeric(76,76)', '0.' || repeat('9', 76)),
  ('numeric(76,75)', '9.' || repeat('9', 75)), ('numeric(76,73)', '-123.' || repeat('4567', 18)),
  ('numeric(76,2)', repeat('8', 74) || '.25'), ('numeric(76,2)', 'NULL'),
  ('numeric(3,-2)', '12300'), ('numeric(3,-2)', '100'), ('numeric(3,-2)', '-99900'),
  ('numeric(3,-2)', '0'), ('numeric(3,-4)', '1230000'), ('numeric(3,-5)', '12300000'),
  ('numeric(3,-7)', '-9990000000'), ('numeric(3,-2)', 'NULL'),
  ('text', $$''$$), ('text', $$'a'$$), ('text', $$'łąka ☃ 𝄞'$$), ('text', $$E'line\nfeed\t\\'$$),
  ('text', $$'null'$$), ('text', $$repeat('x', 70)$$), ('text', 'NULL'),
  ('varchar(5)', $$'abc'$$), ('varchar(5)', $$'ab '$$), ('varchar(5)', 'NULL'),
  ('bpchar(3)', $$'abc'$$), ('bpchar(3)', $$'łąk'$$), ('bpchar(3)', 'NULL'),
  ('name', $$'pg_class'$$), ('name', $$''$$), ('name', 'NULL'),
  ('json', $$'{"a" :  [1, null]}'$$), ('json', $$'null'$$), ('json', 'NULL'),
  ('jsonb', $$'{"b": 1, "a": [1.50, null, "x"]}'$$), ('jsonb', $$'"ż"'$$), ('jsonb', $$'null'$$),
  ('jsonb', 'NULL'),
  ('uuid', $$'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'$$),
  ('uuid', $$'00000000-0000-0000-0000-000000000000'$$),
  ('uuid', $$'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'$$), ('uuid', 'NULL'),
  ('inet', $$'192.168.1.5'$$), ('inet', $$'192.168.1.5/24'$$), ('inet', $$'0.0.0.0/0'$$),
  ('inet', $$'10.0.0.0/8'$$), ('inet', $$'::'$$), ('inet', $$'::1'$$), ('inet', $$'::5'$$),
  ('inet', $$'::1.2.3.4'$$), ('inet', $$'::1:0'$$), ('inet', $$'::ffff:1.2.3.4/120'$$),
  ('inet', $$'2001:db8::8a2e:370:7334/64'$$), ('inet', $$'1:0:0:2::'$$),
  ('inet', $$'1:0:2::3:0/0'$$), ('inet', 'NULL'),
  ('bytea', $$''$$), ('bytea', $$'\x00ff41'$$), ('bytea', $$'\xdeadbeef00'$$), ('bytea', 'NULL'),
  ('date', $$'2000-01-01'$$), ('date', $$'1999-12-31'$$), ('date', $$'1970-01-01'$$),
  ('date', $$'2024-02-29'$$), ('date', $$'9999-12-31'$$), ('date', $$'10000-01-01'$$),
  ('date', $$'0001-01-01'$$), ('date', $$'0001-12-31 BC'$$), ('date', $$'0044-03-15 BC'$$),
  ('date', $$'4713-01-01 BC'$$), ('date', $$'5874897-12-31'$$), ('date', $$'infinity'$$),
  ('date', $$'-infinity'$$), ('date', 'NULL'),
  ('time', $$'00:00:00'$$), ('time', $$'04:05:06.789'$$), ('time', $$'23:59:59.999999'$$),
  ('time', $$'24:00:00'$$), ('time', $$'00:00:00.000001'$$), ('time', 'NULL'),
  ('timestamp', $$'2000-01-01'$$), ('timestamp', $$'1970-01-01'$$),
  ('timestamp', $$'1969-12-31 23:59:59.999999'$$), ('timestamp', $$'2024-02-29 12:34:56.5'$$),
  ('timestamp', $$'9999-12-31 23:59:59.999999'$$), ('timestamp', $$'0001-01-01'$$),
  ('timestamp', $$'0001-12-31 01:00:00 BC'$$), ('timestamp', $$'4713-01-01 BC'$$),
  ('timestamp', $$'294246-12-31 23:59:59.999999'$$), ('timestamp', $$'infinity'$$),
  ('timestamp', $$'-infinity'$$), ('timestamp', 'NULL'),
  ('timestamptz', $$'2000-01-01 00:00:00+00'$$), ('timestamptz', $$'2024-07-01 14:00:00.5+02'$$),
  ('timestamptz', $$'1969-12-31 19:00:00-05'$$), ('timestamptz', $$'9999-12-31 23:59:59+00'$$),
  ('timestamptz', $$'0044-03-15 12:00:00+00 BC'$$), ('timestamptz', $$'infinity'$$),
  ('timestamptz', $$'-infinity'$$), ('timestamptz', 'NULL'),
  ('interval', $$'0'$$), ('interval', $$'1 month'$$), ('interval', $$'14 months 3 days 04:05:06.789'$$),
  ('interval', $$'-14 months 3 days -00:00:00.000001'$$), ('interval', $$'-1 day 02:03:00'$$),
  ('interval', $$'-100:00:00'$$), ('interval', $$'178956970 years 7 months'$$),
  ('interval', $$'2147483647 days'$$), ('interval', $$'-2147483648 days'$$),
  ('interval', $$'2562047:47:16.854775'$$), ('interval', $$'-2562047:47:16.854775'$$),
  ('interval', 'NULL'),
  ('bool[]', $$'{t,f,NULL}'$$), ('bool[]', $$'{}'$$), ('bool[]', 'NULL'),
  ('int2[]', $$'{1,-2,NULL}'$$), ('int4[]', $$'{}'$$), ('int4[]', $$'{1}'$$),
  ('int4[]', $$'{1,NULL,3}'$$), ('int4[]', $$'{NULL}'$$), ('int4[]', $$'{{1,2,3},{4,5,6}}'$$),
  ('int4[]', $$'{{1,NULL},{NULL,4}}'$$), ('int4[]', $$'{{{1},{2}},{{3},{4}},{{5},{6}}}'$$),
  ('int4[]', $$'{{{{{{7}}}}}}'$$), ('int4[]', 'NULL'),
  ('int8[]', $$'{9223372036854775807,-1}'$$), ('oid[]', $$'{4294967295}'$$),
  ('float4[]', $$'{1.5,NaN,-Infinity}'$$), ('float8[]', $$'{0.1,NULL,-0}'$$),
  ('float8[]', $$'{{1,2},{3,4}}'$$), ('numeric(12,2)[]', $$'{1.50,NULL,-1234567890.12}'$$),
  ('numeric(12,2)[]', $$'{}'$$),
  ('text[]', $$'{"a b",NULL,"null","",x}'$$), ('text[]', $$E'{"q\\"\\\\","{,}",nul}'$$),
  ('text[]', $$'{{a,b},{c,NULL}}'$$), ('text[]', $$'{}'$$), ('text[]', 'NULL'),
  ('varchar[]', $$'{a,NULL,ż}'$$), ('name[]', $$'{pg_class,oid}'$$),
  ('json[]', $$'{"[1]",NULL}'$$), ('jsonb[]', $$'{"[1]",NULL,"\"x\""}'$$),
  ('uuid[]', $$'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,NULL}'$$),
  ('inet[]', $$'{10.0.0.1/8,::1,NULL}'$$), ('bytea[]', $$'{"\\x00ff",NULL,"\\x"}'$$),
  ('date[]', $$'{2024-02-29,NULL,"0044-03-15 BC",infinity}'$$), ('date[]', 'NULL'),
  ('timestamp[]', $$'{2024-02-29 12:34:56.5,NULL}'$$),
  ('timestamptz[]', $$'{2024-07-01 14:00:00+02,NULL}'$$),
  ('interval[]', $$'{1 month,NULL,-1 day 02:03:00}'$$),
  ('record(int4,text,bool)', $$ROW(1, 'a b'::text, true)$$),
  ('record(int4,text,bool)', $$ROW(NULL::int4, ''::text, NULL::bool)$$),
  ('record(int4,text,bool)', $$ROW(-1, 'q"\,()'::text, false)$$),
  ('record(numeric(5,2),uuid)',
    $$ROW(1.25::numeric(5,2), 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid)$$),
  ('record(int8,float8)', $$ROW(9223372036854775807, 'NaN'::float8)$$);

SELECT pg_temp.vector(type, literal) FROM vectors ORDER BY id;
