# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The name of a passport's file: everything that it depends on, so that it holds or is not found."""

from __future__ import annotations

import hashlib
from typing import Final

from appliance.engines.catalogue import REMOTE
from appliance.engines.kserve import InferenceServer
from appliance.models.bundle import Bundle
from appliance.models.candidate import Candidate

RULES: Final = "passport 1"
"""Changes whenever a limit or a step of the test does: what was passed under other rules is made again."""


def passport_file(
    bundle: Bundle,
    candidate: Candidate,
    *,
    engine: tuple[str, str],
    threads: int,
    processor: str,
    server: InferenceServer | None = None,
) -> str:
    """The name of the file that holds such a passport. `engine`: its version and its device's key."""
    elsewhere = server.address if server is not None and candidate.engine == REMOTE else ""
    parts = (
        RULES,
        bundle.sums_sha256,
        bundle.model_sha256[candidate.precision],
        candidate.precision,
        candidate.engine,
        *engine,
        str(threads),
        processor,
        elsewhere,
    )
    key = hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
    return f"passport-{bundle.card.task}-{candidate.engine}-{candidate.precision}-{key[:32]}.json"
