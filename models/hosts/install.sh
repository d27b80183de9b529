#!/usr/bin/env bash
# Installs what training a bundle needs into a virtual environment, on a host or into an image:
#   bash install.sh gpu|cpu FOLDER
# gpu wants NVIDIA's driver, and CUDA 12.5's nvcc and headers to compile Horovod (CUDA_HOME, else /usr/local/cuda);
# both want Python 3.11 with its headers and g++. Everything is checked against the hashes of the lock files beside this.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
case ${1:-} in gpu | cpu) kind=$1 ;; *) sed -n '2,5s/^# //p' "$0" >&2; exit 2 ;; esac
folder=${2:?a folder for the virtual environment}

python3.11 -m venv "$folder"
pip=("$folder/bin/python" -m pip install -q --disable-pip-version-check --require-hashes --no-deps)
"${pip[@]}" -r "$here/$kind.lock"

export PATH=$folder/bin:$PATH MAKEFLAGS=${MAKEFLAGS:--j$(nproc)}
export HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITH_GLOO=1 HOROVOD_WITHOUT_MPI=1 HOROVOD_WITHOUT_PYTORCH=1 HOROVOD_WITHOUT_MXNET=1
if [ "$kind" = gpu ]; then
    # The NCCL that TensorFlow itself uses, whose package lacks the name that linkers look for.
    nccl=$("$folder/bin/python" -c 'import nvidia.nccl; print(nvidia.nccl.__path__[0])')
    ln -sf libnccl.so.2 "$nccl/lib/libnccl.so"
    export HOROVOD_GPU_OPERATIONS=NCCL HOROVOD_NCCL_HOME=$nccl HOROVOD_NCCL_LINK=SHARED
    export HOROVOD_CUDA_HOME=${CUDA_HOME:-/usr/local/cuda}
fi
"${pip[@]}" --no-build-isolation --no-binary horovod -r "$here/horovod.lock"
"$folder/bin/python" -c 'import horovod.tensorflow as hvd; print("gloo", hvd.gloo_built(), "nccl", bool(hvd.nccl_built()))'
