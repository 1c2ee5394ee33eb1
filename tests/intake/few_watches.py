# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A program for test_notices_limits.py: what `Notices` does where the kernel allows few watches, or no queue.

Its own user namespace has limits of its own, so nobody else notices. Prints JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from pathlib import Path
from threading import Event

from appliance.intake.notices import Notices

LISTINGS = 20


def main(root: Path, limit: str, value: str, *, at_first: bool) -> None:
    """`value` is set before watching begins, or after it has begun."""
    setting = Path("/proc/sys/user") / limit
    folder = root / "there before"
    folder.mkdir()
    (folder / "a.dcm").write_bytes(b"1")
    if at_first:
        setting.write_text(value, encoding="ascii")
    answers: dict[str, object] = {}
    with Notices((root,), events=True, hint=lambda _: None) as notices:
        answers["events_at_first"] = notices.by_events
        answers["found_at_first"] = names(notices)
        if not at_first:
            setting.write_text(value, encoding="ascii")
        for number in range(5):
            (root / f"new {number}").mkdir()
            (root / f"new {number}" / f"{number}.dcm").write_bytes(b"1")
        for _ in range(LISTINGS):
            found = names(notices)
            Event().wait(0.05)
        answers["found_at_last"] = found
    print(json.dumps(answers))


def names(notices: Notices) -> list[str]:
    return sorted(sighting.path.name for sighting in notices.rescan(datetime.now(timezone.utc)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], at_first=sys.argv[4] == "at first")
