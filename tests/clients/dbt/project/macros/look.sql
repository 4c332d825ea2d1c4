{# What a project's own macros ask of the adapter, a line of JSON each. #}
{% macro look() %}
  {% set items = adapter.get_relation(database=target.database, schema='shop', identifier='order_items') %}
  {% do tell('relation', [items.schema, items.identifier]) %}
  {% do tell('no relation', adapter.get_relation(database=target.database, schema='shop', identifier='nothing') is none) %}
  {% set columns = [] %}
  {% for column in adapter.get_columns_in_relation(source('shop', 'types')) %}
    {% do columns.append([column.name, column.data_type]) %}
  {% endfor %}
  {% do tell('columns', columns) %}
  {% do tell('schemas', [adapter.check_schema_exists(target.database, 'shop'), adapter.check_schema_exists(target.database, 'nothing')]) %}
  {% do tell('of a query', adapter.get_column_schema_from_query("select 1 as a, 'x'::text as b, 1.5::numeric(10, 2) as c") | map(attribute='data_type') | list) %}
  {% do tell('equals', run_query("select " ~ dbt.hash("'x'") ~ ", " ~ dbt.concat(["'a'", "'b'"]) ~ ", " ~ dbt.safe_cast("'2024-02-29'", "date"))[0].values() | map('string') | list) %}
{% endmacro %}

{% macro look_kinds() %}
  {% set found = [] %}
  {% for relation in postgres__list_relations_without_caching(api.Relation.create(database=target.database, schema='shop')).rows %}
    {% do found.append([relation[1], relation[3]]) %}
  {% endfor %}
  {% do tell('relations', found | sort) %}
{% endmacro %}

{% macro look_indexes() %}
  {% set found = [] %}
  {% for row in run_query(get_show_indexes_sql(source('shop', 'order_items'))).rows %}
    {% do found.append(row.values() | map('string') | list) %}
  {% endfor %}
  {% do tell('indexes', found | sort) %}
{% endmacro %}

{% macro tell(what, value) %}
  {% do log('told ' ~ tojson([what, value]), info=true) %}
{% endmacro %}
