#!/usr/bin/env bash
# Make the engine environment (vLLM and torch for the CPU), or do nothing when it is as it should be.
#   deploy/engine/install.sh [DIRECTORY]        default: .venv-engine at the top of the repository
# TORCH_INDEX_URL: an index with CPU builds of torch (default: PyTorch's own; set it empty to use only what pip is
# configured with). PYTHON: a Python 3.11 or newer to build on (default: the workspace's, else python3).
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${1:-$here/../../.venv-engine}"
workspace_python="$here/../../.venv/bin/python"
python="${PYTHON:-$([ -x "$workspace_python" ] && echo "$workspace_python" || echo python3)}"
torch_index="${TORCH_INDEX_URL-https://download.pytorch.org/whl/cpu}"
stamp="$target/.vigil-installed"
wanted="$(cat "$here"/{requirements.txt,constraints.txt,install.sh} | sha256sum | cut -d' ' -f1)"

say() { echo "==> engine: $*"; }
die() { echo "install.sh: $*" >&2; exit 1; }

if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  say "environment is up to date"
  exit 0
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  die "$python is no Python 3.11 or newer: set PYTHON to one"
free_gb="$(df -Pk "$(dirname "$target")" | awk 'NR == 2 { print int($4 / 1048576) }')"
[ -d "$target" ] || [ "$free_gb" -ge 8 ] || die "8 GB of disk are needed for the engine, ${free_gb} GB are free"

if [ ! -x "$target/bin/pip" ]; then
  say "1/4 making $target"
  "$python" -m venv "$target" 2>/dev/null || { rm -rf "$target"; uv venv --seed --python "$python" "$target"; } ||
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

say "2/4 installing torch and vLLM (about 1 GB to download, a few minutes)"
"${pip[@]}" install --progress-bar on --no-compile "${extra[@]}" \
  -r "$here/requirements.txt" -c "$here/constraints.txt" || die "pip failed: see above; run this again to go on"

# vLLM names these two as dependencies and uses neither for text and pictures; their default builds need CUDA.
say "3/4 removing what needs CUDA"
"${pip[@]}" uninstall --quiet --yes torchaudio torchcodec 2>/dev/null

say "4/4 checking"
site="$("$target/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
rm -f "$site"/vigil_torchvision_shim.{py,pth}
if ! "$target/bin/python" -c 'import torchvision' 2>/dev/null; then
  cp "$here/vigil_torchvision_shim.py" "$site/"
  echo 'import vigil_torchvision_shim' >"$site/vigil_torchvision_shim.pth"
fi
"$target/bin/python" - <<'CHECK' || die "the environment does not import: remove $target and run this again"
import warnings

warnings.simplefilter("ignore")
import torch
import torchvision
import transformers
import vllm

print(f"    torch {torch.__version__}, vllm {vllm.__version__}, transformers {transformers.__version__}")
CHECK
echo "$wanted" >"$stamp"
say "ready in $target"
