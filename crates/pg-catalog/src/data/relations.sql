-- Writes relations.tsv: psql -X -A -t -F '\t' -f relations.sql against PostgreSQL 15.
-- Columns of domains are of the type that RowDescription says: the base type.
WITH chosen AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v') AND (
    -- Without what only PostgreSQL's own files and memory have.
    n.nspname = 'pg_catalog' AND c.relname <> ALL (
      '{pg_backend_memory_contexts,pg_config,pg_file_settings,pg_hba_file_rules,
        pg_ident_file_mappings,pg_largeobject,pg_shmem_allocations,pg_statistic,
        pg_statistic_ext_data,pg_stats_ext,pg_stats_ext_exprs}'::name[])
    OR n.nspname = 'information_schema' AND c.relname !~ '^(_pg_|sql_)')
)
SELECT c.nspname, c.relname, c.relkind, c.oid,
  string_agg(a.attname || ' ' || coalesce(b.typname, t.typname) || CASE WHEN a.attnotnull THEN '!' ELSE '' END, ',' ORDER BY a.attnum)
FROM chosen c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2;
