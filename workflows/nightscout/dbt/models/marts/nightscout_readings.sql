-- One reading per slot. A sensor speaks once in five minutes: whatever else lies in the slot is the same reading again,
-- under another _id or from a second uploader. A reading with a known device wins, then the earliest.
select
    slot_utc,
    measured_at_utc,
    measured_at_local,
    cast(measured_at_local as date) as day,
    hour(measured_at_local) as hour,
    glucose_mgdl,
    round(glucose_mgdl / 18.018, 1) as glucose_mmol,
    case
        when glucose_mgdl < 54 then 'very low'
        when glucose_mgdl < 70 then 'low'
        when glucose_mgdl <= 180 then 'in range'
        when glucose_mgdl <= 250 then 'high'
        else 'very high'
    end as glucose_range,
    direction,
    device
from {{ ref('stg_nightscout__entries') }}
qualify row_number() over (partition by slot_utc order by device is null, measured_at_utc, id) = 1
order by slot_utc
