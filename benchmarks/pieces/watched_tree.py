# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.pieces.watched_tree FOLDER`: the folder door alone, telling what it is told.

Prints "ready", then a line for each file whose closing or renaming it was told of, with the monotonic time,
which all processes of a boot share. For each line of its input it lists the folders and prints what it finds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from appliance.clock import SystemClock
from appliance.intake.notices import Notices


def main(folder: Path) -> None:
    """Until the input ends."""
    clock = SystemClock()

    def hint(path: Path | None) -> None:
        if path is not None:
            _say(told=path.name, at_ns=clock.monotonic_ns())

    with Notices((folder,), events=True, hint=hint) as notices:
        _say(ready=notices.by_events)
        for _ in sys.stdin:
            found = [sighting.path.name for sighting in notices.rescan(clock.now_utc())]
            _say(listed=found)


def _say(**words: object) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
