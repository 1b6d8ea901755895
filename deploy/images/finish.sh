#!/bin/sh
# Finishes an image of ours while it is built:  finish.sh IMAGE MODULE
# Importing the module proves that all it needs is there. It also leaves the compiled modules of the standard library,
# which a container with a read-only root would else compile at every start and every health check.
set -eu

PYTHONDONTWRITEBYTECODE='' python -c "import $2, vigil.runtime.process.probe"
exec /tools/bin/sbom.py "$1"
