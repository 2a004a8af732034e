#!/usr/bin/env bash
# The main job with a built wheel, in an empty environment outside the checkout: as plain processes, and where a Docker
# Engine answers in containers, whose image is built from the installed release.  Usage: wheel_smoke.sh WHEEL
set -euo pipefail
wheel=$(realpath "$1")
locks=$(realpath requirements.txt)
uv=$(realpath .venv/bin/uv)
place=$(mktemp -d)
unset DATAFLOW_PROJECT_DIR PYTHONPATH
python3 -m venv "$place/venv"
"$uv" pip install --quiet --python "$place/venv/bin/python" --constraint "$locks" "$wheel"
export PATH="$place/venv/bin:$PATH"

leave() {
  for engine in native docker; do
    if cd "$place/$engine" 2>/dev/null; then
      DATAFLOW_ENGINE=$engine dataflow down --volumes --yes --no-snapshot --quiet || true
    fi
  done
  cd / && rm -rf "$place"
}
trap leave EXIT

main_job() { # ENGINE [OPTION OF UP…]
  local engine=$1 rows
  export DATAFLOW_ENGINE=$engine
  cd "$place"
  dataflow init "$engine"
  cd "$engine"
  dataflow up "${@:2}"
  dataflow workflow run nightscout
  rows=$(dataflow data query "select count(*) as days from marts.nightscout_daily" --csv | tail -1 | tr -d '\r')
  [[ $rows -gt 80 ]] || { echo "only $rows days"; exit 1; }
  dataflow down
  echo "wheel, $engine: the main job works, $rows days"
}

main_job native
if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
  main_job docker --build
fi
