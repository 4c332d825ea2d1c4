"""asyncpg: introspection of types by OID, cursors, COPY, reset of pooled connections."""

import asyncio
import io
import os

import asyncpg


async def main():
    url = os.environ["CORPUS_URL"]
    connection = await asyncpg.connect(url)
    await connection.fetch("select id, mail, feeling, home, tags from customers order by id")
    await connection.fetch("select $1::public.mood, $2::public.span", "ok", asyncpg.Range(1, 2))
    await connection.fetch("select c from public.customers c order by id")
    await connection.fetch("select array['ok'::public.mood], '{}'::public.email[]")
    await connection.fetch("select margin, attributes from sales.products where price > $1 order by sku", 1)
    await connection.set_type_codec("jsonb", encoder=str, decoder=str, schema="pg_catalog")
    await connection.set_builtin_type_codec("mood", schema="public", codec_name="text")
    await connection.reload_schema_state()
    await connection.fetch("select feeling from customers order by id")
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        async for _ in connection.cursor("select id from customers order by id", prefetch=2):
            pass
        async with connection.transaction():
            await connection.fetchval("select count(*) from sales.orders where customer_id = $1", 1)
    statement = await connection.prepare("select * from sales.orders where id = $1 and placed > $2::timestamp")
    statement.get_attributes(), statement.get_parameters()
    await connection.execute("select 1; select 2")
    await connection.copy_from_query("select id, name from customers order by id", output=io.BytesIO(), format="csv")
    await connection.copy_from_table("orders", schema_name="sales", output=io.BytesIO(), format="binary")
    await connection.add_listener("news", lambda *a: None)
    await connection.remove_listener("news", lambda *a: None)
    await connection.execute("select pg_advisory_lock_shared(1)")
    await connection.reset()
    await connection.close()
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        async with pool.acquire() as pooled:
            await pooled.fetchval("select 1")
    connection = await asyncpg.connect(url, server_settings={"jit": "on"})
    await connection.execute("set search_path = sales, public")
    await connection.fetch("select title, feeling from products, customers order by 1, 2")
    await connection.close()


asyncio.run(main())
