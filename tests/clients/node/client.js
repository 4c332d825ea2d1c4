// node-postgres against PostgreSQL and against InfloWave: the same calls give the same values.
//
// Usage: client.js POSTGRES_URL INFLOWAVE_URL
const assert = require("node:assert");
const { Client } = require("pg");
const Cursor = require("pg-cursor");
const QueryStream = require("pg-query-stream");
const { to } = require("pg-copy-streams");

async function calls(url) {
  const client = new Client({ connectionString: url });
  await client.connect();
  const seen = [];
  const all = await client.query("select * from customers order by id");
  seen.push([all.rows, all.fields.map((f) => [f.name, f.dataTypeID, f.dataTypeModifier])]);
  const one = await client.query("select name from customers where id = $1", [2]);
  assert.deepStrictEqual(one.rows, [{ name: "Béla" }]);
  for (const id of [1, 3]) {
    const named = { name: "named", text: "select id from customers where id > $1 order by id" };
    seen.push((await client.query({ ...named, values: [id] })).rows);
  }
  seen.push((await client.query("select id from customers where id = any($1)", [[1, 4]])).rows);
  const cursor = client.query(new Cursor("select id from customers order by id"));
  seen.push([await cursor.read(3), await cursor.read(3), await cursor.read(3)]);
  await cursor.close();
  let rows = 0;
  for await (const row of client.query(new QueryStream("select n from generate_series(1, 2500) g(n)"))) {
    rows += row.n > 0 ? 1 : 0;
  }
  assert.strictEqual(rows, 2500);
  const chunks = [];
  const copied = "copy (select id, name, note from customers order by id) to stdout with (format csv, header)";
  for await (const chunk of client.query(to(copied))) chunks.push(chunk);
  seen.push(Buffer.concat(chunks).toString());
  for (const sql of ["select 1 / 0", "selct 1", "select nothing from customers", "select * from nothing"]) {
    seen.push(await client.query(sql).then(() => "no error", (e) => [e.code, e.severity]));
  }
  await client.query("begin");
  await client.query("select 1 / $1::int", [0]).catch((e) => seen.push(e.code));
  await client.query("select 1").catch((e) => seen.push(e.code));
  await client.query("rollback");
  const several = await client.query("select 1 as a; select 2 as b");
  seen.push(several.map((r) => r.rows));
  await client.end();
  return seen;
}

(async () => {
  const [postgres, inflowave] = process.argv.slice(2);
  const expected = await calls(postgres);
  assert.ok(expected.length >= 12, `${expected.length}`);
  assert.deepStrictEqual(await calls(inflowave), expected);
  console.log(`${expected.length} results are the same`);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
