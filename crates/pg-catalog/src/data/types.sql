-- Writes types.tsv: psql -X -A -t -F '\t' -P null='\N' -f types.sql against PostgreSQL 15.
-- The types that the server sends or knows, pseudo-types of functions, and their arrays.
WITH known AS (
  SELECT oid, typarray FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typname = ANY (
    '{bool,bytea,char,name,int8,int2,int2vector,int4,regproc,text,oid,xid,oidvector,json,pg_node_tree,jsonb,
      float4,float8,unknown,varchar,bpchar,date,time,timestamp,timestamptz,interval,numeric,uuid,inet,aclitem,
      regclass,regtype,regnamespace,regrole,record,cstring,any,anyarray,anyelement,void,trigger,event_trigger,internal}'::name[])
)
SELECT t.oid, typname, typlen, typbyval, typtype, typcategory, typispreferred, typdelim, typelem, typarray,
  typalign, typstorage, typcollation, typsubscript::oid, typinput::oid, typoutput::oid, typreceive::oid,
  typsend::oid, typmodin::oid, typmodout::oid
FROM pg_type t
WHERE t.oid IN (SELECT oid FROM known UNION SELECT typarray FROM known)
ORDER BY t.oid;
