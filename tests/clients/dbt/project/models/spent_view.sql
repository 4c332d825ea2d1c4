{{ config(materialized='view') }}
select c.name, sum(l.amount) as spent
from {{ ref('lines') }} l join {{ source('shop', 'customers') }} c on c.id = l.customer_id
group by c.name
