-- Writes types.tsv: psql -X -A -t -F '\t' -P null='\N' -f types.sql against PostgreSQL 15.
-- All but the types of relations.
SELECT t.oid, typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typelem, typarray,
  typalign, typstorage, typcollation, typsubscript::oid, typinput::oid, typoutput::oid, typreceive::oid,
  typsend::oid, typmodin::oid, typmodout::oid
FROM pg_type t
WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typrelid = 0 AND (t.typelem = 0 OR t.typarray <> 0 OR
  NOT EXISTS (SELECT FROM pg_type e WHERE e.oid = t.typelem AND e.typrelid <> 0))
ORDER BY t.oid;
