"""SQLAlchemy's reflection through three drivers: inspector and MetaData.reflect."""

import os

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql  # noqa: F401

TABLES = {"customers", "order_lines", "products", "measurements", "rich"}
url = os.environ["CORPUS_URL"].replace("postgres://", "")
for driver in ("psycopg", "psycopg2", "pg8000"):
    engine = sa.create_engine(f"postgresql+{driver}://{url}")
    inspector = sa.inspect(engine)
    inspector.default_schema_name
    for schema in (None, "sales", *inspector.get_schema_names()[:1]):
        names = inspector.get_table_names(schema=schema)
        views = inspector.get_view_names(schema=schema)
        inspector.get_materialized_view_names(schema=schema)
        inspector.get_temp_table_names() if schema is None else None
        inspector.get_sequence_names(schema=schema)
        inspector.get_enums(schema=schema)
        inspector.get_domains(schema=schema)
        if schema == "information_schema":
            continue
        # One of each kind: what is sent for the others differs in the name alone.
        for name in sorted(TABLES & set(names + views)):
            for about in (
                inspector.get_columns, inspector.get_pk_constraint, inspector.get_foreign_keys,
                inspector.get_indexes, inspector.get_unique_constraints, inspector.get_check_constraints,
                inspector.get_table_comment, inspector.get_table_options,
            ):
                about(name, schema=schema)
        for name in views:
            inspector.get_view_definition(name, schema=schema)
        for name in ("customers", "nosuch"):
            inspector.has_table(name, schema=schema)
            inspector.has_index(name, "i", schema=schema) if name == "customers" and not schema else None
            inspector.has_sequence(name + "_id_seq", schema=schema)
        inspector.has_schema(schema or "public")
        inspector.dialect.has_type(engine.connect(), "mood", schema=schema) if driver == "psycopg" else None
        meta = sa.MetaData()
        meta.reflect(engine, schema=schema, views=True)
    inspector.get_multi_columns(schema="sales", kind=sa.engine.reflection.ObjectKind.ANY)
    inspector.get_foreign_table_names()
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        connection.get_isolation_level()
        table = sa.Table("customers", sa.MetaData(), autoload_with=connection)
        query = sa.select(table.c.id, sa.func.upper(table.c.name)).where(table.c.balance > 1).order_by(table.c.id)
        connection.execute(query.limit(10).offset(0)).all()
        orders = sa.Table("orders", sa.MetaData(), autoload_with=connection, schema="sales", resolve_fks=False)
        joined = sa.select(table.c.name, sa.func.count().label("n")).join(orders, orders.c.customer_id == table.c.id)
        connection.execute(joined.group_by(table.c.name).order_by(sa.desc("n"))).all()
    engine.dispose()
