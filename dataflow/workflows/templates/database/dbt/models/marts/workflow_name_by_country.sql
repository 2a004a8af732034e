select
    coalesce(country, 'unknown') as country,
    count(*) as customers,
    count(email) as with_email,
    max(updated_at) as newest_change
from {{ ref('stg_workflow_name__customers') }}
group by all
order by all
