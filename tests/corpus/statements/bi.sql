-- Power BI (through Npgsql) and Tableau (through psqlODBC or pgjdbc): what their published connectors
-- and support pages show that they ask beyond their drivers, written anew.
-- session
select character_set_name from INFORMATION_SCHEMA.character_sets

select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME

select COLUMN_NAME, ORDINAL_POSITION, IS_NULLABLE, case when (data_type like '%unsigned%') then DATA_TYPE || ' unsigned' else DATA_TYPE end as DATA_TYPE from INFORMATION_SCHEMA.columns where TABLE_SCHEMA = 'public' and TABLE_NAME = 'customers' order by TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION

select i.CONSTRAINT_SCHEMA || '_' || i.CONSTRAINT_NAME as INDEX_NAME, ii.COLUMN_NAME, ii.ORDINAL_POSITION, case when i.CONSTRAINT_TYPE = 'PRIMARY KEY' then 'Y' else 'N' end as PRIMARY_KEY from INFORMATION_SCHEMA.table_constraints i inner join INFORMATION_SCHEMA.key_column_usage ii on i.CONSTRAINT_SCHEMA = ii.CONSTRAINT_SCHEMA and i.CONSTRAINT_NAME = ii.CONSTRAINT_NAME and i.TABLE_SCHEMA = ii.TABLE_SCHEMA and i.TABLE_NAME = ii.TABLE_NAME where i.TABLE_SCHEMA = 'sales' and i.TABLE_NAME = 'orders' and i.CONSTRAINT_TYPE in ('PRIMARY KEY', 'UNIQUE') order by i.CONSTRAINT_SCHEMA || '_' || i.CONSTRAINT_NAME, ii.TABLE_SCHEMA, ii.TABLE_NAME, ii.ORDINAL_POSITION

select pkcol.COLUMN_NAME as PK_COLUMN_NAME, fkcol.TABLE_SCHEMA AS FK_TABLE_SCHEMA, fkcol.TABLE_NAME AS FK_TABLE_NAME, fkcol.COLUMN_NAME as FK_COLUMN_NAME, fkcol.ORDINAL_POSITION as ORDINAL, fkcon.CONSTRAINT_SCHEMA || '_' || fkcol.TABLE_NAME || '_' || 'customers' || '_' || fkcon.CONSTRAINT_NAME as FK_NAME from (select distinct constraint_catalog, constraint_schema, unique_constraint_schema, constraint_name, unique_constraint_name from INFORMATION_SCHEMA.referential_constraints) fkcon inner join INFORMATION_SCHEMA.key_column_usage fkcol on fkcon.CONSTRAINT_SCHEMA = fkcol.CONSTRAINT_SCHEMA and fkcon.CONSTRAINT_NAME = fkcol.CONSTRAINT_NAME inner join INFORMATION_SCHEMA.key_column_usage pkcol on fkcon.UNIQUE_CONSTRAINT_SCHEMA = pkcol.CONSTRAINT_SCHEMA and fkcon.UNIQUE_CONSTRAINT_NAME = pkcol.CONSTRAINT_NAME where pkcol.TABLE_SCHEMA = 'public' and pkcol.TABLE_NAME = 'customers' and pkcol.ORDINAL_POSITION = fkcol.ORDINAL_POSITION order by FK_NAME, fkcol.ORDINAL_POSITION

select "$Table"."id" as "id", "$Table"."name" as "name", "$Table"."balance" as "balance" from "public"."customers" "$Table" limit 1000

select "_"."status", count(1) as "c0", sum("_"."weight") as "a0" from (select "_"."status", "_"."weight" from "sales"."orders" "_" where "_"."weight" > 1) "_" group by "_"."status" limit 1000001

SELECT SUM(1) AS "cnt:orders:ok", "orders"."status" AS "status" FROM "sales"."orders" "orders" GROUP BY 2

SELECT CAST(EXTRACT(YEAR FROM "orders"."placed") AS BIGINT) AS "yr:placed:ok", AVG("orders"."weight") AS "avg:weight:ok" FROM "sales"."orders" "orders" INNER JOIN "public"."customers" "customers" ON ("orders"."customer_id" = "customers"."id") GROUP BY 1 HAVING (COUNT(1) > 0)

SELECT "t0"."name" AS "name", (CASE WHEN ("t0"."balance" > 0) THEN 'plus' WHEN NOT ("t0"."balance" > 0) THEN 'minus' ELSE NULL END) AS "calc" FROM (SELECT * FROM "public"."customers") "t0" ORDER BY "name" NULLS FIRST LIMIT 100

SELECT DATE_TRUNC( 'MONTH', CAST("orders"."placed" AS TIMESTAMP) ) AS "tmn:placed:ok", COUNT(DISTINCT "orders"."customer_id") AS "ctd" FROM "sales"."orders" "orders" WHERE (("orders"."placed" >= (TIMESTAMP '2024-01-01 00:00:00.000')) AND ("orders"."placed" <= (TIMESTAMP '2024-12-31 23:59:59.000'))) GROUP BY 1

BEGIN

SELECT 1 AS "COL" FROM (SELECT 1 AS "x") "SUBQUERY" GROUP BY 1 HAVING COUNT(1)>0

SELECT "COL" FROM (SELECT 1 AS "COL") AS "CHECKTOP" LIMIT 1

DECLARE "SQL_CUR1" CURSOR FOR SELECT "customers"."name" AS "name" FROM "public"."customers" "customers" ORDER BY 1

FETCH 2048 IN "SQL_CUR1"

CLOSE "SQL_CUR1"

COMMIT
