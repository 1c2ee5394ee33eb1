#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
#
# Makes .venv and installs the locked packages into it, then this project, editable. Quick when nothing
# changed: a stamp in .venv holds the hash of everything that the installation was made from.
#
#   environment.sh                     what the appliance, its kiosk and its tests need
#   environment.sh export              also the workshop (torch and friends); fails when it cannot
#   environment.sh export-if-possible  the same, but says so and succeeds when it cannot
#   environment.sh rtx                 also TensorRT for RTX, whose parser and builder need no GPU
#   environment.sh rtx-if-possible     the same, but says so and succeeds when it cannot
#   environment.sh triton              also a Triton inference server (CPU, Python backend), for tests only
#   environment.sh triton-if-possible  the same, but says so and succeeds when it cannot
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

part="${1:-appliance}"
python="${PYTHON:-python3}"
constraints=packaging/constraints

fail() { # what, remedy
    printf '%s\n%s\n' "$1" "$2" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "There is no '$python' here." \
    "Install Python 3.11 (apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3 ..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail \
    "$("$python" --version) is too old: Scanside needs 3.10 to run and 3.11 to be developed." \
    "Name a newer one: make PYTHON=/path/to/python3.11 ..."

# Making it anew empties what a link points to: somebody else's packages, while they run.
[ ! -L .venv ] || fail "The .venv here is a link." "Remove the link: each checkout has packages of its own."

make_venv() {
    # Without its own pip a venv is of no use; Debian ships ensurepip apart.
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv --clear .venv
        return
    fi
    local package
    package="$("$python" -c 'import sys; print(f"python3.{sys.version_info.minor}-venv")')"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
    if command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }; then
        echo "Installing system package: $package"
        "${as_root[@]}" apt-get update --quiet >/dev/null 2>&1 || true
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install --yes --quiet --no-install-recommends "$package" >/dev/null 2>&1 || true
    fi
    "$python" -m venv --clear .venv || fail "Python's venv module is not complete here." \
        "Install it: apt-get install $package"
}

# A venv's commands know the folder that it was made in: a moved or copied one is made again.
if [ -x .venv/bin/python ] && [ "$(cat .venv/.made-in 2>/dev/null || pwd)" = "$(pwd)" ] &&
    compgen -G '.venv/lib/python3*/site-packages/pip' >/dev/null; then
    :
else
    echo "Making .venv with $("$python" --version)"
    make_venv
fi
pwd >.venv/.made-in
in_venv=.venv/bin/python

# What is locked for this machine. Qt's wheels for arm64 need glibc 2.39 from Qt 6.8 on, and Python 3.10 has
# older newest versions of several packages: JetPack 6 is both.
lock="$("$in_venv" - <<'CHOOSE'
import platform
import sys

glibc = tuple(int(part) for part in (platform.libc_ver()[1] or "0.0").split(".")[:2])
old_arm = platform.machine() == "aarch64" and glibc < (2, 39)
if sys.version_info < (3, 11):
    print("run-py310.txt")
else:
    print("run-debian12-arm64.txt" if old_arm else "dev.txt")
CHOOSE
)"

stamp_of() { # files...
    { "$in_venv" --version; cat "$@"; } | sha256sum | cut -c1-16
}

unless_stamped() { # name, files that it is made from..., then --, then the command
    local name="$1" inputs=()
    shift
    while [ "$1" != "--" ]; do inputs+=("$1"); shift; done
    shift
    local stamp
    stamp=".venv/.$name-$(stamp_of "${inputs[@]}")"
    if [ -e "$stamp" ]; then return 0; fi
    rm -f .venv/."$name"-*
    "$@" || return 1
    touch "$stamp"
}

# --no-deps: the lock is complete, so there is nothing to resolve and nothing unlocked can slip in.
# -qq: errors only; pip warns about every mirror that lacks a package.
install_locked() { # lock file
    echo "Installing $(grep -c '==' "$1") locked packages from $1; the first time takes a few minutes"
    "$in_venv" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps -r "$1"
}

install_project() {
    "$in_venv" -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
}

# The server is no Python package of ours: it lies in a folder of its own, where nothing imports it. Its process
# for Python models is looked for beside the backend and comes in one build for each Python.
install_triton() {
    local server=.venv/triton/pytriton/tritonserver minor
    minor="$("$in_venv" -c 'import sys; print(f"{sys.version_info.major}.{sys.version_info.minor}")')"
    echo "Installing the Triton server from $constraints/triton.txt (55 MB)"
    rm -rf .venv/triton
    "$in_venv" -m pip install -qq --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
        --target .venv/triton -r "$constraints/triton.txt" || return 1
    cp "$server/python_backend_stubs/$minor/triton_python_backend_stub" "$server/backends/python/" || return 1
}

unless_stamped packages "$constraints/$lock" -- install_locked "$constraints/$lock" || fail \
    "The locked packages could not be installed; the reason is above." \
    "Most often the network or the package index is away: try again. Nothing is half done."
unless_stamped project pyproject.toml -- install_project
if [ "$lock" != dev.txt ] && [ "$part" = appliance ]; then
    echo "Run time only on this Python or machine ($lock): the test tools need Python 3.11 on x86-64 or glibc 2.39."
fi

case "$part" in
appliance) ;;
export | export-if-possible)
    if ! unless_stamped export "$constraints/export.txt" -- install_locked "$constraints/export.txt"; then
        what="The workshop (export, training) is not installed; the reason is above."
        remedy="If it is torch: its CPU build is on no public Python index. Let PIP_FIND_LINKS or
PIP_EXTRA_INDEX_URL name a place that has it, then: make setup-export"
        if [ "$part" = export ]; then fail "$what" "$remedy"; fi
        printf '%s\n%s\n%s\n' "$what" "$remedy" "Its tests will be SKIPPED."
    fi
    ;;
rtx | rtx-if-possible)
    if ! unless_stamped rtx "$constraints/rtx.txt" -- install_locked "$constraints/rtx.txt"; then
        what="TensorRT for RTX is not installed; the reason is above."
        remedy="It is a download of 97 MB for x86-64 and arm64. With the index at hand: make setup-rtx"
        if [ "$part" = rtx ]; then fail "$what" "$remedy"; fi
        printf '%s\n%s\n%s\n' "$what" "$remedy" "Its tests will be SKIPPED."
    fi
    ;;
triton | triton-if-possible)
    if ! unless_stamped triton "$constraints/triton.txt" -- install_triton; then
        what="The Triton server for tests is not installed; the reason is above."
        remedy="Its wheel is for Linux on x86-64 with glibc 2.35 or newer; there may be no network just now."
        if [ "$part" = triton ]; then fail "$what" "$remedy"; fi
        printf '%s\n%s\n%s\n' "$what" "$remedy" "Its tests will be SKIPPED."
    fi
    ;;
*) fail "Unknown part '$part'." "appliance, or export, rtx or triton, each also with -if-possible" ;;
esac
