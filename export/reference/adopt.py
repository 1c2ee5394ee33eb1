# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Take an exported bundle into the shipped ones: a reference model's variants, and what they were judged by.

`python -m export.reference.adopt EXPORTED appliance/models_shipped/TASK --version 1.1.0`, then
`python -m export.reference.sign`.

What the recipe measured stays in gate.json beside what the gate measured. The report stays outside: it shows
films of the labelled set, which are nobody's to hand on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Final

from appliance.models.contents import SIGNATURE, SUMS
from export.card_file import card_toml, read_card
from export.pack import pack
from export.reference.bundle import LICENCE_HEADER

LEFT_OUT: Final = frozenset({"report.html", "card.toml", "gate.json", SUMS, SIGNATURE})


def adopt(exported: Path, shipped: Path, *, version: str | None) -> None:
    """Write the files of `exported` over those of `shipped`, unsigned. `version`: it is a new release."""
    card = read_card(exported / "card.toml")
    if version is not None and version != card.version:
        card = replace(card, version=version, release=card.release + 1)
    gate = json.loads((shipped / "gate.json").read_text(encoding="utf-8"))
    gate |= json.loads((exported / "gate.json").read_text(encoding="utf-8"))
    for file in exported.iterdir():
        if file.name not in LEFT_OUT:
            shutil.copyfile(file, shipped / file.name)
    (shipped / "card.toml").write_text(LICENCE_HEADER + card_toml(card), encoding="utf-8")
    (shipped / "gate.json").write_text(json.dumps(gate, ensure_ascii=False) + "\n", encoding="utf-8")
    pack(shipped, key=None, out=shipped)


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("exported", type=Path)
    parser.add_argument("shipped", type=Path)
    parser.add_argument("--version", help="a new version, which is also a new release")
    given = parser.parse_args()
    adopt(given.exported, given.shipped, version=given.version)


if __name__ == "__main__":
    main()
