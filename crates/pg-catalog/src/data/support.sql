-- Writes support.tsv: psql -X -A -t -F '\t' -f support.sql against PostgreSQL 15.
-- Names of the functions whose OIDs stand in types.tsv.
SELECT DISTINCT p.oid, p.proname
FROM pg_type t, unnest(ARRAY[typsubscript, typinput, typoutput, typreceive, typsend, typmodin, typmodout]) f
JOIN pg_proc p ON p.oid = f
WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typrelid = 0
ORDER BY 1;
