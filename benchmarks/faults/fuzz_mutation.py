# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Damage that knows where a DICOM element begins: what flipped bits alone would take for ever to find.

It works on bytes, not on data sets, because what it makes is what no library would write.
"""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from typing import Final

VRS: Final = (
    b"AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV"
    b" ZZ"
).split()
_LONG: Final = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN", b"SQ", b"UC", b"UR", b"UT"})
_HEADER: Final = re.compile(rb"(?s)(?<=.{4})(?:" + b"|".join(VRS[:-1]) + rb")")
"""Two letters that are a VR behind four bytes that may be a tag."""
_LENGTHS: Final = (0, 1, 3, 7, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_TEXTS: Final = (
    b"../../../../etc/passwd",
    b"/etc/cron.d/x",
    b"a\0b",
    b"a\nb",
    b"\xff\xfe\xff",
    b"\x1b$)C\x1b(B\x1b$B",
    "\u202eDOE^\u2066J".encode(),
    b"<img src=/etc/passwd>",
    b"=cmd|' /C calc'!A0",
    b"\\" * 4096,
    b"9" * 400,
    b"1e400",
    b"-1e-400",
    b"NaN",
    b"inf",
    b"-0",
    b"1.2." * 40,
    b"19000231",
    b"99991231235959.999999+1400",
)
_CHARSETS: Final = (
    b"ISO 2022 IR 87\\ISO 2022 IR 149",
    b"GB18030",
    b"ISO_IR 192",
    b"\\ISO 2022 IR 58",
    b"nonsense",
)
_NUMBERS: Final = (0, 1, 2, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF)
_SYNTAXES: Final = (
    b"1.2.840.10008.1.2",
    b"1.2.840.10008.1.2.1",
    b"1.2.840.10008.1.2.1.99",
    b"1.2.840.10008.1.2.2",
    b"1.2.840.113619.5.2",
    b"1.2.840.10008.1.2.5",
    *(b"1.2.840.10008.1.2.4.%d" % number for number in (50, 51, 57, 70, 80, 81, 90, 91, 100, 201, 202, 203)),
)
_SYNTAX: Final = re.compile(rb"1\.2\.840\.(?:10008\.1\.2(?:\.\d+)*|113619\.5\.2)\0?(?=[\x02-\x08]\0)")
_DEEPEST: Final = 1200
"""Levels of sequences: more than Python's recursion has."""
_ITEM: Final = b"\xfe\xff\x00\xe0\xff\xff\xff\xff"
_TAGS: Final = (
    0x00080005,
    0x00280010,
    0x00280011,
    0x00280008,
    0x00281050,
    0x00283010,
    0x52009230,
    0x00091010,
)

Damage = Callable[[bytearray, random.Random], None]


def damaged(data: bytes, seed: int, max_bytes: int) -> bytes:
    """The same file with one to four things wrong with it. The same seed, the same damage."""
    chance = random.Random(seed)  # noqa: S311  (it is repeated, not guarded)
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice(DAMAGES)(changed, chance)
    return bytes(changed[:max_bytes])


def _header(data: bytearray, chance: random.Random) -> int | None:
    """Where the VR of some element stands."""
    found = [match.start() for match in _HEADER.finditer(bytes(data))]
    return chance.choice(found) if found else None


def _value(data: bytearray, at: int) -> tuple[int, int]:
    """Start and length of the value behind the VR at this place, as its header has it."""
    if bytes(data[at : at + 2]) in _LONG:
        start, form, place = at + 8, "<I", at + 4
    else:
        start, form, place = at + 4, "<H", at + 2
    if place + struct.calcsize(form) > len(data):
        return len(data), 0
    (length,) = struct.unpack_from(form, data, place)
    return start, min(length, max(0, len(data) - start))


def another_vr(data: bytearray, chance: random.Random) -> None:
    """The right bytes under the wrong type."""
    at = _header(data, chance)
    if at is not None:
        data[at : at + 2] = chance.choice(VRS)


