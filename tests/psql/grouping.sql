-- Columns of groups, ordered by position.
select format('%s|%s', a, sum(b)) from (values ('x', 1), ('y', 2)) v(a, b) group by a order by 1 desc;
select upper(a), count(*) from (values ('x', 1), ('y', 2)) v(a, b) group by a order by 2, 1 desc;
select sum(b) + 1 from (values ('x', 1), ('y', 2)) v(a, b) group by a order by 1 desc;
select abs(sum(b)) from (values ('x', 1), ('y', 2)) v(a, b) order by 1;
