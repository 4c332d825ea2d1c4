-- Writes support.tsv: psql -X -A -t -F '\t' -P null='\N' -f support.sql against PostgreSQL 15.
-- The functions that rows of pg_type, pg_operator, pg_cast and pg_am name, in the columns of functions.sql.
WITH named AS (
  SELECT unnest(ARRAY[typsubscript, typinput, typoutput, typreceive, typsend, typmodin, typmodout]) AS oid
  FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typrelid = 0
  UNION SELECT oprcode FROM pg_operator
  UNION SELECT castfunc FROM pg_cast
  UNION SELECT amhandler FROM pg_am
)
SELECT p.oid, proname, prokind, provolatile, proisstrict, proretset, proleakproof, proparallel,
  pronargdefaults, provariadic, prorettype, proargtypes,
  pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)
FROM pg_proc p
WHERE pronamespace = 'pg_catalog'::regnamespace AND oid IN (SELECT oid FROM named)
ORDER BY proname, p.oid;
