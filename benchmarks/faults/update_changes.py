# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Ways to change an update of the software. Each leaves one at the scene's place that has to be refused."""

from __future__ import annotations

import random
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.models.signature import sign
from appliance.updates.bundle import MANIFEST, SIGNATURE
from benchmarks.faults.bundle_changes import Speaks
from benchmarks.faults.update_bundles import KEY, manifest_for, tiny
from export.update import signed_files

SERVED: Final = 5
"""The release that runs; the update that is changed is the next one."""
FLOOR: Final = 3
"""The security floor of what runs."""
NEXT: Final = SERVED + 1
LOCAL_HEADER_BYTES: Final = 30
"""Before a file's name in a zip."""
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(4, 36)))


@dataclass(frozen=True)
class Scene:
    """Where good updates are made, where the changed one goes, and chance."""

    good: Path
    place: Path
    chance: random.Random

    def start(self) -> Path:
        """A copy of the good update."""
        shutil.copytree(tiny(NEXT, self.good), self.place)
        return self.place

    def victim(self) -> Path:
        """One of its files."""
        return self.chance.choice(sorted(self.start().iterdir()))

    def sign_anew(self, *, release: int = NEXT, key: Ed25519PrivateKey = KEY, machine: str = "") -> None:
        """A manifest and a signature that fit what lies there."""
        wheels = sorted(self.place.glob("*.whl"))
        manifest = manifest_for(wheels, release)
        if machine:
            manifest = replace(manifest, target=replace(manifest.target, machine=machine))
        for name, content in signed_files(manifest, key).items():
            (self.place / name).write_bytes(content)

    def as_one_file(self, *, compression: int = zipfile.ZIP_STORED, beside: tuple[str, ...] = ()) -> None:
        """The folder as one file. `beside`: more names in it."""
        files = {path.name: path.read_bytes() for path in sorted(self.place.iterdir())}
        shutil.rmtree(self.place)
        with zipfile.ZipFile(self.place, "w", compression) as packed:
            for name, content in files.items():
                packed.writestr(name, content)
            for name in beside:
                packed.writestr(name, b"x")


def flip_a_bit(scene: Scene) -> None:
    """One bit of one file."""
    victim = scene.victim()
    content = bytearray(victim.read_bytes())
    content[scene.chance.randrange(len(content))] ^= 1 << scene.chance.randrange(8)
    victim.write_bytes(content)


def flip_a_bit_of_one_file(scene: Scene) -> None:
    """The same, where the update is one file. Dates in a zip, which nobody reads, are left alone."""
    scene.start()
    scene.as_one_file()
    content = bytearray(scene.place.read_bytes())
    with zipfile.ZipFile(scene.place) as packed:
        victim = scene.chance.choice(packed.infolist())
    start = victim.header_offset + LOCAL_HEADER_BYTES + len(victim.filename)
    content[start + scene.chance.randrange(victim.file_size)] ^= 1 << scene.chance.randrange(8)
    scene.place.write_bytes(content)


def truncate(scene: Scene) -> None:
    """One file ends early."""
    victim = scene.victim()
    content = victim.read_bytes()
    victim.write_bytes(content[: scene.chance.randrange(len(content))])


def swap_two_files(scene: Scene) -> None:
    """Each under the name of the other."""
    one, other = scene.chance.sample(sorted(scene.start().iterdir()), 2)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def mix_two_releases(scene: Scene) -> None:
    """One file of the next release, signed by the right key as well."""
    scene.start()
    newer = tiny(NEXT + 1, scene.good)
    name = scene.chance.choice((MANIFEST, SIGNATURE))
    (scene.place / name).write_bytes((newer / name).read_bytes())


def downgrade(scene: Scene) -> None:
    """A release that was good once, or one below the floor."""
    scene.start()
    scene.sign_anew(release=scene.chance.randrange(1, SERVED))


def sign_as_a_stranger(scene: Scene) -> None:
    """Whole and well signed, by somebody whom nobody here trusts."""
    scene.start()
    scene.sign_anew(release=NEXT + scene.chance.randrange(9), key=STRANGER)


def sign_as_a_model(scene: Scene) -> None:
    """The right key, but it speaks of a model."""
    scene.start()
    content = (scene.place / MANIFEST).read_bytes()
    (scene.place / SIGNATURE).write_bytes(sign(content, KEY, of=Speaks(NEXT)))


def sign_for_another_machine(scene: Scene) -> None:
    """The right key, for a machine that this is not."""
    scene.start()
    scene.sign_anew(machine=scene.chance.choice(("riscv64", "s390x", "aarch65")))


def link_a_file(scene: Scene) -> None:
    """A symbolic link in the place of a file, to the very bytes that belong there."""
    victim = scene.victim()
    elsewhere = scene.place.with_suffix(".elsewhere")
    victim.rename(elsewhere)
    victim.symlink_to(elsewhere)


def bring_one_more(scene: Scene) -> None:
    """A file that nobody listed: another package, or a name that would leave the folder."""
    scene.start()
    name = scene.chance.choice(("extra-1.0-py3-none-any.whl", "../../outside.whl", "setup.py", "/abs.whl"))
    scene.as_one_file(beside=(name,))


def compress(scene: Scene) -> None:
    """One file that would have to be inflated to be read."""
    scene.start()
    scene.as_one_file(compression=zipfile.ZIP_DEFLATED)


CHANGES: Final[tuple[Callable[[Scene], None], ...]] = (
    flip_a_bit,
    flip_a_bit_of_one_file,
    truncate,
    swap_two_files,
    mix_two_releases,
    downgrade,
    sign_as_a_stranger,
    sign_as_a_model,
    sign_for_another_machine,
    link_a_file,
    bring_one_more,
    compress,
)
