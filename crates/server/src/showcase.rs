//! The queries that `inflowave demo` runs, over the data that `demo_data` writes.
//!
//! Each joins both sources: `shop` is SQLite, `files` is a folder of Parquet and CSV. They
//! are plain PostgreSQL; only the three-part names are ours.

/// A query with what to say above it.
#[derive(Debug, Clone, Copy)]
pub struct Showcase {
    pub title: &'static str,
    /// One sentence.
    pub what: &'static str,
    pub sql: &'static str,
}

/// In the order in which to show them.
pub const SHOWCASE: &[Showcase] = &[
    Showcase {
        title: "Revenue by country and category",
        what: "SQLite joined to CSV; decimals add up to the cent, and the filter on dates runs in SQLite.",
        sql: "\
select c.country, p.category, count(*) as invoices, sum(i.amount) as revenue
from shop.main.invoices i
join shop.main.customers c on c.id = i.customer_id
join files.files.products p on p.sku = i.product_sku
where i.issued >= date '2025-01-01'
group by c.country, p.category
order by revenue desc",
    },
    Showcase {
        title: "The best customers of the wine cellar",
        what: "Top ten of a join across two sources, sorted by an exact sum.",
        sql: "\
select c.name, c.city, sum(i.quantity) as bottles, sum(i.amount) as revenue
from shop.main.customers c
join shop.main.invoices i on i.customer_id = c.id
join files.files.products p on p.sku = i.product_sku
where p.category = 'wine'
group by c.id, c.name, c.city
order by revenue desc, c.name
limit 10",
    },
    Showcase {
        title: "Months with a warm store, and what was sold from it",
        what: "Parquet, CSV and SQLite, each summed up first; Hive folders of other months are never opened.",
        sql: "\
with warm as (
    select r.site, r.month, count(*) as warm_hours, max(r.temperature) as warmest
    from files.files.readings r
    join files.files.sites s on s.site = r.site
    where r.month between '2025-02' and '2025-06'
        and r.temperature > s.max_temperature
        and r.sensor_id like '%01'
    group by r.site, r.month
), sold as (
    select p.site, extract(month from i.issued) as month, count(*) as invoices, sum(i.amount) as revenue
    from shop.main.invoices i
    join files.files.products p on p.sku = i.product_sku
    where i.issued between date '2025-02-01' and date '2025-06-30'
    group by p.site, extract(month from i.issued)
)
select w.site, w.month, w.warm_hours, w.warmest, s.invoices, s.revenue
from warm w
join sold s on s.site = w.site and s.month = cast(substring(w.month from 6) as integer)
order by w.month, w.site",
    },
    Showcase {
        title: "Sent on a warm day",
        what: "Three sources: invoices whose goods lay in a store that was too warm on the day of issue.",
        sql: "\
with warm_days as (
    select r.site, cast(r.ts as date) as day, max(r.temperature) as warmest
    from files.files.readings r
    join files.files.sites s on s.site = r.site
    where r.temperature > s.max_temperature
    group by r.site, cast(r.ts as date)
)
select w.day, w.site, w.warmest, i.id as invoice, c.name as customer, p.name as product, i.amount
from warm_days w
join files.files.products p on p.site = w.site
join shop.main.invoices i on i.product_sku = p.sku and i.issued = w.day
join shop.main.customers c on c.id = i.customer_id
order by i.amount desc, i.id
limit 10",
    },
    Showcase {
        title: "Overdue invoices",
        what: "Arithmetic on dates and a boolean column of SQLite, grouped by a column of CSV.",
        sql: "\
select p.category,
    count(*) as overdue,
    sum(i.amount) as amount,
    max(date '2025-06-30' - i.due) as days_at_most
from shop.main.invoices i
join files.files.products p on p.sku = i.product_sku
where not i.paid and i.due < date '2025-06-30'
group by p.category
order by amount desc",
    },
    Showcase {
        title: "The three best products of each category",
        what: "A window function over sums of a join across sources.",
        sql: "\
select category, place, name, revenue
from (
    select p.category, p.name, sum(i.amount) as revenue,
        row_number() over (partition by p.category order by sum(i.amount) desc, p.name) as place
    from shop.main.invoices i
    join files.files.products p on p.sku = i.product_sku
    group by p.category, p.name
) as ranked
where place <= 3
order by category, place",
    },
    Showcase {
        title: "Revenue by quarter, running",
        what: "A running total: an aggregate inside a window, over dates cut to quarters.",
        sql: "\
select p.category,
    date_trunc('quarter', cast(i.issued as timestamp)) as quarter,
    sum(i.amount) as revenue,
    sum(sum(i.amount)) over (
        partition by p.category
        order by date_trunc('quarter', cast(i.issued as timestamp))
    ) as so_far
from shop.main.invoices i
join files.files.products p on p.sku = i.product_sku
where p.category in ('cheese', 'fish')
group by p.category, date_trunc('quarter', cast(i.issued as timestamp))
order by p.category, quarter",
    },
    Showcase {
        title: "Never sold",
        what: "An anti-join: products in the CSV list that no invoice in SQLite names.",
        sql: "\
select p.sku, p.name, p.unit_price
from files.files.products p
where not exists (select 1 from shop.main.invoices i where i.product_sku = p.sku)
order by p.sku",
    },
    Showcase {
        title: "Customers with an Ł who buy chocolate",
        what: "Text is compared by code point, letters beyond ASCII too, whatever the source thinks of them.",
        sql: "\
select c.name, c.city, count(distinct i.product_sku) as kinds, min(i.issued) as first_bought
from shop.main.customers c
join shop.main.invoices i on i.customer_id = c.id
where c.name like '%Ł%'
    and i.product_sku in (select sku from files.files.products where category = 'chocolate')
group by c.id, c.name, c.city
order by kinds desc, c.name, c.id
limit 8",
    },
    Showcase {
        title: "Share of each segment in each category",
        what: "Division of exact decimals, rounded as PostgreSQL rounds.",
        sql: "\
select p.category, c.segment,
    round(100.0 * sum(i.amount) / sum(sum(i.amount)) over (partition by p.category), 2) as percent
from shop.main.invoices i
join shop.main.customers c on c.id = i.customer_id
join files.files.products p on p.sku = i.product_sku
where c.country = 'DE'
group by p.category, c.segment
order by p.category, percent desc",
    },
    Showcase {
        title: "Sensors that fail",
        what: "NULL is not a temperature: missing readings, the mean of the others, and customers to visit nearby.",
        sql: "\
select s.city, r.sensor_id,
    count(*) - count(r.temperature) as missing,
    round(cast(avg(r.temperature) as numeric), 1) as mean,
    max(near.customers) as customers_nearby
from files.files.readings r
join files.files.sites s on s.site = r.site
left join (
    select city, count(*) as customers
    from shop.main.customers
    group by city
) as near on near.city = s.city
where r.month = '2025-06'
group by s.city, r.sensor_id
having count(*) - count(r.temperature) > 0
order by missing desc, r.sensor_id
limit 6",
    },
    Showcase {
        title: "Above the mean of their country",
        what: "A correlated subquery over customers, joined to the stores in the customers' own cities.",
        sql: "\
with spent as (
    select c.id, c.name, c.city, c.country, sum(i.amount) as total
    from shop.main.customers c
    join shop.main.invoices i on i.customer_id = c.id
    group by c.id, c.name, c.city, c.country
)
select a.name, a.city, s.site as store, a.total
from spent a
join files.files.sites s on s.city = a.city
where a.total > (select 2 * avg(b.total) from spent b where b.country = a.country)
order by a.total desc
limit 8",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_crosses_sources() {
        assert!(SHOWCASE.len() >= 10);
        for query in SHOWCASE {
            for catalog in ["shop.main.", "files.files."] {
                assert!(query.sql.contains(catalog), "{}: {catalog}", query.title);
            }
            assert!(query.what.ends_with('.'), "{}", query.title);
        }
    }
}
