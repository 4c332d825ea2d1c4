-- Writes keywords.tsv: psql -X -A -t -F '\t' -f keywords.sql against PostgreSQL 15.
SELECT word, catcode, barelabel, catdesc, baredesc FROM pg_get_keywords() ORDER BY word;
