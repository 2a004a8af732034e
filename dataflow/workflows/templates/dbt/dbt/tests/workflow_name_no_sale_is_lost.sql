{# A test of several models is a check of the one that is named here. #}
{{ config(meta={'dagster': {'ref': {'name': 'workflow_name_daily'}}}) }}

-- A test passes when it finds no row.
select sales.amount, days.amount
from (select sum(amount) as amount from {{ ref('stg_workflow_name__sales') }}) as sales,
     (select sum(amount) as amount from {{ ref('workflow_name_daily') }}) as days
where sales.amount is distinct from days.amount
