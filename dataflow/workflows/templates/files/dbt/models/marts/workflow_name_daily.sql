select
    cast(ordered_at at time zone 'UTC' as date) as day,
    count(*) as orders,
    count(distinct customer) as customers,
    round(sum(amount), 2) as amount
from {{ ref('stg_workflow_name__orders') }}
group by all
order by all
