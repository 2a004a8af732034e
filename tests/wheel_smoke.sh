#!/usr/bin/env bash
# The main job with a built wheel, in an empty environment outside the checkout.  Usage: wheel_smoke.sh WHEEL
set -euo pipefail
wheel=$(realpath "$1")
locks=$(realpath requirements.txt)
uv=$(realpath .venv/bin/uv)
place=$(mktemp -d)
unset DATAFLOW_PROJECT_DIR PYTHONPATH
python3 -m venv "$place/venv"
"$uv" pip install --quiet --python "$place/venv/bin/python" --constraint "$locks" "$wheel"
export PATH="$place/venv/bin:$PATH"
cd "$place"
trap 'cd "$place/p" 2>/dev/null && dataflow down --quiet; rm -rf "$place"' EXIT
dataflow init p
cd p
dataflow up
dataflow workflow run nightscout
rows=$(dataflow data query "select count(*) as days from marts.nightscout_daily" --csv | tail -1 | tr -d '\r')
[[ $rows -gt 80 ]] || { echo "only $rows days"; exit 1; }
dataflow down
echo "wheel: the main job works, $rows days"
