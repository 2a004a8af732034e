select
    sold_on as day,
    shop,
    count(*) as sales,
    sum(amount) as amount
from {{ ref('stg_workflow_name__sales') }}
group by all
order by all
