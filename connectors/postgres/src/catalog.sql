-- One table with its columns; a row per column, one row with NULLs for a table without columns, no
-- row if there is no such table. $1 is the schema, $2 the table.
WITH RECURSIVE wanted AS (
    SELECT c.oid, c.relkind
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
), family (oid) AS (
    -- The table with its partitions or children, from all of which it is read.
    SELECT oid FROM wanted
    UNION
    SELECT i.inhrelid FROM pg_inherits i JOIN family f ON i.inhparent = f.oid
), part AS (
    SELECT c.relkind, c.relpages,
           CASE
               WHEN c.relkind = 'p' THEN 0
               WHEN c.relkind = 'v' THEN NULL
               WHEN c.reltuples > 0 THEN c.reltuples
               -- Not analyzed, or empty then: empty now if its file is.
               WHEN c.relkind <> 'f' AND pg_relation_size(c.oid) = 0 THEN 0
           END AS rows
    FROM family f
    JOIN pg_class c ON c.oid = f.oid
), size AS (
    SELECT CASE WHEN bool_and(rows IS NOT NULL) THEN sum(rows) END AS rows,
           CASE WHEN bool_and(rows IS NOT NULL)
                THEN sum(relpages::int8) * current_setting('block_size')::int8 END AS bytes,
           -- Nobody checks the constraints of a foreign table.
           bool_or(relkind = 'f') AS trusts_others
    FROM part
)
SELECT a.attname::text AS name,
       a.attnotnull AND w.relkind <> 'v' AND NOT size.trusts_others AS not_null,
       base.oid::int8 AS type_oid,
       base.typname::text AS type_name,
       base.typmod AS typmod,
       format_type(base.oid, base.typmod) AS spelled,
       element.oid::int8 AS element_oid,
       element.typname::text AS element_name,
       a.attcollation <> 0 AS collatable,
       CASE WHEN co.collprovider = 'd' THEN coalesce(to_jsonb(d) ->> 'datlocprovider', 'c')
            ELSE co.collprovider::text END AS provider,
       CASE WHEN co.collprovider = 'd'
            THEN CASE WHEN coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c'
                      THEN d.datcollate::text ELSE to_jsonb(d) ->> 'datlocale' END
            ELSE coalesce(to_jsonb(co) ->> 'colllocale', co.collcollate::text) END AS locale,
       co.collprovider = 'd' OR co.collisdeterministic AS deterministic,
       pg_encoding_to_char(d.encoding)::text AS encoding,
       size.rows::float8 AS rows,
       size.bytes::float8 AS bytes
FROM wanted w
CROSS JOIN size
JOIN pg_database d ON d.datname = current_database()
LEFT JOIN pg_attribute a ON a.attrelid = w.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN LATERAL (
    -- The type under all domains.
    WITH RECURSIVE under (oid, typmod) AS (
        SELECT a.atttypid, a.atttypmod
        UNION ALL
        SELECT t.typbasetype, t.typtypmod
        FROM under u JOIN pg_type t ON t.oid = u.oid WHERE t.typtype = 'd'
    )
    SELECT t.oid, u.typmod, t.typname, t.typelem, t.typlen, t.typarray
    FROM under u JOIN pg_type t ON t.oid = u.oid WHERE t.typtype <> 'd'
) base ON true
LEFT JOIN LATERAL (
    -- The type of an array's elements, likewise; int2vector and its like are no arrays to us.
    WITH RECURSIVE under (oid) AS (
        SELECT base.typelem
        WHERE base.typelem <> 0 AND base.typlen = -1 AND base.typarray = 0
        UNION ALL
        SELECT t.typbasetype FROM under u JOIN pg_type t ON t.oid = u.oid WHERE t.typtype = 'd'
    )
    SELECT t.oid, t.typname
    FROM under u JOIN pg_type t ON t.oid = u.oid WHERE t.typtype <> 'd'
) element ON true
ORDER BY a.attnum
