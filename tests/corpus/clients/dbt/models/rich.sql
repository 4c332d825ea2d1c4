{{ config(materialized='ephemeral') }}
select id, name, balance from {{ source('shop', 'customers') }} where balance > 0
