select
    coalesce(country, 'unknown') as country,
    count(*) as customers,
    count(email) as with_email,
    max(updated_at) as newest_change
from {{ source('raw_workflow_name', 'customers') }}
group by all
order by all
