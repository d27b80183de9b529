#!/usr/bin/env bash
# Prepares this checkout: .venv from requirements.lock, build/libs/textmill.jar by Gradle, and an archive of the classes
# that Spark's JVM loads, by which it starts in half the time.
# Run it as often as you like: what is current stays, what a cut-off run left behind is made anew.
# Outside the checkout it leaves only Debian packages and the caches of uv and Gradle.
set -euo pipefail

# What --with installs from the lock, besides `local` and `test`, which are always there.
OFFERED='bench tensorflowonspark bigdl hdfs s3 s3test yarn sklearn serve sweep mlflow'

usage() {
    cat <<TEXT
usage: scripts/setup.sh [--with EXTRA[,EXTRA…]] [--horovod] [--lock [UV OPTION…]]

  --with   also install Python packages: ${OFFERED// /, };
           browser: Debian's chromium and its driver, which the tests marked "browser" steer;
           horovod: compiled here against the TensorFlow of .venv, minutes once, by Debian's cmake and g++.
           What was asked for once stays: later calls need not repeat it. To be rid of it, remove .venv.
  --horovod  short for --with horovod
  --lock   write requirements.lock anew from setup.py and requirements.overrides, keeping versions that still fit;
           "--lock --upgrade" takes the newest. Installs nothing.

Exit 0 done, 1 a phase failed (its output is shown), 2 something is missing that only you can provide.
TEXT
}

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$ROOT"
CACHE=.cache
LOG=$CACHE/setup.log
JAR=build/libs/textmill.jar
VENV_STAMP=.venv/textmill.stamp
JAR_STAMP=build/textmill-jar.stamp
CLASSES_STAMP=build/textmill-classes.stamp
ASKED=$CACHE/extras
# Horovod is published as source alone and compiled against the TensorFlow of .venv, so it is not in the lock. 0.28.1 is its
# last release, and the only one that knows TensorFlow 2.18. Gloo needs nothing but TCP between the hosts.
HOROVOD='horovod==0.28.1 --hash=sha256:92a43f5a94c43907a56805bad15f19700c62ffc83b7ca483f9e104e229f67ef0'
HOROVOD_SETTINGS=(HOROVOD_WITH_TENSORFLOW=1 HOROVOD_WITH_GLOO=1 HOROVOD_WITHOUT_MPI=1 HOROVOD_WITHOUT_PYTORCH=1
    HOROVOD_WITHOUT_MXNET=1)
HOROVOD_STAMP=.venv/horovod.stamp
# The uv that is fetched where PATH has none, or one too old to check hashes given as constraints.
UV_OLDEST=0.7.0
UV_PINNED='uv==0.13.9
    --hash=sha256:d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19
    --hash=sha256:ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375'
export LC_ALL=C.UTF-8 UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH

say() { printf 'setup: %s\n' "$*"; }

missing() {
    printf 'setup: %s\n' "$@" >&2
    exit 2
}

# phase TITLE COMMAND…: one line with its seconds; the end of the output where it fails.
phase() {
    local title=$1 start=$SECONDS status
    shift
    printf 'setup: %s … ' "$title"
    # Not `if command`: that would switch off `set -e` inside the functions called here.
    set +e
    (
        set -e
        "$@"
    ) >"$LOG" 2>&1 </dev/null 9>&-
    status=$?
    set -e
    if ((status)); then
        printf 'failed\n'
        tail -n 30 "$LOG" >&2
        printf 'setup: failed: %s (exit %d; all of its output: %s). Run it again once the cause is gone.\n' \
            "$title" "$status" "$ROOT/$LOG" >&2
        exit 1
    fi
    printf '%d s\n' $((SECONDS - start))
}

parse() {
    EXTRAS=() BROWSER='' LOCK=''
    local words=() word
    while (($#)); do
        case $1 in
            --with) [ $# -ge 2 ] || { usage >&2; exit 2; }; words+=("${2//,/ }"); shift 2 ;;
            --with=*) word=${1#*=}; words+=("${word//,/ }"); shift ;;
            --horovod) words+=(horovod); shift ;;
            --lock) LOCK=yes; shift; LOCK_OPTIONS=("$@"); break ;;
            -h | --help) usage; exit 0 ;;
            *) printf 'setup: unknown option %s\n' "$1" >&2; usage >&2; exit 2 ;;
        esac
    done
    for word in ${words[*]-}; do
        case " local test browser $OFFERED horovod " in
            *" $word "*) ;;
            *) missing "--with $word: there is no such extra (${OFFERED// /, }, browser, horovod)" ;;
        esac
        case $word in
            local | test) ;;
            browser) BROWSER=yes ;;
            *) EXTRAS+=("$word") ;;
        esac
    done
}

