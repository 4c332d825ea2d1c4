"""SQLAlchemy's reflection and Core against PostgreSQL and against InfloWave.

Usage: sqlalchemy/client.py POSTGRES_URL INFLOWAVE_URL
"""

import sqlalchemy as sa

from both import compare


def calls(url):
    seen = []
    for driver in ("psycopg2", "psycopg", "pg8000"):
        engine = sa.create_engine(url.replace("postgres://", f"postgresql+{driver}://"))
        look = sa.inspect(engine)
        seen.append(("schemas", [s for s in look.get_schema_names() if s in ("public", "sales")]))
        # The views of a source are tables here.
        relations = sorted(look.get_table_names() + look.get_view_names())
        assert "customers" in relations, relations
        seen.append(("relations", relations, look.get_table_names(schema="sales")))
        for table in ("customers", 'Odd "name', "rich"):
            columns = look.get_columns(table)
            assert columns, table
            seen.append(
                (table, [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in columns])
            )
            seen.append(
                (
                    "constraints",
                    look.get_pk_constraint(table),
                    look.get_foreign_keys(table),
                    look.get_unique_constraints(table),
                    look.get_check_constraints(table),
                    look.get_indexes(table),
                    look.get_table_comment(table),
                )
            )
        seen.append(
            (
                "many",
                sorted(look.get_multi_columns(filter_names=["customers"]), key=str),
                look.get_multi_pk_constraint(filter_names=["customers"]),
                look.get_multi_foreign_keys(filter_names=["customers"]),
                look.get_multi_indexes(filter_names=["customers"]),
            )
        )
        seen.append(("others", look.get_sequence_names(), look.get_materialized_view_names()))
        seen.append(("types", look.get_enums(), look.get_domains()))
        seen.append(("has", look.has_table("customers"), look.has_table("nothing")))
        customers = sa.Table("customers", sa.MetaData(), autoload_with=engine)
        named = sa.select(customers.c.id).where(customers.c.name.startswith("A"))
        with engine.connect() as connection:
            assert connection.execute(named).all() == [(1,)]
            grouped = sa.select(sa.func.count(), sa.func.max(customers.c.balance))
            seen.append(("core", [tuple(r) for r in connection.execute(grouped)]))
            paged = sa.select(customers.c.id).order_by(customers.c.id).limit(2).offset(1)
            seen.append(("page", [tuple(r) for r in connection.execute(paged)]))
        engine.dispose()
    return seen


compare(calls, 30)
