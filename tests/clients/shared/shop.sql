-- What the clients of known.py look at: a small shop with keys, indexes, a view and comments, and one
-- table with a column of every type, beside the tables of tests/e2e.

create schema shop;
comment on schema shop is 'What is sold to whom';

create table shop.customers (
    id integer primary key,
    email varchar(80) not null unique,
    name text not null,
    country char(2) not null,
    joined date not null,
    active boolean not null
);
comment on table shop.customers is 'Who buys';
comment on column shop.customers.email is 'Where bills are sent';

create table shop.orders (
    id bigint primary key,
    customer_id integer not null references shop.customers (id),
    ordered_at timestamptz not null,
    note text
);
create index orders_customer on shop.orders (customer_id);

create table shop.order_items (
    order_id bigint not null references shop.orders (id) on delete cascade,
    line smallint not null,
    product text not null,
    quantity integer not null check (quantity > 0),
    price numeric(12, 2) not null,
    primary key (order_id, line)
);
create index order_items_product on shop.order_items (product, quantity desc);

create view shop.order_totals as
    select o.id, o.customer_id, sum(i.quantity * i.price)::numeric(14, 2) as total
    from shop.orders o join shop.order_items i on i.order_id = o.id
    group by o.id, o.customer_id;
comment on view shop.order_totals is 'What an order costs';

create table shop."Odd Names" ("Key" integer primary key, "select" text, "a ""b""" text);

insert into shop.customers values
    (1, 'ann@example.com', 'Ann', 'PL', '2023-01-31', true),
    (2, 'bob@example.com', 'Bob', 'DE', '2024-02-29', false),
    (3, 'zoe@example.com', 'Zoë O''Hara', 'PL', '2024-12-31', true);
insert into shop.orders values
    (10, 1, '2024-03-01 09:30:00+00', null),
    (11, 1, '2024-03-01 23:59:59.999999+00', 'gift'),
    (12, 2, '2024-03-02 00:00:00+00', ''),
    (9000000000, 3, '2024-03-05 12:00:00+00', 'last');
insert into shop.order_items values
    (10, 1, 'tea', 2, 4.50), (10, 2, 'cup', 1, 12.00), (11, 1, 'tea', 10, 4.25),
    (12, 1, 'pot', 1, 99.99), (9000000000, 1, 'cup', 3, 11.00);
insert into shop."Odd Names" values (1, 'one', 'x'), (2, null, 'y');

-- One column of each type that both sides have, a row of common values, one of edges, one of NULLs.
-- The values of char(n) fill it: that we give none of its trailing blanks is a listed difference.
create table shop.types (
    id integer primary key,
    c_bool boolean,
    c_int2 smallint,
    c_int4 integer,
    c_int8 bigint,
    c_float4 real,
    c_float8 double precision,
    c_numeric numeric(20, 5),
    c_text text,
    c_varchar varchar(20),
    c_char char(5),
    c_bytea bytea,
    c_date date,
    c_time time,
    c_timestamp timestamp,
    c_timestamptz timestamptz,
    c_interval interval,
    c_uuid uuid,
    c_json json,
    c_jsonb jsonb,
    c_ints integer[],
    c_texts text[]
);
insert into shop.types values
    (1, true, 1, 2, 3, 1.5, 2.25, 12345.67890, 'text', 'varchar', 'chars', '\x00ff27', '2024-02-29',
     '12:34:56.789', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789+00', '1 mon 2 days 03:04:05.6',
     'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1}', '{"b": [true, null]}', '{1,NULL,3}', '{a,"b c",NULL}'),
    (2, false, -32768, -2147483648, -9223372036854775808, 'NaN', '-Infinity', -0.00001, '', 'łąka', 'ąćęłó',
     '\x', '1969-12-31', '00:00:00', '1969-12-31 23:59:59.999999', '1969-12-31 23:59:59.999999+00', '-1 days',
     '00000000-0000-0000-0000-000000000000', '[]', '{}', '{}', '{}');
insert into shop.types (id) values (3);

-- What a dashboard draws: a point each ten minutes for two sensors, one value missing.
create table shop.readings (
    at timestamptz not null,
    epoch bigint not null,
    sensor text not null,
    value double precision
);
insert into shop.readings
    select timestamptz '2024-03-01 00:00:00+00' + n * interval '10 minutes',
           extract(epoch from timestamptz '2024-03-01 00:00:00+00')::bigint + n * 600,
           s.sensor,
           case when n <> 7 then n * s.factor end
    from generate_series(0, 35) n, (values ('a', 1.0), ('b', 0.5)) s (sensor, factor);

create table shop.big as
    select n as id, 'row ' || n as label from generate_series(1, 5000) n;
alter table shop.big add primary key (id);
