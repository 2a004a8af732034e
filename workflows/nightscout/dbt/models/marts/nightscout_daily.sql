-- One row per local day, days without a reading included: a gap is a finding, too.
--
-- Ranges and targets: Battelino T. et al., Clinical Targets for Continuous Glucose Monitoring Data Interpretation,
--   Diabetes Care 2019; 42(8):1593-1603. In range 70-180 mg/dL; below: level 1 54-69, level 2 < 54; above: level 1
--   181-250, level 2 > 250; coefficient of variation <= 36 %; at least 70 % of the expected readings.
-- GMI: Bergenstal R. M. et al., Glucose Management Indicator (GMI), Diabetes Care 2018; 41(11):2275-2280.
--   GMI (%) = 3.31 + 0.02392 x mean glucose in mg/dL. Meant for ten days or more: of a single day it is a hint.
-- Values converted from mmol/L have decimals, so the bounds are written without holes: 69.5 is below 70.
with readings as (
    select * from {{ ref('nightscout_readings') }}
),

days as (
    select cast(unnest(generate_series(min(day), max(day), interval 1 day)) as date) as day from readings
),

calendar as (
    -- A day has 23, 24 or 25 hours: it lasts from one local midnight to the next.
    select
        day,
        cast(
            date_diff(
                'minute',
                cast(day as timestamp) at time zone '{{ var("timezone") }}',
                cast(day + 1 as timestamp) at time zone '{{ var("timezone") }}'
            ) // {{ var("reading_minutes") }} as integer
        ) as expected_readings
    from days
),

glucose as (
    select
        day,
        count(*) as readings,
        avg(glucose_mgdl) as mean,
        stddev_samp(glucose_mgdl) as sd,
        min(glucose_mgdl) as lowest,
        max(glucose_mgdl) as highest,
        100.0 * count(*) filter (where glucose_range = 'very low') / count(*) as very_low,
        100.0 * count(*) filter (where glucose_range = 'low') / count(*) as low,
        100.0 * count(*) filter (where glucose_range = 'in range') / count(*) as in_range,
        100.0 * count(*) filter (where glucose_range = 'high') / count(*) as high,
        100.0 * count(*) filter (where glucose_range = 'very high') / count(*) as very_high
    from readings
    group by day
),

treatments as (
    select cast(created_at_local as date) as day, sum(carbs_g) as carbs_g, sum(insulin_units) as insulin_units
    from {{ ref('stg_nightscout__treatments') }}
    group by 1
)

select
    calendar.day,
    coalesce(glucose.readings, 0) as readings,
    calendar.expected_readings,
    round(100.0 * coalesce(glucose.readings, 0) / calendar.expected_readings, 1) as coverage_pct,
    coalesce(glucose.readings, 0) >= 0.7 * calendar.expected_readings as is_sufficient,
    round(glucose.mean, 1) as mean_mgdl,
    round(glucose.sd, 1) as sd_mgdl,
    round(3.31 + 0.02392 * glucose.mean, 2) as gmi_pct,
    round(100.0 * glucose.sd / glucose.mean, 1) as cv_pct,
    round(glucose.in_range, 2) as tir_pct,
    round(glucose.low + glucose.very_low, 2) as below_pct,
    round(glucose.high + glucose.very_high, 2) as above_pct,
    round(glucose.very_low, 2) as very_low_pct,
    round(glucose.low, 2) as low_pct,
    round(glucose.high, 2) as high_pct,
    round(glucose.very_high, 2) as very_high_pct,
    round(glucose.lowest, 0) as lowest_mgdl,
    round(glucose.highest, 0) as highest_mgdl,
    treatments.carbs_g,
    round(treatments.insulin_units, 2) as insulin_units
from calendar
left join glucose using (day)
left join treatments using (day)
order by calendar.day
