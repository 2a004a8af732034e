select
    cast(measured_at at time zone 'UTC' as date) as day,
    place,
    count(*) as measurements,
    round(avg(value), 2) as mean_value
from {{ ref('stg_workflow_name__measurements') }}
group by all
order by all
