{# Only days that got an event since the last run are counted anew: all of such a day, whenever its events came. #}
{{ config(materialized='incremental', unique_key='day', incremental_strategy='delete+insert') }}

with views as (
    select cast(happened_at at time zone 'UTC' as date) as day, visitor, loaded_at
    from {{ ref('stg_workflow_name__page_views') }}
)

select
    day,
    count(*) as views,
    count(distinct visitor) as visitors,
    max(loaded_at) as counted_until
from views
{% if is_incremental() %}
where day in (
    select day from views
    where loaded_at > (select coalesce(max(counted_until), timestamptz '1970-01-01') from {{ this }})
)
{% endif %}
group by day
