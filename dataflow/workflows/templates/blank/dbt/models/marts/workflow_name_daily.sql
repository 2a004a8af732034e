select
    cast(measured_at at time zone 'UTC' as date) as day,
    place,
    count(*) as measurements,
    round(avg(value), 2) as mean_value
from {{ source('raw_workflow_name', 'measurements') }}
group by all
order by all
