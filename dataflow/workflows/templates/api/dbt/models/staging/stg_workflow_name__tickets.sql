select * from {{ source('raw_workflow_name', 'tickets') }}
