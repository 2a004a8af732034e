-- Sensor readings only, with the wall clock beside UTC and the five-minute slot each belongs to.
select
    id,
    measured_at_utc,
    {{ to_local('measured_at_utc') }} as measured_at_local,
    time_bucket(interval '{{ var("reading_minutes") }} minutes', measured_at_utc) as slot_utc,
    glucose_mgdl,
    direction,
    device
from {{ source('raw_nightscout', 'entries') }}
where type = 'sgv'
