-- Writes rows.tsv: psql -X -q -A -t -F '\t' -P null='\N' -f rows.sql against PostgreSQL 15.
-- Rows of catalogs that are the same in every database; functions are given as their OIDs.
SELECT 'pg_am', oid, amname, amhandler::oid, amtype FROM pg_am WHERE oid < 16384 ORDER BY oid;
SELECT 'pg_cast', oid, castsource, casttarget, castfunc::oid, castcontext, castmethod
FROM pg_cast WHERE oid < 16384 ORDER BY oid;
SELECT 'pg_opclass', oid, opcmethod, opcname, opcnamespace, 10, opcfamily, opcintype, opcdefault, opckeytype
FROM pg_opclass WHERE opcnamespace = 11 ORDER BY oid;
SELECT 'pg_operator', oid, oprname, oprnamespace, 10, oprkind, oprcanmerge, oprcanhash, oprleft, oprright,
  oprresult, oprcom, oprnegate, oprcode::oid, oprrest::oid, oprjoin::oid
FROM pg_operator WHERE oprnamespace = 11 ORDER BY oid;
SELECT 'pg_opfamily', oid, opfmethod, opfname, opfnamespace, 10 FROM pg_opfamily WHERE opfnamespace = 11 ORDER BY oid;
SELECT 'pg_range', rngtypid, rngsubtype, rngmultitypid, rngcollation, rngsubopc, rngcanonical::oid, rngsubdiff::oid
FROM pg_range WHERE rngtypid < 16384 ORDER BY rngtypid;