def another_length(data: bytearray, chance: random.Random) -> None:
    """Undefined, odd, nearly right, or of gigabytes."""
    at = _header(data, chance)
    if at is None:
        return
    start, length = _value(data, at)
    wanted = chance.choice((*_LENGTHS, length + 1, max(0, length - 1)))
    width = 4 if bytes(data[at : at + 2]) in _LONG else 2
    data[start - width : start] = (wanted & (256**width - 1)).to_bytes(width, "little")


def another_value(data: bytearray, chance: random.Random) -> None:
    """Words that lead out, hide or are no number; the length follows, so that they are read."""
    at = _header(data, chance)
    if at is None:
        return
    start, length = _value(data, at)
    text = chance.choice(_TEXTS)
    text += b" " * (len(text) % 2)
    is_long = bytes(data[at : at + 2]) in _LONG
    data[start : start + length] = text
    data[start - (4 if is_long else 2) : start] = len(text).to_bytes(4 if is_long else 2, "little")


def another_number(data: bytearray, chance: random.Random) -> None:
    """The ends of the range, in place."""
    at = _header(data, chance)
    if at is None:
        return
    start, length = _value(data, at)
    if length in (2, 4, 8):
        data[start : start + length] = (chance.choice(_NUMBERS) & (256**length - 1)).to_bytes(
            length, "little"
        )


def put_in(data: bytearray, chance: random.Random) -> None:
    """An element that nobody asked for: private, doubled, nested, of another character set."""
    at = _header(data, chance)
    if at is None:
        return
    tag = chance.choice(_TAGS)
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    element = chance.choice(
        (
            lambda: head + b"UN\0\0\xff\xff\xff\xff" + _ITEM + b"\xfe\xff\xdd\xe0\0\0\0\0",
            lambda: (head + b"SQ\0\0\xff\xff\xff\xff" + _ITEM) * chance.randint(1, _DEEPEST),
            lambda: head + b"SQ\0\0" + struct.pack("<I", 8 * 200) + b"\xfe\xff\x00\xe0\0\0\0\0" * 200,
            lambda: b"\x08\0\x05\0CS" + _counted(chance.choice(_CHARSETS)),
            lambda: head + b"UC\0\0" + struct.pack("<I", 5000) + b"\\" * 5000,
            lambda: head + b"US" + _counted(chance.randbytes(2 * chance.randint(0, 4))),
            lambda: head + b"DS" + _counted(chance.choice(_TEXTS)[:60]),
        )
    )()
    data[at - 4 : at - 4] = element


def _counted(value: bytes) -> bytes:
    value += b" " * (len(value) % 2)
    return struct.pack("<H", len(value)) + value


def take_out(data: bytearray, chance: random.Random) -> None:
    """An element is not there."""
    at = _header(data, chance)
    if at is not None:
        start, length = _value(data, at)
        del data[at - 4 : start + length]


def cut(data: bytearray, chance: random.Random) -> None:
    """The file ends here."""
    if data:
        del data[chance.randrange(len(data)) :]


def another_syntax(data: bytearray, chance: random.Random) -> None:
    """Read as what it is not."""
    match = _SYNTAX.search(bytes(data[:1024]))
    if match is not None:
        wanted = chance.choice(_SYNTAXES)
        wanted += b"\0" * (len(wanted) % 2)
        data[match.start() : match.end()] = wanted
        data[match.start() - 2 : match.start()] = struct.pack("<H", len(wanted))


def flip(data: bytearray, chance: random.Random) -> None:
    """Some bits, most often behind the header, where the codestream is."""
    for _ in range(chance.randint(1, 8)) if data else ():
        at = chance.randrange(len(data)) if chance.random() < 0.5 else int(len(data) * chance.random() ** 0.3)
        data[min(at, len(data) - 1)] ^= 1 << chance.randrange(8)


def again(data: bytearray, chance: random.Random) -> None:
    """A piece of it comes twice."""
    if data:
        start = chance.randrange(len(data))
        piece = data[start : start + chance.randint(1, 200)]
        at = chance.randrange(len(data))
        data[at:at] = piece


DAMAGES: Final[tuple[Damage, ...]] = (
    another_vr,
    another_length,
    another_value,
    another_number,
    put_in,
    take_out,
    cut,
    another_syntax,
    flip,
    again,
)
