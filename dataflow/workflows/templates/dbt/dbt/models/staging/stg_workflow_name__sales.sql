{# The seed stands in for your own table. For one that exists: declare it in a sources.yml, and read
   source('the_schema', 'the_table') here. #}
select
    sale_id,
    cast(sold_on as date) as sold_on,
    lower(trim(shop)) as shop,
    cast(amount as decimal(12, 2)) as amount
from {{ ref('workflow_name_sales') }}
where amount >= {{ var('smallest_amount') }}