# --- what is there -----------------------------------------------------------------------------------------------

find_python() {
    local name base='import sys; assert sys.version_info[:2] == (3, 11); print(sys._base_executable)'
    for name in python3.11 python3 python; do
        # The base interpreter: in an activated environment the name stands for that environment's.
        PYTHON=$("$name" -c "$base" 2>/dev/null) && return
    done
    PYTHON=''
    return 1
}

# Major version of the JDK or JRE in a folder, from its `release` file: starting it takes a quarter of a second.
java_major() { sed -n 's/^JAVA_VERSION="\(1\.\)\{0,1\}\([0-9]*\).*/\2/p' "$1/release" 2>/dev/null; }

java_on_path() {
    local java
    java=$(command -v java) && java=$(readlink -f "$java") && printf '%s' "${java%/bin/java}"
}

# Sets JAVA_HOME to a JDK 17, else 11: Spark 3.5 knows 8, 11 and 17, and Lucene in the jar needs 11.
find_jdk() {
    local wanted home homes
    homes=("${JAVA_HOME:-}" "$(java_on_path)" /usr/lib/jvm/* /opt/*jdk* /opt/java/* "${HOME:-}"/.sdkman/candidates/java/*)
    for wanted in 17 11; do
        for home in "${homes[@]}"; do
            if [ -x "$home/bin/javac" ] && [ "$(java_major "$home")" = "$wanted" ]; then
                export JAVA_HOME=$home
                return
            fi
        done
    done
    return 1
}

find_uv() {
    local uv version
    for uv in "$(command -v uv)" "$CACHE/uv/bin/uv"; do
        version=$("$uv" --version 2>/dev/null | cut -d' ' -f2) || continue
        if [ -n "$version" ] && printf '%s\n' "$UV_OLDEST" "$version" | sort -CV; then
            UV=$uv
            return
        fi
    done
    return 1
}

packages_wanted() {
    if ! find_python; then
        printf 'python3.11-venv '
    elif ! find_uv && ! "$PYTHON" -c 'import ensurepip' 2>/dev/null; then
        printf 'python3.11-venv '
    fi
    find_jdk || printf 'openjdk-17-jdk-headless '
    command -v gradle >/dev/null || printf 'gradle '
    command -v ps >/dev/null || printf 'procps ' # Spark's start scripts call it
    # A driver steers the one version of chromium that it was built with.
    if [ -n "$BROWSER" ] && ! { command -v chromium && command -v chromedriver; } >/dev/null; then
        printf 'chromium chromium-driver '
    fi
    if wants_horovod && ! compgen -G "$(horovod_wheels)/*.whl" >/dev/null; then
        command -v cmake >/dev/null || printf 'cmake '
        command -v g++ >/dev/null || printf 'g++ '
        command -v make >/dev/null || printf 'make '
    fi
}

# --- Debian packages ---------------------------------------------------------------------------------------------

may_sudo() { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }

system_packages() {
    local wanted as_root=()
    read -ra wanted <<<"$(packages_wanted)" || true
    ((${#wanted[@]})) || return 0
    if ((EUID)); then as_root=(sudo); fi
    if ! command -v apt-get >/dev/null; then
        missing "missing here: ${wanted[*]} (Debian's names; this system has no apt-get)" "install them, then run this again"
    elif ((EUID)) && ! may_sudo; then
        missing "missing here, and installing needs root: ${wanted[*]}" \
            "run as root: apt-get install -y ${wanted[*]}" "then run this again"
    fi
    phase "Debian packages ${wanted[*]}" apt_install "${as_root[@]}" -- "${wanted[@]}"
    find_python || missing "no Python 3.11 in PATH (python3.11, or python3 of that version)"
    find_jdk || missing "no JDK 17 found: install openjdk-17-jdk-headless or set JAVA_HOME"
}

# apt_install [sudo] -- PACKAGE…
apt_install() {
    local as_root=()
    if [ "$1" = sudo ]; then as_root=(sudo -n); shift; fi
    shift
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}

# --- Python ------------------------------------------------------------------------------------------------------

venv_key() {
    printf '%s\n' "$ROOT" "${EXTRAS[*]-}" "$(.venv/bin/python -V)"
    sha256sum requirements.lock requirements.overrides setup.py textmill/__init__.py
}

venv_current() {
    [ -x .venv/bin/textmill ] && [ -f "$VENV_STAMP" ] && [ "$(venv_key | sha256sum)" = "$(cat "$VENV_STAMP")" ]
}

fetch_uv() {
    rm -rf "$CACHE/uv"
    "$PYTHON" -m venv "$CACHE/uv"
    printf '%s\n' "${UV_PINNED//$'\n'/ }" >"$CACHE/uv.txt"
    "$CACHE/uv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --require-hashes -r "$CACHE/uv.txt"
}

need_uv() {
    find_uv && return
    phase "uv, as there is none in PATH" fetch_uv
    find_uv
}

install_python() {
    local extras
    extras=$(printf ',%s' local test "${EXTRAS[@]}")
    extras=${extras//,horovod/}
    # No stamp, no telling what a cut-off run left: anew. Otherwise only what differs is replaced.
    if [ ! -f "$VENV_STAMP" ] || ! grep -qsF "$ROOT/" .venv/bin/textmill ||
        [[ $(.venv/bin/python -V 2>&1) != "Python 3.11."* ]]; then
        "$UV" venv -q --clear --python "$PYTHON" .venv
    fi
    rm -f "$VENV_STAMP"
    # An editable requirement has no hash, so --require-hashes cannot be asked for; uv checks every hash of a
    # constraint, and the lock constrains everything, also what builds the package.
    # Compiled now: where PYTHONDONTWRITEBYTECODE is set, as in many containers, each import of TensorFlow takes 13 s else.
    "$UV" pip install -q --compile-bytecode --python .venv/bin/python --editable ".[${extras#,}]" \
        --constraints requirements.lock --build-constraints requirements.lock --overrides requirements.overrides
    venv_key | sha256sum >"$VENV_STAMP.new"
    mv "$VENV_STAMP.new" "$VENV_STAMP"
}

write_lock() {
    local extra options=()
    for extra in local test $OFFERED; do options+=(--extra "$extra"); done
    # Without annotations and index lines: the file says what, not from where. horovod is left out because it is
    # compiled here, against the installed TensorFlow.
    "$UV" pip compile -q setup.py "${options[@]}" --overrides requirements.overrides --python-version 3.11 \
        --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links \
        --custom-compile-command "scripts/setup.sh --lock" --output-file requirements.lock "$@"
    write_host_locks
}

# What exported bundles bring for the machines that train: x86-64 Linux of 2018 or later.
write_host_locks() {
    local options=(--constraints requirements.lock --python-version 3.11 --python-platform x86_64-manylinux_2_28
        --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --no-header)
    "$UV" pip compile -q requirements.hosts "${options[@]}" --output-file models/hosts/gpu.lock
    sed 's/tensorflow\[and-cuda\]/tensorflow-cpu/' requirements.hosts >"$CACHE/hosts-cpu"
    "$UV" pip compile -q "$CACHE/hosts-cpu" "${options[@]}" --overrides requirements.overrides --output-file models/hosts/cpu.lock
    sed -n 's/.*"\(horovod==[^"]*\)".*/\1/p' setup.py >"$CACHE/hosts-horovod"
    "$UV" pip compile -q "$CACHE/hosts-horovod" "${options[@]}" --no-deps --output-file models/hosts/horovod.lock
}

# --- Horovod -----------------------------------------------------------------------------------------------------

wants_horovod() { [[ " ${EXTRAS[*]-} " == *" horovod "* ]]; }

# All that decides what is compiled. In a lock file's terms: another TensorFlow, another wheel.
horovod_key() {
    printf '%s\n' "$HOROVOD" "${HOROVOD_SETTINGS[@]}" "$(uname -m)" "$(.venv/bin/python -V)"
    local name
    for name in tensorflow tensorflow_cpu; do # with CUDA, or without
        (cd .venv/lib/python3.11/site-packages && compgen -G "$name-*.dist-info") || true
    done
}

horovod_wheels() {
    if [ -x .venv/bin/python ]; then printf '%s/horovod/%s' "$CACHE" "$(horovod_key | sha256sum | cut -c-16)"; fi
}

horovod_current() {
    ! wants_horovod || { [ -f "$HOROVOD_STAMP" ] && [ "$(horovod_key)" = "$(cat "$HOROVOD_STAMP")" ]; }
}

build_horovod() {
    local wheels beside
    wheels=$(horovod_wheels)
    beside=$wheels.part
    rm -rf "$beside"
    mkdir -p "$beside"
    printf '%s\n' "$HOROVOD" >"$beside/requirement.txt"
    # uv's own cache, made for this build alone: the wheel is taken out of it.
    env "${HOROVOD_SETTINGS[@]}" "MAKEFLAGS=-j$(nproc)" UV_CACHE_DIR="$beside/cache" "$UV" pip install \
        --python .venv/bin/python --target "$beside/tried" --no-deps --no-build-isolation --no-binary horovod \
        --require-hashes --requirements "$beside/requirement.txt"
    find "$beside/cache" -name 'horovod-*.whl' -type f -exec mv -t "$beside" {} +
    rm -r "$beside/cache" "$beside/tried"
    compgen -G "$beside/*.whl"
    mv "$beside" "$wheels"
}

install_horovod() {
    "$UV" pip install -q --compile-bytecode --python .venv/bin/python --constraints requirements.lock --reinstall-package horovod \
        "$(compgen -G "$(horovod_wheels)/*.whl")"
    horovod_key >"$HOROVOD_STAMP.new"
    mv "$HOROVOD_STAMP.new" "$HOROVOD_STAMP"
}

# --- the jar -----------------------------------------------------------------------------------------------------

jar_key() {
    printf '%s\n' .venv/lib/python3.11/site-packages/pyspark-*.dist-info
    printf '%s\n' .venv/lib/python3.11/site-packages/bigdl_dllib*.dist-info
    find build.gradle settings.gradle src textmill/emoji_sequences.txt -type f -print0 | sort -z | xargs -0 sha256sum "$JAR"
}

jar_current() {
    [ -f "$JAR" ] && [ -f "$JAR_STAMP" ] && [ "$(jar_key | sha256sum)" = "$(cat "$JAR_STAMP")" ]
}

build_jar() {
    rm -f "$JAR_STAMP"
    # Gradle 4 reaches into java.lang; from Java 16 on that has to be allowed.
    export GRADLE_OPTS="${GRADLE_OPTS:-} --add-opens=java.base/java.lang=ALL-UNNAMED"
    gradle --no-daemon -q -p "$ROOT" jar bigdlJar "-PsparkJars=$ROOT/.venv/lib/python3.11/site-packages/pyspark/jars"
    jar_key | sha256sum >"$JAR_STAMP.new"
    mv "$JAR_STAMP.new" "$JAR_STAMP"
}

# Spark's own client of S3, for Python's reads no jar.
s3_current() {
    [[ " ${EXTRAS[*]-} " != *" s3"* ]] || compgen -G "build/s3/hadoop-aws-*.jar" >/dev/null
}

fetch_s3() {
    export GRADLE_OPTS="${GRADLE_OPTS:-} --add-opens=java.base/java.lang=ALL-UNNAMED"
    gradle --no-daemon -q -p "$ROOT" s3Jars
}

# --- classes of the JVM ------------------------------------------------------------------------------------------

classes_key() {
    jar_key
    find_jdk && printf '%s\n' "$JAVA_HOME" "$(cat "$JAVA_HOME/release")"
    compgen -G "build/s3/*.jar" || true
    sha256sum spark_jobs/class_archive.py
}

classes_current() { [ -f "$CLASSES_STAMP" ] && [ "$(classes_key | sha256sum)" = "$(cat "$CLASSES_STAMP")" ]; }

archive_classes() {
    .venv/bin/python -m spark_jobs.class_archive
    classes_key | sha256sum >"$CLASSES_STAMP.new"
    mv "$CLASSES_STAMP.new" "$CLASSES_STAMP"
}

# --- all of it ---------------------------------------------------------------------------------------------------

remember_extras() {
    read -ra EXTRAS <<<"$({ printf '%s\n' "${EXTRAS[@]-}"; [ ! -d .venv ] || cat "$ASKED" 2>/dev/null || true; } |
        sed '/^$/d' | sort -u | tr '\n' ' ')" || true
    printf '%s\n' "${EXTRAS[@]-}" >"$ASKED"
}

# Runs with a Java that Spark does not know would fail, and nothing may be stored outside the checkout: say it.
java_hint() {
    local given=${GIVEN_JAVA_HOME:-$(java_on_path)} found
    found=$(java_major "$given") || true
    case $found in 8 | 11 | 17 | '') return ;; esac
    if find_jdk; then say "your java is version $found, which Spark 3.5 does not know: export JAVA_HOME=$JAVA_HOME"; fi
}

main() {
    local start=$SECONDS
    GIVEN_JAVA_HOME=${JAVA_HOME:-}
    parse "$@"
    mkdir -p "$CACHE"
    exec 9>"$CACHE/setup.lock"
    flock -n 9 || { say "another setup of this checkout is running: waiting for it"; flock 9; }
    if [ -n "$LOCK" ]; then
        find_python || missing "no Python 3.11 in PATH"
        need_uv
        phase "requirements.lock" write_lock "${LOCK_OPTIONS[@]}"
        return
    fi
    remember_extras
    if [ -z "$BROWSER" ] && venv_current && horovod_current && jar_current && s3_current && classes_current; then
        say "up to date: .venv${EXTRAS[*]:+ with ${EXTRAS[*]}}, $JAR"
        java_hint
        return
    fi
    find_python || true
    system_packages
    if ! venv_current; then
        need_uv
        phase "Python packages into .venv" install_python
    fi
    if ! horovod_current; then
        need_uv
        compgen -G "$(horovod_wheels)/*.whl" >/dev/null || phase "Horovod, compiled for this TensorFlow" build_horovod
        phase "Horovod into .venv" install_horovod
    fi
    jar_current || phase "$JAR by Gradle on Java $(find_jdk && java_major "$JAVA_HOME")" build_jar
    s3_current || phase "Spark's client of S3 into build/s3 (280 MB)" fetch_s3
    classes_current || phase "archive of the JVM's classes, so that it starts sooner" archive_classes
    say "ready after $((SECONDS - start)) s: .venv/bin/textmill${EXTRAS[*]:+ with ${EXTRAS[*]}}, $JAR"
    java_hint
}

main "$@"
