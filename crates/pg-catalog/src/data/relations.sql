-- Writes relations.tsv: psql -X -A -t -F '\t' -f relations.sql against PostgreSQL 15.
-- Columns of domains are of the type that RowDescription says: the base type.
WITH chosen AS (
  SELECT c.oid, n.nspname, c.relname, c.relkind
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'v') AND (
    n.nspname = 'pg_catalog' AND c.relname = ANY (
      '{pg_am,pg_attrdef,pg_attribute,pg_auth_members,pg_class,pg_collation,pg_constraint,pg_conversion,
        pg_database,pg_db_role_setting,pg_default_acl,pg_depend,pg_description,pg_enum,pg_event_trigger,
        pg_extension,pg_foreign_data_wrapper,pg_foreign_server,pg_foreign_table,pg_group,pg_index,pg_indexes,
        pg_inherits,pg_language,pg_largeobject_metadata,pg_matviews,pg_namespace,pg_opclass,pg_opfamily,
        pg_partitioned_table,pg_policies,pg_policy,pg_proc,pg_publication,pg_publication_namespace,
        pg_publication_rel,pg_publication_tables,pg_range,pg_rewrite,pg_roles,pg_rules,pg_seclabel,
        pg_sequence,pg_sequences,pg_settings,pg_shdepend,pg_shdescription,pg_shseclabel,pg_statistic_ext,
        pg_subscription,pg_tables,pg_tablespace,pg_timezone_names,pg_trigger,pg_ts_config,pg_ts_dict,
        pg_ts_parser,pg_ts_template,pg_type,pg_user,pg_user_mapping,pg_user_mappings,pg_views}'::name[])
    OR n.nspname = 'information_schema' AND c.relname = ANY (
      '{check_constraints,columns,constraint_column_usage,constraint_table_usage,domains,
        information_schema_catalog_name,key_column_usage,referential_constraints,schemata,sequences,
        table_constraints,tables,triggers,views}'::name[]))
)
SELECT c.nspname, c.relname, c.relkind, c.oid,
  string_agg(a.attname || ' ' || coalesce(b.typname, t.typname) || CASE WHEN a.attnotnull THEN '!' ELSE '' END, ',' ORDER BY a.attnum)
FROM chosen c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type b ON b.oid = t.typbasetype
GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2;
