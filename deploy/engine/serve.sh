#!/usr/bin/env bash
# Serve a model directory with stock vLLM on the CPU:
#   deploy/engine/serve.sh MODEL_DIR [NAME] [more vLLM flags]
# Variables (all optional): VIGIL_ENGINE_HOST (127.0.0.1), VIGIL_ENGINE_PORT (8000), VIGIL_ENGINE_PYTHON (the engine
# environment's), VIGIL_ENGINE_THREADS (1), VIGIL_ENGINE_KV_GB (1: keys and values), VIGIL_ENGINE_IMAGES_GB (4: pictures
# remembered by UUID). The name that clients ask for is NAME, or the directory's own. Requests may be gzip.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
model="${1:?usage: serve.sh MODEL_DIR [NAME] [more vLLM flags]}"
[ -f "$model/config.json" ] || { echo "serve.sh: $model is not a model directory (no config.json in it)" >&2; exit 2; }
name="${2:-$(basename "$model")}"
shift $(($# > 2 ? 2 : $#))

python="${VIGIL_ENGINE_PYTHON:-$here/../../.venv-engine/bin/python}"
[ -x "$python" ] || { echo "serve.sh: no engine environment at $python: run deploy/engine/install.sh" >&2; exit 2; }

export VLLM_CPU_KVCACHE_SPACE="${VIGIL_ENGINE_KV_GB:-1}"
export VLLM_CPU_OMP_THREADS_BIND=nobind   # share the cores with the services instead of pinning them
# A small model is slower on more threads as soon as anything else runs: each layer then waits for the slowest of them.
export OMP_NUM_THREADS="${VIGIL_ENGINE_THREADS:-1}"
export PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
export VLLM_NO_USAGE_STATS=1 HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1

# The model runs in the scheduler's process. In vLLM's default for the CPU (`mp`) both processes spin for a second after
# each message: a session that ticks every second then occupies two cores for nothing. vLLM replaces the short name
# `uni` by `mp` there, so its class is named; the one thread that is set above is what `mp` is for.
in_process=vllm.v1.executor.uniproc_executor.UniProcExecutor

# A processor without instructions for bfloat16 converts each number: float32 takes two thirds of the time there.
dtype=float32
if grep -qwE 'avx512_bf16|amx_bf16|bf16' /proc/cpuinfo 2>/dev/null; then dtype=bfloat16; fi

flags=(
  --model "$model" --served-model-name "$name"
  --host "${VIGIL_ENGINE_HOST:-127.0.0.1}" --port "${VIGIL_ENGINE_PORT:-8000}"
  --dtype "$dtype" --enforce-eager
  --distributed-executor-backend "$in_process"
  --block-size 32                                            # smallest on the CPU: least of the prefix is computed anew
  --middleware vigil_gunzip.Gunzip
  --enable-prefix-caching --enable-chunked-prefill
  --enable-prompt-tokens-details                             # the client reads how much the prefix cache served
  --limit-mm-per-prompt '{"image":256,"video":0}'
  --mm-processor-cache-gb "${VIGIL_ENGINE_IMAGES_GB:-4}"     # pictures named by UUID live here
)
exec "$python" -m vllm.entrypoints.openai.api_server "${flags[@]}" "$@"
