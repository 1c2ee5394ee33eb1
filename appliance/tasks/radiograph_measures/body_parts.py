# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Which quality task looks at which radiograph: exactly one at each CR or DX picture of a patient.

BodyPartExamined values are those of PS3.16 annex L, and what consoles write instead of them.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from appliance.domain.acquisition import Acquisition, Instance, Kind


class Part(str, Enum):
    """How far quality control tells body parts apart."""

    CHEST = "chest"
    LIMB = "limb"
    OTHER = "other"


_CHEST: Final = frozenset({"CHEST", "THORAX", "LUNG", "LUNGS", "CHEST ABDOMEN"})
ENDS: Final = frozenset({"HAND", "FOOT", "FINGER", "THUMB", "TOE", "FINGERS", "TOES", "CALCANEUS", "HEEL"})
"""Parts that end: they may leave the field on one side only."""
TRUNK_BOUND: Final = frozenset({"SHOULDER", "CLAVICLE", "SCAPULA", "HIP", "AC JOINT", "ACJOINT"})
"""Parts beside the trunk, which always fills a part of the field."""
_ARM: Final = (
    "HAND FINGER FINGERS THUMB WRIST FOREARM ELBOW HUMERUS ARM UPARM ULNA RADIUS SHOULDER CLAVICLE SCAPULA"
)
_LEG: Final = "FOOT TOE TOES CALCANEUS HEEL ANKLE LEG LOWLEG TIBIA FIBULA TIBFIB KNEE PATELLA FEMUR THIGH"
_UPPER_LIMB: Final = frozenset(
    {*_ARM.split(), "UPPER ARM", "UPPER EXTREMITY", "UPPER LIMB", "AC JOINT", "ACJOINT"}
)
_LOWER_LIMB: Final = frozenset({*_LEG.split(), "LOWER LEG", "TIB FIB", "LOWER EXTREMITY", "LOWER LIMB"})
UNSPECIFIC: Final = frozenset(
    {"EXTREMITY", "LIMB", "UPPER EXTREMITY", "LOWER EXTREMITY", "UPPER LIMB", "LOWER LIMB"}
)
"""Names that do not say which part of a limb it is: it may be a shoulder."""
_LIMB: Final = _UPPER_LIMB | _LOWER_LIMB | UNSPECIFIC


def part_of(first: Instance) -> Part:
    """Chest where the header names none: the chest task then says what it sees."""
    named = words_of(first)
    if not named or named in _CHEST:
        return Part.CHEST
    return Part.LIMB if named in _LIMB else Part.OTHER


def words_of(first: Instance) -> str:
    """BodyPartExamined, tidied; empty when there is none."""
    return " ".join((first.body_part or "").replace("_", " ").upper().split())


def is_upper_limb(first: Instance) -> bool:
    """Whether the header names a part of the upper limb."""
    return words_of(first) in _UPPER_LIMB


def reason_against(acquisition: Acquisition, part: Part) -> str | None:
    """Why the task for `part` does not look at this acquisition; None when it does."""
    first = acquisition.first
    if acquisition.kind is not Kind.PROJECTION:
        return "This task looks at single radiographs, not at series of slices."
    if first.modality not in {"CR", "DX"}:
        return (
            f"Quality control of radiographs was made for CR and DX; this is {first.modality or 'unknown'}."
        )
    unfit = _unfit(first)
    if unfit is not None:
        return unfit
    mine = part_of(first)
    if mine is not part:
        return (
            f"This is a radiograph of: {words_of(first) or 'not said'}; the {mine.value} checks look at it."
        )
    return None


def _unfit(first: Instance) -> str | None:
    if first.pixels is None:
        return "This object carries no picture."
    if first.pixels.samples_per_pixel != 1:
        return "This is a colour picture, not a radiograph as the detector took it."
    if first.pixels.number_of_frames > 1:
        return f"This object holds {first.pixels.number_of_frames} frames; radiographs have one."
    return None
