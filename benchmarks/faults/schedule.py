# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A schedule of arrivals, drawn by chance, and what must come of it by what was sent and nothing else.

The oracle knows no file, no store and no geometry: slices are whole numbers along a line. It is written from
the rules in docs and in the head of appliance/intake/assembly.py, not from its code.
"""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

QUIET_S: Final = 60.0
LATE_QUIET_S: Final = 5.0
"""After a late slice, a stack that was settled before is settled again this soon."""
WAIT_S: Final = {"short": 6.0, "long": 130.0}
"""Long enough for what is amended; long enough for everything, also after a restart."""
SHORT_WAITS: Final = 4
"""So few that together they settle nothing that comes for the first time."""
FEWEST_SLICES: Final = 3
FEWEST_OF_ASSOCIATION: Final = 2


class Door(Enum):
    """What happens in a step."""

    FILES = "files"
    RELEASED = "released"
    ABORTED = "aborted"
    WAIT_SHORT = "short"
    WAIT_LONG = "long"
    RESTART = "restart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """One image as it is sent."""

    series: int
    patient: str
    index: int
    content: int = 0
    rewritten: bool = False
    announced: int | None = None

    @property
    def stack(self) -> tuple[int, str]:
        """The stack that it belongs to."""
        return self.series, self.patient


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happens. `association`: through which the files come; None: through the folder."""

    door: Door
    slices: tuple[Slice, ...] = ()
    association: int | None = None


def draw_schedule(chance: random.Random, *, first_series: int) -> tuple[Step, ...]:
    """One to three series at once, with everything that goes wrong on the way."""
    images: list[Slice] = []
    for series in range(first_series, first_series + chance.choice((1, 1, 2, 3))):
        count = chance.randint(3, 9)
        announced = chance.choice((None, None, count))
        missing = set(chance.sample(range(count), k=chance.choice((0, 0, 0, 1, 2))))
        people = ("P1", "P2") if chance.random() < 0.1 else ("P1",)
        planned = [
            Slice(series=series, patient=patient, index=index, announced=announced)
            for patient in people
            for index in range(count)
            if index not in missing
        ]
        images += planned
        images += chance.sample(planned, k=min(len(planned), chance.choice((0, 0, 1, 3))))  # sent again
        if chance.random() < 0.3:
            images.append(replace(chance.choice(planned), rewritten=True))
        if chance.random() < 0.3:
            images.append(replace(chance.choice(planned), content=chance.randint(1, 2)))
    if chance.random() < 0.8:
        chance.shuffle(images)
    steps: list[Step] = []
    while images:
        size = min(len(images), chance.choice((1, 1, 2, 3, 6)))
        batch, images = tuple(images[:size]), images[size:]
        steps.append(Step(door=Door.FILES, slices=batch, association=chance.choice((None, 1, 1, 2))))
    shorts = 0
    for _ in range(chance.randint(0, 6)):
        door = chance.choice(tuple(Door)[1:])
        shorts += door is Door.WAIT_SHORT
        if door is Door.WAIT_SHORT and shorts > SHORT_WAITS:
            continue
        association = chance.choice((1, 2)) if door in (Door.RELEASED, Door.ABORTED) else None
        steps.insert(chance.randint(0, len(steps)), Step(door=door, association=association))
    return (*steps, Step(door=Door.WAIT_LONG))


@dataclass(slots=True, kw_only=True)
class Stack:
    """What must stand for one stack."""

    announced: int | None
    version: int = 1
    label: str | None = None
    """None: still receiving."""
    first: dict[int, int] = field(default_factory=dict)
    """The content of each place that came first."""
    contents: list[tuple[int, int]] = field(default_factory=list)
    """Every content of every place, in order of arrival."""
    said_stranger: bool = False

    def gap(self) -> bool:
        """A step more than half longer than the usual one."""
        places = sorted(self.first)
        if len(places) < FEWEST_SLICES:
            return False
        steps = [after - before for before, after in itertools.pairwise(places)]
        usual = sorted(steps)[(len(steps) - 1) // 2]
        return any(2 * step > 3 * usual for step in steps)

    def all_announced(self) -> bool:
        """As many as the headers say."""
        return self.announced is not None and len(self.first) == self.announced


class Oracle:
    """What must be stored, and what must have been queued for answers."""

    def __init__(self) -> None:
        self.stacks: dict[tuple[int, str], Stack] = {}
        self.queued: set[tuple[tuple[int, str], int]] = set()
        self._carried: dict[int, Counter[tuple[int, str]]] = {}

    def step(self, step: Step) -> None:
        """One step of a schedule."""
        if step.door is Door.FILES:
            for image in step.slices:
                self._image(image)
                if step.association is not None:
                    self._carried.setdefault(step.association, Counter())[image.stack] += 1
        elif step.door in (Door.RELEASED, Door.ABORTED):
            assert step.association is not None
            carried = self._carried.pop(step.association, Counter())
            if step.door is Door.RELEASED:
                self._released(carried)
        elif step.door is Door.RESTART:
            self._carried.clear()
        else:
            self._quiet(everything=step.door is Door.WAIT_LONG)

    def _image(self, image: Slice) -> None:
        key = image.stack
        stack = self.stacks.get(key)
        if stack is None:
            stack = self.stacks[key] = Stack(announced=image.announced)
        if (image.index, image.content) in stack.contents:
            return  # here already, in these bytes or in others
        double = image.index in stack.first
        stack.contents.append((image.index, image.content))
        stack.first.setdefault(image.index, image.content)
        was_settled = stack.label is not None
        if was_settled:
            stack.version += 1
            stack.label = None
        if was_settled and double:
            self._settle(key, "conflict")
        elif stack.all_announced() and not stack.gap():
            self._settle(key, "complete")
        for other_key, other in self.stacks.items():
            if other_key[0] == key[0] and other_key != key and other.label and not other.said_stranger:
                other.version += 1
                self._settle(other_key, "conflict")

    def _released(self, carried: Counter[tuple[int, str]]) -> None:
        for key, count in carried.items():
            stack = self.stacks[key]
            fewest = FEWEST_OF_ASSOCIATION if stack.version == 1 else 1
            short = stack.announced is not None and len(stack.first) < stack.announced
            tells = len(stack.first) >= FEWEST_SLICES and not stack.gap()
            if stack.label is None and count >= fewest and not short and tells:
                self._settle(key, "complete")

    def _quiet(self, *, everything: bool) -> None:
        for key, stack in self.stacks.items():
            if stack.label is None and (everything or stack.version > 1):
                self._settle(key, "quiet")

    def _settle(self, key: tuple[int, str], if_even: str) -> None:
        stack = self.stacks[key]
        stranger = any(other[0] == key[0] and other != key for other in self.stacks)
        stack.label = if_even
        if stack.gap() or (stack.announced is not None and len(stack.first) < stack.announced):
            stack.label = "incomplete"
        elif stack.all_announced():
            stack.label = "complete"
        if stranger or len(stack.contents) > len(stack.first):
            stack.label = "conflict"
        stack.said_stranger = stranger
        self.queued.add((key, stack.version))
