-- The typical day of the last fourteen: percentiles by local hour, as the ambulatory glucose profile (AGP) draws them.
-- Fourteen days: Battelino et al. 2019 (see nightscout_daily).
select
    hour,
    count(*) as readings,
    round(quantile_cont(glucose_mgdl, 0.05), 0) as p05_mgdl,
    round(quantile_cont(glucose_mgdl, 0.25), 0) as p25_mgdl,
    round(quantile_cont(glucose_mgdl, 0.50), 0) as median_mgdl,
    round(quantile_cont(glucose_mgdl, 0.75), 0) as p75_mgdl,
    round(quantile_cont(glucose_mgdl, 0.95), 0) as p95_mgdl
from {{ ref('nightscout_readings') }}
where day > (select max(day) from {{ ref('nightscout_readings') }}) - 14
group by hour
order by hour
