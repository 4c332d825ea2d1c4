// node-postgres: simple and prepared queries, several commands in one text, and its pool.
const { Client, Pool } = require('pg');

async function main() {
  const client = new Client({ connectionString: process.env.CORPUS_URL, application_name: 'node' });
  await client.connect();
  await client.query('select id, name, tags, balance, since from customers order by id');
  await client.query('select id, name from customers where id = $1 and name like $2', [1, 'A%']);
  await client.query({ name: 'by-id', text: 'select * from sales.orders where id = $1', values: [1] });
  await client.query({ name: 'by-id', text: 'select * from sales.orders where id = $1', values: [2] });
  await client.query({ text: 'select sku, price from sales.products order by sku', rowMode: 'array' });
  await client.query('select id from customers where id = any($1::int[]) order by id', [[1, 2]]);
  await client.query('select 1 as a; select 2 as b');
  await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query('select count(*) from sales.order_lines');
  await client.query('COMMIT');
  await client.query("select attributes->>'colour' as colour from sales.products order by sku");
  await client.query('LISTEN news');
  await client.query('UNLISTEN news');
  await client.end();
  const pool = new Pool({ connectionString: process.env.CORPUS_URL, statement_timeout: 10000 });
  await pool.query('select now() is not null as ok');
  await pool.query("select table_schema, table_name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2");
  await pool.end();
}
main().catch((error) => { console.error(error); process.exit(1); });
