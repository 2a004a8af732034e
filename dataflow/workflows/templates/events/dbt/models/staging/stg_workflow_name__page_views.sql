select * from {{ source('raw_workflow_name', 'page_views') }}
