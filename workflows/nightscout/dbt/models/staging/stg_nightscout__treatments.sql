-- What the person did, on the wall clock. Two documents with the same time, kind and amounts are one event typed twice.
select
    id,
    event_type,
    created_at_utc,
    {{ to_local('created_at_utc') }} as created_at_local,
    carbs_g,
    insulin_units,
    duration_minutes,
    entered_by
from {{ source('raw_nightscout', 'treatments') }}
qualify row_number() over (partition by created_at_utc, event_type, carbs_g, insulin_units, duration_minutes order by id) = 1
