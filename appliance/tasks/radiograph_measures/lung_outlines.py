# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The two lungs of a frontal chest radiograph, and where they run out of the exposed field.

A lung is darker than its surroundings: each pixel is compared with the mean of a window of 45 % of the
field around it. What is claimed is only contact with an edge; an outline that does not look like a lung
is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from appliance.tasks.radiograph_measures.exposed_field import ExposedField, Mask
from appliance.tasks.radiograph_measures.overview import Overview

_WINDOW: Final = 0.45
"""Of the field's longer side: wider than a lung, narrower than the trunk."""
_DARKER: Final = 0.02
"""How much darker than its surroundings, in levels, a lung is at least."""
_AREA: Final = (0.025, 0.36)
"""Part of the field that one lung covers: from a child in a large field to a lung that fills half."""
_SMALLEST_CORE: Final = 0.004
"""Part of the field that is left of a lung when bridges are cut away around it, at least."""
_ROWS: Final = (0.12, 0.85)
_COLUMNS: Final = (0.10, 0.90)
"""Where in the field the centre of a lung may lie."""
_AROUND: Final = 0.25
"""Largest part of its outline that may lie on the edge of the field. Air beside the neck and the arms lies
on it with a third to a half; a lung cut off at its base with a fifth."""
_SOLID: Final = 0.72
"""Least part of its convex hull that a lung fills; the heart leaves 0.8 of the left one. A lung that runs
into the air above a shoulder is L-shaped."""
_INWARD: Final = 1.2
"""How strongly a region near the spine is preferred to a larger one near the side, where arms leave air."""
_ALIKE: Final = 0.5
"""Two lungs are about as dark as each other; one below this part of the other's level is air."""
_AIR: Final = 0.06
"""Level up to which pixels joined to the edge of the field are air outside the body."""
_AIR_DARKER: Final = 0.8
"""Level at the upper edge of the field, as a part of the whole region's, below which the region has run into
the air beside the neck: an apex is brighter than the middle of a lung."""
_ALONG: Final = 0.45
"""Largest part of its height over which a lung may lie on a lateral edge; the gap beside an arm lies on
it with most of its height."""
_BRIDGE: Final = 0.028
"""Of the field's longer side: half the width of the thickest bridge between lung and other air (apex to
neck, axilla to flank) that is cut. A third of the width of a narrow lung."""
_EDGE_PX: Final = 3
"""A lung this near to an edge of the field, in overview pixels (5 mm on a 43 cm detector), reaches it."""


class Edge(int, Enum):
    """A side of the field, as viewed."""

    TOP = 0
    RIGHT = 1
    BOTTOM = 2
    LEFT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How near a lung comes to one edge of the field, in overview pixels."""

    edge: Edge
    margin_px: float
    """Between the edge and the nearest point of the lung; 0 when it touches."""
    length_px: float
    """How much of the edge it touches."""
    span_px: tuple[float, float]
    """First and last place along the edge at which the lung is nearest, in the whole overview."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lung:
    """One lung, in overview pixels."""

    on_left_of_picture: bool
    mask: Mask
    contacts: tuple[Contact, ...]
    """One for every edge of the field."""


def find_lungs(overview: Overview, field: ExposedField) -> tuple[Lung, ...]:
    """Zero, one or two lungs, the one on the left of the picture first."""
    rows = np.flatnonzero(field.mask.any(axis=1))
    columns = np.flatnonzero(field.mask.any(axis=0))
    top, bottom, left, right = int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])
    box = (slice(top, bottom + 1), slice(left, right + 1))
    inside = field.mask[box]
    level = np.ascontiguousarray(overview.level[box])
    height, width = inside.shape
    reach = max(1, round(_BRIDGE * max(height, width)))
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    air = cv2.dilate(_air_outside(level, inside), np.ones((3, 3), np.uint8), iterations=2)
    dark = _darker_than_around(level, inside) & (1 - air)
    core = cv2.erode(dark | (1 - inside), brush, borderType=cv2.BORDER_CONSTANT, borderValue=1.0) & inside
    count, labels, stats, centres = cv2.connectedComponentsWithStats(core, connectivity=4)
    rim = inside - cv2.erode(
        inside, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0.0
    )
    found: dict[bool, tuple[float, Mask]] = {}
    for label in range(1, count):
        column, row = centres[label]
        if stats[label, cv2.CC_STAT_AREA] < _SMALLEST_CORE * inside.size:
            continue
        mask = cv2.dilate((labels == label).astype(np.uint8), brush) & dark
        area = int(np.count_nonzero(mask))
        if not (
            _AREA[0] <= area / inside.size <= _AREA[1]
            and _ROWS[0] <= row / height <= _ROWS[1]
            and _COLUMNS[0] <= column / width <= _COLUMNS[1]
        ):
            continue
        if _part_on_rim(mask, rim) > _AROUND or _solidity(mask) < _SOLID or _runs_into_air(mask, level):
            continue
        on_left = bool(column < width / 2)
        likely = area * (1.0 - _INWARD * abs(column / width - 0.5))
        if on_left not in found or likely > found[on_left][0]:
            found[on_left] = likely, mask
    if len(found) == 2:
        darker = [float(np.median(level[found[side][1] > 0])) for side in (True, False)]
        if min(darker) < _ALIKE * max(darker):
            del found[darker[0] < darker[1]]
    lungs = []
    for on_left in (True, False):
        if on_left in found:
            whole = np.zeros(field.mask.shape, dtype=np.uint8)
            whole[box] = found[on_left][1]
            contacts = _contacts(found[on_left][1], (top, left))
            lungs.append(Lung(on_left_of_picture=on_left, mask=whole, contacts=contacts))
    return tuple(lungs)


