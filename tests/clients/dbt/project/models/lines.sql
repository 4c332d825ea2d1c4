{{ config(materialized='ephemeral') }}
select i.order_id, i.line, i.product, i.quantity * i.price as amount, o.customer_id
from {{ source('shop', 'order_items') }} i
join {{ source('shop', 'orders') }} o on o.id = i.order_id
