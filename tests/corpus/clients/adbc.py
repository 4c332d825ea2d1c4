"""ADBC PostgreSQL: its type table, objects at each depth, schemas, statistics, and binary COPY."""

import os

import adbc_driver_postgresql.dbapi as adbc

with adbc.connect(os.environ["CORPUS_URL"]) as connection:
    for depth in ("catalogs", "db_schemas", "tables", "all"):
        connection.adbc_get_objects(depth=depth).read_all()
    connection.adbc_get_objects(depth="all", catalog_filter="corpus", db_schema_filter="sales",
                                table_name_filter="ord%", column_name_filter="%id").read_all()
    connection.adbc_get_objects(depth="tables", db_schema_filter="public", table_types_filter=["table", "view"]).read_all()
    connection.adbc_get_table_types()
    connection.adbc_get_info()
    connection.adbc_get_table_schema("customers")
    connection.adbc_get_table_schema("orders", db_schema_filter="sales")
    connection.adbc_current_catalog, connection.adbc_current_db_schema
    try:
        connection.adbc_get_statistics(db_schema_filter="public", approximate=True).read_all()
    except Exception as error:  # A driver without it sends nothing.
        print(error)
    with connection.cursor() as cursor:
        cursor.execute("select id, name, balance, since, active from customers order by id")
        cursor.fetch_arrow_table()
        cursor.execute("select id, name from customers where id = $1", (1,))
        cursor.fetch_arrow_table()
        cursor.execute("select * from sales.orders order by id")
        cursor.fetch_arrow_table()
        cursor.execute("select tags, feeling, mail from customers order by id")
        cursor.fetch_arrow_table()
        cursor.adbc_execute_schema("select 1 as a, 'x' as b")
    connection.rollback()
