#!/usr/bin/env bash
# YARN and HDFS on this machine, for development: docs/cluster.md. `scripts/dev_cluster.sh --help` lists the commands.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PYTHONPATH=$ROOT exec python3 -m scripts.dev_cluster "$@"
