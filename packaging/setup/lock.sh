#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
#
# Writes packaging/constraints/ again: every package at the newest version that pyproject.toml allows, with
# the hashes of all its files, and no address of any index. uv does not read pip's settings, so they are
# handed over from the environment. `make lock ARGS=--keep` changes only what pyproject.toml made necessary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

constraints=packaging/constraints
upgrade=(--upgrade)
if [ "${1:-}" = "--keep" ]; then upgrade=(); fi
if [ -n "${PIP_FIND_LINKS:-}" ]; then export UV_FIND_LINKS="${UV_FIND_LINKS:-$PIP_FIND_LINKS}"; fi
if [ -n "${PIP_INDEX_URL:-}" ]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"; fi

build_requirements() { # what builds the project: installed with the rest, as nothing is fetched while building
    .venv/bin/python - <<'PYTHON'
import tomllib

with open("pyproject.toml", "rb") as file:
    print(*tomllib.load(file)["build-system"]["requires"], sep="\n")
PYTHON
}

compile() { # file, then what uv is told
    local file="$constraints/$1"
    shift
    build_requirements | .venv/bin/uv pip compile --quiet --no-progress "${upgrade[@]}" pyproject.toml - \
        --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
        --output-file "$file" "$@"
    echo "$file: $(grep -c '==' "$file") packages"
}

# glibc 2.35 is Ubuntu 22.04's, the oldest that is promised; Debian 12 has 2.36.
desk=(--python-version 3.11 --python-platform x86_64-manylinux_2_35)
jetpack6=(--python-version 3.10 --python-platform aarch64-manylinux_2_35)
debian12_arm64=(--python-version 3.11 --python-platform aarch64-manylinux_2_36)

ways_out=(--extra fhir --extra hl7 --extra light --extra slip)
compile dev.txt "${desk[@]}" --extra kiosk --extra openvino --extra remote "${ways_out[@]}" --extra benchmarks \
    --extra dev
# One version of a package everywhere: the others follow the first.
compile run.txt "${desk[@]}" --extra kiosk --extra openvino "${ways_out[@]}" --constraint "$constraints/dev.txt"
compile export.txt "${desk[@]}" --extra export --constraint "$constraints/dev.txt"
compile rtx.txt "${desk[@]}" --extra rtx --constraint "$constraints/dev.txt"
compile run-py310.txt "${jetpack6[@]}" --extra kiosk --extra openvino "${ways_out[@]}"
# The same versions but for Qt, whose newer wheels for arm64 need a newer glibc.
others="$(mktemp)"
trap 'rm -f "$others"' EXIT
grep -E '^[a-z0-9].*==' "$constraints/dev.txt" | grep -v '^pyqt6' | sed 's/ \\$//' >"$others"
compile run-debian12-arm64.txt "${debian12_arm64[@]}" --extra kiosk --extra openvino "${ways_out[@]}" \
    --constraint "$others"

# From a public index torch means gigabytes of GPU libraries that no part of Scanside uses.
if ! grep -q '^torch==.*+cpu' "$constraints/export.txt"; then
    echo "export.txt has no CPU build of torch: let PIP_FIND_LINKS name a folder that has one, then lock again." >&2
    exit 1
fi

# Rehearsals of installing, which download next to nothing: uv and pip do not agree on everything, and the
# JetPack lock needs a wheel for that machine from every package.
rehearse() { # lock, then what pip is told
    local lock="$constraints/$1"
    shift
    echo "Rehearsing $lock"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --dry-run --ignore-installed --no-deps \
        --require-hashes -r "$lock" "$@"
}

report="$(mktemp)"
trap 'rm -f "$report" "$others"' EXIT
platforms=(--platform manylinux2014_aarch64)
for glibc in 17 24 26 27 28 31 34 35; do platforms+=(--platform "manylinux_2_${glibc}_aarch64"); done
rehearse dev.txt
rehearse export.txt
rehearse rtx.txt
rehearse run-py310.txt --only-binary :all: --python-version 3.10 "${platforms[@]}" \
    --target "$report.none" --report "$report"

# What each package says about Python is kept, so that a test can check the JetPack lock without a network.
.venv/bin/python - "$report" >"$constraints/run-py310.requires-python" <<'PYTHON'
import json
import sys

print("# What run-py310.txt's packages say about Python; written by `make lock`.")
with open(sys.argv[1], encoding="utf-8") as file:
    for entry in sorted(json.load(file)["install"], key=lambda entry: entry["metadata"]["name"].lower()):
        metadata = entry["metadata"]
        name = metadata["name"].lower().replace("_", "-").replace(".", "-")
        print(f"{name}=={metadata['version']}", metadata.get("requires_python", ">=3.0"))
PYTHON