def _air_outside(level: NDArray[np.float32], inside: Mask) -> Mask:
    """Nearly black regions that touch the edge of the field."""
    black = ((level < _AIR) & (inside > 0)).astype(np.uint8) | (1 - inside)
    framed = cv2.copyMakeBorder(black, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1.0)
    _, labels = cv2.connectedComponents(framed, connectivity=4)
    air: Mask = (labels[1:-1, 1:-1] == labels[0, 0]).astype(np.uint8) & inside
    return air


def _darker_than_around(level: NDArray[np.float32], inside: Mask) -> Mask:
    side = int(_WINDOW * max(level.shape)) | 1
    weight = inside.astype(np.float32)
    soft = cv2.GaussianBlur(np.clip(level, 0.0, 1.0), (0, 0), max(level.shape) / 100.0)
    total = cv2.blur(soft * weight, (side, side), borderType=cv2.BORDER_REPLICATE)
    share = cv2.blur(weight, (side, side), borderType=cv2.BORDER_REPLICATE)
    around = total / np.maximum(share, 1e-3)
    dark = ((soft < around - np.float32(_DARKER)) & (inside > 0)).astype(np.uint8)
    opened: Mask = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return opened


def _runs_into_air(mask: Mask, level: NDArray[np.float32]) -> bool:
    typical = float(np.median(level[mask > 0]))
    height = int(mask.any(axis=1).sum())
    for edge in Edge:
        zone = np.rot90(mask, k=int(edge))[:_EDGE_PX] > 0
        if not zone.any():
            continue
        if edge in (Edge.LEFT, Edge.RIGHT) and int(zone.any(axis=0).sum()) > _ALONG * height:
            return True
        if edge is Edge.TOP and float(np.median(level[:_EDGE_PX][zone])) < _AIR_DARKER * typical:
            return True
    return False


def _solidity(mask: Mask) -> float:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=cv2.contourArea)
    hull = cv2.contourArea(cv2.convexHull(outline))
    return float(cv2.contourArea(outline) / max(hull, 1.0))


def _part_on_rim(mask: Mask, rim: Mask) -> float:
    near = cv2.dilate(rim, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(contours, key=len)[:, 0, :]
    return float(near[outline[:, 1], outline[:, 0]].mean())


def _contacts(mask: Mask, origin: tuple[int, int]) -> tuple[Contact, ...]:
    contacts = []
    for edge in Edge:
        turned = np.rot90(mask, k=int(edge))
        rows = np.flatnonzero(turned.any(axis=1))
        margin = float(max(0, int(rows[0]) - _EDGE_PX))
        nearest = np.flatnonzero(turned[: int(rows[0]) + _EDGE_PX].any(axis=0))
        first, last = float(nearest[0]), float(nearest[-1])
        if edge in (Edge.BOTTOM, Edge.LEFT):
            first, last = turned.shape[1] - 1 - last, turned.shape[1] - 1 - first
        offset = origin[1] if edge in (Edge.TOP, Edge.BOTTOM) else origin[0]
        length = float(nearest.size) if margin == 0 else 0.0
        contacts.append(
            Contact(edge=edge, margin_px=margin, length_px=length, span_px=(first + offset, last + offset))
        )
    return tuple(contacts)
