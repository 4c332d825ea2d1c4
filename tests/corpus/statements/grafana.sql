-- Grafana's PostgreSQL data source (grafana/grafana, postgresMetaQuery.ts and pkg/tsdb macros; AGPL-3.0):
-- the five questions about the schema written anew in the shape that its published source sends, then
-- panel queries with the macros expanded as its documentation says.
-- session
SELECT current_setting('server_version_num')::int/100 as version

SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

SELECT schema_name AS "name" FROM information_schema.schemata
WHERE schema_name NOT IN ('information_schema', 'pg_catalog', 'pg_toast', 'timescaledb_information') ORDER BY schema_name

SELECT quote_ident(table_name) AS "table" FROM information_schema.tables WHERE quote_ident(table_schema) = 'sales' ORDER BY 1

SELECT
  CASE WHEN quote_ident(table_schema) IN (
      SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
      FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
        string_to_array(current_setting('search_path'),',') s)
    THEN quote_ident(table_name)
    ELSE quote_ident(table_schema) || '.' || quote_ident(table_name)
  END AS "table"
FROM information_schema.tables
WHERE quote_ident(table_schema) NOT IN ('information_schema', 'pg_catalog', 'timescaledb_information')
ORDER BY CASE WHEN quote_ident(table_schema) IN (
      SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
      FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
        string_to_array(current_setting('search_path'),',') s) THEN 0 ELSE 1 END, 1

SELECT quote_ident(column_name) AS "column", data_type AS "type" FROM information_schema.columns
WHERE CASE WHEN array_length(parse_ident('sales.orders'),1) = 2
    THEN quote_ident(table_schema) = (parse_ident('sales.orders'))[1] AND quote_ident(table_name) = (parse_ident('sales.orders'))[2]
    ELSE quote_ident(table_name) = 'sales.orders' AND quote_ident(table_schema) IN (
      SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
      FROM generate_series(array_lower(string_to_array(current_setting('search_path'),','),1), array_upper(string_to_array(current_setting('search_path'),','),1)) as i,
        string_to_array(current_setting('search_path'),',') s) END

SELECT 1

SELECT placed AS "time", status AS "value" FROM sales.orders WHERE placed BETWEEN '2024-01-01T00:00:00Z' AND '2024-12-31T23:59:59.999Z' ORDER BY 1

SELECT floor(extract(epoch from placed)/86400)*86400 AS "time", count(*) AS orders FROM sales.orders
WHERE placed BETWEEN '2024-01-01T00:00:00Z' AND '2024-12-31T23:59:59.999Z' GROUP BY 1 ORDER BY 1

SELECT extract(epoch from placed) as "time", customer_id::text AS metric, weight FROM sales.orders WHERE extract(epoch from placed) >= 1704067200 AND extract(epoch from placed) <= 1735689599 ORDER BY 1,2

SELECT date_trunc('month', placed) AS "time", avg(weight) AS "avg weight" FROM sales.orders WHERE status IN (0,1,2) GROUP BY date_trunc('month', placed) ORDER BY 1 LIMIT 50

SELECT DISTINCT name AS __text, id AS __value FROM public.customers ORDER BY 1
