-- Every reading is below, in or above the range: the three shares, and the five behind them, make 100 %.
select day, tir_pct, below_pct, above_pct
from {{ ref('nightscout_daily') }}
where readings > 0
  and (
    abs(below_pct + tir_pct + above_pct - 100) > 0.05
    or abs(very_low_pct + low_pct + tir_pct + high_pct + very_high_pct - 100) > 0.05
  )
