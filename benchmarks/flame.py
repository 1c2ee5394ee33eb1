# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks.flame SAMPLES.txt OUT.svg`: where the time of a lane goes, as a flame graph.

Takes what `py-spy record --format raw` writes: a line for each stack, outermost function first, with the
number of samples. Width is share of the samples; what is called stands below its caller. Functions of one
name below one caller count together, whatever their line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import typer
from matplotlib.figure import Figure

from appliance.durable import write_whole
from appliance.svg import as_svg

BELOW: Final = "run_lane"
"""Starting, loading networks and the like are left out."""
LEAST_SHARE: Final = 0.004
MOST_DEPTH: Final = 10
LETTER_SHARE: Final = 0.0075
"""Of the width: a letter of the texts within."""
COLOURS: Final = ("#E69F00", "#F0B840", "#D98C2B", "#F2C46D", "#E8A838")
_PLACE: Final = re.compile(r" \(.*\)$")


@dataclass(slots=True)
class Flame:
    """A function below its callers."""

    name: str
    samples: int = 0
    below: dict[str, Flame] = field(default_factory=dict)


def flame_of(lines: Iterable[str], *, root: str = BELOW) -> Flame:
    """The samples below the function `root`. Raises ValueError where there are none."""
    top = Flame(root)
    for line in lines:
        stack, _, count = line.rpartition(" ")
        names = [_PLACE.sub("", part) for part in stack.split(";")]
        if root not in names or not count.strip().isdigit():
            continue
        here = top
        here.samples += int(count)
        for name in names[names.index(root) + 1 :]:
            here = here.below.setdefault(name, Flame(name))
            here.samples += int(count)
    if not top.samples:
        raise ValueError(f"No sample lies below {root}.")
    return top


def _boxes(flame: Flame, left: float, depth: int, total: int) -> Iterator[tuple[Flame, float, int]]:
    yield flame, left, depth
    if depth < MOST_DEPTH:
        for child in sorted(flame.below.values(), key=lambda child: -child.samples):
            if child.samples / total >= LEAST_SHARE:
                yield from _boxes(child, left, depth + 1, total)
            left += child.samples / total


def drawn(flame: Flame) -> Figure:
    """The picture."""
    boxes = list(_boxes(flame, 0.0, 0, flame.samples))
    figure = Figure(
        figsize=(14.0, 0.6 + 0.34 * (1 + max(depth for _, _, depth in boxes))), layout="constrained"
    )
    axis = figure.subplots()
    for number, (one, left, depth) in enumerate(boxes):
        share = one.samples / flame.samples
        axis.broken_barh(
            [(left, share)],
            (depth, 0.94),
            facecolors=COLOURS[number % len(COLOURS)],
            edgecolor="white",
            linewidth=0.6,
        )
        words = f"{one.name} {100 * share:.0f} %"
        fits = int(share / LETTER_SHARE)
        if fits >= 3:
            shown = words if len(words) <= fits else one.name[: fits - 1] + "…"
            axis.text(left + 0.002, depth + 0.47, shown, va="center", fontsize=7.5, clip_on=True)
    axis.set_xlim(0, 1)
    axis.invert_yaxis()
    axis.axis("off")
    return figure


def main(
    samples: Path,
    out: Path,
    *,
    below: Annotated[str, typer.Option(help="The function to begin with.")] = BELOW,
) -> None:
    """Draw."""
    flame = flame_of(samples.read_text(encoding="utf-8").splitlines(), root=below)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, as_svg(drawn(flame), letters="path").encode("utf-8"))


if __name__ == "__main__":
    typer.run(main)
