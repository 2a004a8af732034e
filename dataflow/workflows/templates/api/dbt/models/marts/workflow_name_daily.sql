select
    cast(created_at at time zone 'UTC' as date) as day,
    count(*) as tickets,
    count(*) filter (where state = 'closed') as closed,
    round(sum(hours), 2) as hours
from {{ ref('stg_workflow_name__tickets') }}
group by all
order by all
