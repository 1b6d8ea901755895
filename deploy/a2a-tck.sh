#!/usr/bin/env bash
# Fetches A2A's compatibility kit, which no registry has:  a2a-tck.sh FOLDER UV
# It lands in FOLDER/a2a-tck, what it needs in FOLDER/a2a-venv. Fails where its repository cannot be reached.
set -euo pipefail

folder=$1 uv=$2
commit=357c4a87afa2818731590647cccbea31c31733a2 # of the branch 1.0-dev
kit=$folder/a2a-tck

if [ ! -e "$kit/run_tck.py" ]; then
  rm -rf "$kit"
  git init --quiet "$kit"
  GIT_TERMINAL_PROMPT=0 git -C "$kit" fetch --quiet --depth 1 https://github.com/a2aproject/a2a-tck "$commit"
  git -C "$kit" checkout --quiet FETCH_HEAD
fi
"$uv" venv --quiet --allow-existing "$folder/a2a-venv"
"$uv" pip install --quiet --python "$folder/a2a-venv/bin/python" 'pytest>=9' pytest-asyncio pytest-html httpx grpcio protobuf \
  googleapis-common-protos jsonschema gherkin-official Jinja2
