-- Writes functions.tsv: psql -X -A -t -F '\t' -P null='\N' -f functions.sql against PostgreSQL 15.
-- The functions over known types, and those that pg_type names. A server lists of them what it has.
WITH known AS (
  SELECT oid FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typname = ANY (
    '{bool,bytea,char,name,int8,int2,int2vector,int4,text,oid,oidvector,json,pg_node_tree,jsonb,
      float4,float8,varchar,bpchar,date,time,timestamp,timestamptz,interval,numeric,uuid,inet,
      regclass,regtype,regnamespace,record,any,anyarray,anyelement,
      _bool,_int2,_int4,_int8,_text,_name,_float8,_oid,anycompatible,anycompatiblearray}'::name[])
)
SELECT p.oid, proname, prokind, provolatile, proisstrict, proretset, proleakproof, proparallel,
  pronargdefaults, provariadic, prorettype, proargtypes,
  pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)
FROM pg_proc p
WHERE pronamespace = 'pg_catalog'::regnamespace
  AND prorettype IN (SELECT oid FROM known) AND proargtypes::oid[] <@ ARRAY(SELECT oid FROM known)
  AND NOT EXISTS (SELECT FROM pg_operator o WHERE o.oprcode = p.oid
                  AND proname NOT IN ('starts_with', 'date_part', 'position', 'like', 'notlike'))
  AND NOT EXISTS (SELECT FROM pg_cast c WHERE c.castfunc = p.oid)
  AND proname !~ '^(pg_stat_|pg_wal|pg_ls_|pg_replication|pg_logical|brin|gin|gist|ts_|bt|hash|binary_upgrade|lo_|jsonb?_populate|int[248]_?(accum|avg|sum|mul|div|pl|mi)|float[48]_|numeric_|in_range)'
ORDER BY proname, p.oid;
