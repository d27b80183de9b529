#!/usr/bin/env bash
# Sets up everything in this checkout: .venv with the locked packages, and the jar. Does nothing where nothing changed.
#
#   scripts/setup.sh                 what the local engine and the tests need
#   scripts/setup.sh --with bench    extras of setup.py besides (comma-separated)
#
# The lock is made by: uv pip compile setup.py --extra local --extra test --extra bench --generate-hashes \
#   --python-version 3.11 --no-annotate --no-emit-index-url -o requirements.lock
set -euo pipefail
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
EXTRAS=local,test
if [ "${1:-}" = --with ]; then EXTRAS="$EXTRAS,${2:?--with needs the name of an extra}"; fi
started=$SECONDS

say() { printf 'setup: %s\n' "$*"; }

phase() { # phase NAME COMMAND…: run it, its output shown only when it fails
    local name=$1 begun=$SECONDS log
    shift
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1; then
        say "$name failed:"
        tail -n 40 "$log" >&2
        exit 1
    fi
    rm -f "$log"
    say "$name: $((SECONDS - begun)) s"
}

need_packages() { # install Debian packages, or say which are missing
    local root=()
    if [ "$(id -u)" != 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            say "please install these packages and start again: apt-get install $*" >&2
            exit 2
        fi
        root=(sudo)
    fi
    phase "apt-get update" "${root[@]}" apt-get update -q
    phase "apt-get install $*" "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$@"
}

python_311() {
    local candidate
    for candidate in python3.11 python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

jdk_17() { # a home with javac 17: Spark 3.5 does not run on 21, which may be the default
    local home
    for home in "${JAVA_HOME:-}" /usr/lib/jvm/java-17-openjdk-* /usr/lib/jvm/*17*; do
        if [ -x "$home/bin/javac" ] && "$home/bin/javac" -version 2>&1 | grep -q '^javac 17'; then
            echo "$home"
            return
        fi
    done
    return 1
}

missing=()
python_311 >/dev/null || missing+=(python3 python3-venv)
jdk_17 >/dev/null || missing+=(openjdk-17-jdk-headless)
command -v gradle >/dev/null || missing+=(gradle)
if [ ${#missing[@]} -gt 0 ]; then need_packages "${missing[@]}"; fi
python=$(python_311) || { say "Python 3.11 is needed, and this system's packages have another: install python3.11" >&2; exit 2; }
JAVA_HOME=$(jdk_17)
export JAVA_HOME

environment=$(cat requirements.lock setup.py pyproject.toml <(echo "$EXTRAS" && "$python" --version) | sha256sum | cut -c1-16)
if [ "$(cat .venv/textmill.stamp 2>/dev/null)" != "$environment" ]; then
    uv=$(command -v uv || true)
    if [ -z "$uv" ]; then
        [ -x .venv-uv/bin/uv ] || phase "uv $UV_VERSION" sh -c "'$python' -m venv .venv-uv && .venv-uv/bin/pip install -q uv==$UV_VERSION"
        uv=$PWD/.venv-uv/bin/uv
    fi
    [ -x .venv/bin/python ] || phase "new .venv" "$uv" venv -q --python "$python" .venv
    wanted=$(mktemp)
    # Only what is asked for is installed; versions and hashes are those of the lock.
    phase "choosing from the lock" sh -c "'$uv' pip compile -q setup.py $(printf -- '--extra %s ' ${EXTRAS//,/ }) \
        --constraint requirements.lock --python-version 3.11 --generate-hashes --no-annotate --no-header -o '$wanted'"
    phase "packages" "$uv" pip install -q --python .venv/bin/python --require-hashes -r "$wanted"
    rm -f "$wanted"
    phase "textmill itself" "$uv" pip install -q --python .venv/bin/python --no-deps -e .
    echo "$environment" >.venv/textmill.stamp
fi

spark=$(.venv/bin/python -c 'import importlib.util as u; print(u.find_spec("pyspark").submodule_search_locations[0])')
sources=$(find build.gradle settings.gradle src/main/java -type f -print0 | sort -z | xargs -0 cat | cat - "$spark/version.py" | sha256sum | cut -c1-16)
if [ "$(cat build/textmill.stamp 2>/dev/null)" != "$sources" ] || [ ! -f build/libs/textmill.jar ]; then
    phase "jar" gradle --no-daemon -q jar "-PsparkJars=$spark/jars"
    echo "$sources" >build/textmill.stamp
fi
say "ready after $((SECONDS - started)) s: .venv/bin/textmill"
