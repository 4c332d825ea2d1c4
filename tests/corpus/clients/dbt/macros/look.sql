{% macro look() %}
  {% set orders = adapter.get_relation(database='corpus', schema='sales', identifier='orders') %}
  {% do adapter.get_columns_in_relation(orders) %}
  {% do adapter.check_schema_exists('corpus', 'sales') %}
  {% do postgres__list_relations_without_caching(api.Relation.create(database='corpus', schema='public')) %}
  {% do list_schemas('corpus') %}
  {% do postgres__get_relations() %}
  {% do run_query(get_show_grant_sql(orders)) %}
  {% do run_query(postgres__get_show_indexes_sql(orders)) %}
  {% do run_query("select " ~ dbt.date_trunc('month', 'placed') ~ " as m, count(*) from sales.orders group by 1 order by 1") %}
  {% do run_query("select " ~ dbt.datediff('placed', "timestamp '2025-01-01'", 'day') ~ " as d from sales.orders order by id") %}
  {% do run_query("select " ~ dbt.dateadd('day', 3, 'placed') ~ " as d, " ~ dbt.last_day('placed', 'month') ~ " as l, " ~ dbt.split_part("'a-b'", "'-'", 2) ~ " as s from sales.orders order by id") %}
  {% do run_query("select " ~ dbt.listagg('sku', "','", 'order by sku') ~ " as l, " ~ dbt.hash('order_id') ~ " as h from sales.order_lines group by order_id order by 1") %}
  {% do run_query(dbt.date_spine('day', "cast('2024-01-01' as date)", "cast('2024-01-05' as date)")) %}
{% endmacro %}
