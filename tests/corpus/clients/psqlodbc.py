"""psqlODBC through pyodbc: the catalog functions of ODBC, with cursors and prepared statements both ways."""

import os
import urllib.parse

import pyodbc

parts = urllib.parse.urlsplit(os.environ["CORPUS_URL"])
for options in ("", "UseDeclareFetch=1;Fetch=2;", "UseServerSidePrepare=0;", "ShowSystemTables=1;RowVersioning=1;ShowOidColumn=1;"):
    connection = pyodbc.connect(
        "Driver={PostgreSQL Unicode};"
        f"Server={parts.hostname};Port={parts.port};Database=corpus;Uid={parts.username};{options}", autocommit=True)
    cursor = connection.cursor()
    calls = [
        lambda: cursor.tables(),
        lambda: cursor.tables(catalog="%", schema="", table=""),
        lambda: cursor.tables(catalog="", schema="%", table=""),
        lambda: cursor.tables(schema="public", table="cust%"),
        lambda: cursor.tables(schema="sales", tableType="TABLE"),
        lambda: cursor.tables(tableType="VIEW,MATVIEW"),
        lambda: cursor.tables(tableType="SYSTEM TABLE"),
        lambda: cursor.columns(table="customers"),
        lambda: cursor.columns(schema="sales", table="%", column="id"),
        lambda: cursor.columns(schema="sales", table="orders"),
        lambda: cursor.primaryKeys("customers"),
        lambda: cursor.primaryKeys("order_lines", schema="sales"),
        lambda: cursor.foreignKeys(table="orders", schema="sales"),
        lambda: cursor.foreignKeys(foreignTable="orders", foreignSchema="sales"),
        lambda: cursor.foreignKeys(table="orders", schema="sales", foreignTable="order_lines", foreignSchema="sales"),
        lambda: cursor.statistics("customers", schema="public"),
        lambda: cursor.statistics("customers", schema="public", unique=True),
        lambda: cursor.rowIdColumns("customers"),
        lambda: cursor.rowVerColumns("customers"),
        lambda: cursor.procedures(),
        lambda: cursor.procedures(schema="public", procedure="add%"),
        lambda: cursor.procedureColumns(schema="public", procedure="add_tax"),
        lambda: cursor.procedureColumns(schema="public"),
        lambda: cursor.getTypeInfo(),
        lambda: cursor.execute("select id, name, balance, since, seen from customers order by id"),
        lambda: cursor.execute("select id, name from customers where id = ? and name like ?", 1, "A%"),
        lambda: cursor.execute("select * from sales.orders where placed > ?", "2024-01-01"),
        lambda: cursor.execute("select {fn ucase(name)}, {fn length(name)} from customers order by id"),
        lambda: cursor.execute("select mail, feeling, tags, note from customers order by id"),
    ]
    for call in calls:
        call()
        cursor.fetchall()
    connection.close()
    connection = pyodbc.connect(
        "Driver={PostgreSQL ANSI};"
        f"Server={parts.hostname};Port={parts.port};Database=corpus;Uid={parts.username};{options}")
    cursor = connection.cursor()
    cursor.execute("select count(*) from customers where active = ?", True)
    cursor.fetchall()
    connection.rollback()
    connection.close()
