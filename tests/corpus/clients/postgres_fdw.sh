#!/bin/sh
# postgres_fdw in a second database of the same server: what it sends to the first one.
set -eu
psql -X -q -d postgres -c 'drop database if exists corpus_fdw' -c 'create database corpus_fdw'
psql -X -q -v ON_ERROR_STOP=1 -d corpus_fdw >/dev/null <<SQL
create extension postgres_fdw;
create type mood as enum ('sad', 'ok', 'happy');
create type address as (street text, city text, zip varchar(10));
create domain email as text;
create domain percentage as numeric(5,2);
create server there foreign data wrapper postgres_fdw
    options (host '$PGHOST', port '$PGPORT', dbname 'corpus', use_remote_estimate 'true', fetch_size '2');
create server plain foreign data wrapper postgres_fdw options (host '$PGHOST', port '$PGPORT', dbname 'corpus');
create user mapping for current_user server there options (user '$PGUSER', password 'none', password_required 'false');
create user mapping for current_user server plain options (user '$PGUSER', password_required 'false');
create schema a; create schema b; create schema c;
import foreign schema public from server there into a options (import_default 'true');
import foreign schema sales except (turnover) from server there into b;
import foreign schema sales limit to (orders, products) from server plain into c options (import_collate 'false', import_not_null 'false');
select * from a.customers order by id;
select id, name from a.customers where id = 1 and lower(name) = 'ada' and since > date '2020-01-01';
select count(*), sum(quantity) from b.order_lines;
select o.customer_id, count(*) from b.orders o join b.order_lines l on l.order_id = o.id group by 1 having count(*) > 0;
select p.title from b.products p where exists (select 1 from b.order_lines l where l.sku = p.sku) order by p.title limit 1;
select c.name from a.customers c left join b.orders o on o.customer_id = c.id where o.id is null;
select * from c.orders where placed > timestamp '2024-01-10' and reference is null order by id;
select sku, price * 2 from c.products where price between 1 and 10 and sku in ('b2', 'w1');
select distinct status from c.orders;
begin isolation level repeatable read; select count(*) from a.measurements; savepoint s; select max(value) from a.measurements; commit;
prepare p(int) as select name from a.customers where id = \$1; execute p(1); execute p(2);
analyze b.products;
analyze c.orders;
SQL
psql -X -q -d postgres -c 'drop database corpus_fdw with (force)'
