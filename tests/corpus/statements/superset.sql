-- Apache Superset (apache/superset, superset/db_engine_specs/postgres.py and models/sql_lab; Apache-2.0):
-- what it adds to SQLAlchemy's reflection, which the client sqlalchemy records: engine probes, time
-- grains, the wrapping of users' SQL in virtual tables, limits, cost estimates.
-- session
SELECT 1

SELECT datname FROM pg_database WHERE datistemplate = false

set search_path = "public"

SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%' ORDER BY nspname

SELECT version()

EXPLAIN SELECT id, name FROM public.customers WHERE balance > 0

SELECT *
FROM public.customers
LIMIT 1001

SELECT id, name, balance FROM (
SELECT id, name, balance FROM public.customers WHERE active
) AS virtual_table
LIMIT 1000

SELECT DATE_TRUNC('day', placed) AS placed, COUNT(*) AS count FROM sales.orders WHERE placed >= TO_TIMESTAMP('2024-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') AND placed < TO_TIMESTAMP('2025-01-01 00:00:00.000000', 'YYYY-MM-DD HH24:MI:SS.US') GROUP BY DATE_TRUNC('day', placed) ORDER BY count DESC
LIMIT 10000

SELECT TO_TIMESTAMP(floor(extract(epoch FROM placed) / 5) * 5) AS t FROM sales.orders ORDER BY 1

SELECT DATE_TRUNC('week', placed) AS w, sum(weight) AS "SUM(weight)" FROM sales.orders GROUP BY DATE_TRUNC('week', placed) ORDER BY "SUM(weight)" DESC NULLS LAST LIMIT 100

SELECT min(placed), max(placed) FROM sales.orders

SELECT DISTINCT name AS column_values FROM public.customers LIMIT 1000

SELECT c.name AS name, sum(l.quantity) AS "SUM(quantity)" FROM public.customers c JOIN sales.orders o ON o.customer_id = c.id JOIN sales.order_lines l ON l.order_id = o.id WHERE c.name IN ('Ada', 'Bob') OR c.name ILIKE '%c%' GROUP BY c.name ORDER BY "SUM(quantity)" DESC LIMIT 50

SELECT pg_backend_pid()
