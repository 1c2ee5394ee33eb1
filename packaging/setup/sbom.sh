#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
#
# Writes the bill of materials of what runs on a device: every locked package with its hashes, as CycloneDX
# 1.6 JSON, checked against the schema of that format. Needs no network. Same locks, same bytes.
# First argument: the folder (dist); second: the lock (packaging/constraints/run.txt).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

folder="${1:-dist}"
lock="${2:-packaging/constraints/run.txt}"
file="$folder/scanside-$(basename "$lock" .txt).cdx.json"

mkdir -p "$folder"
# The warning is about the graph of dependencies, which a lock does not hold: it is flat.
PYTHONWARNINGS=ignore .venv/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
    --spec-version 1.6 --output-format JSON --output-reproducible --validate --output-file "$file" "$lock"
echo "$file: $(grep -c '"bom-ref": "requirements-' "$file") packages"
