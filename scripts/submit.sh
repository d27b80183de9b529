#!/usr/bin/env bash
# Runs the command line on YARN: docs/cluster.md. `scripts/submit.sh --help` lists the options.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH} exec "$ROOT/.venv/bin/python" -m scripts.submit "$@"
