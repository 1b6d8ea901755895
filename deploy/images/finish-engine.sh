#!/bin/sh
# Finishes the image of the engine while it is built:  finish-engine.sh MODEL WARM
# It starts the engine once and lets WARM ask it for one turn with a picture. That proves that it serves, and leaves the
# compiled modules of all that this takes: a container with a read-only root would else compile them at every start.
set -eu

export PYTHONDONTWRITEBYTECODE='' VIGIL_ENGINE_IMAGES_GB=1
log=/tmp/engine.log
/opt/vigil/serve.sh "$1" >"$log" 2>&1 &
engine=$!
tries=300
until python "$2" "$(basename "$1")" 2>/dev/null; do
  tries=$((tries - 1))
  if [ $tries = 0 ] || ! kill -0 $engine 2>/dev/null; then
    tail -n 50 "$log"
    exit 1
  fi
  sleep 1
done
python /opt/vigil/probe.py http://127.0.0.1:8000/health
kill $engine
wait $engine || true
rm -rf /tmp/* /root/.cache
