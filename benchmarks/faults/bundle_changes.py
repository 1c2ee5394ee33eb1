# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Ways to change a model bundle. Each leaves a bundle in the scene's folder that has to be refused."""

from __future__ import annotations

import functools
import os
import pickle  # noqa: TID251  (a bundle that holds one has to be refused)
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final, TypeAlias

import onnx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.models.contents import CARD, GOLDEN, MODEL, SIGNATURE, SUMS, sums_of
from appliance.models.keys import Signer, Trust, TrustedKey, fingerprint_of
from appliance.models.signature import sign

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
"""Whose bundles are taken here."""
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(2, 34)))
TASK: Final = "ct_denoise"
NAME: Final = "Denoiser of the fault figure"
SERVED: Final = 3
"""The release that has served; the bundle that is changed is this one."""
Files: TypeAlias = dict[str, bytes]


@dataclass(frozen=True)
class Speaks:
    """What a signature speaks of."""

    release: int
    task: str = TASK
    name: str = NAME


def trust() -> Trust:
    """One key."""
    signer = Signer(name="figure", fingerprint=fingerprint_of(KEY.public_key()))
    known = TrustedKey(signer=signer, key=KEY.public_key())
    return Trust(keys={signer.fingerprint: known}, revoked=frozenset(), problems=())


@functools.cache
def _shipped() -> Files:
    folder = resources.files("appliance") / "models_shipped" / TASK
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def release_of(number: int, *, key: Ed25519PrivateKey = KEY) -> Files:
    """The shipped denoiser as another release, signed anew."""
    files = {name: content for name, content in _shipped().items() if name not in {SUMS, SIGNATURE}}
    card = re.sub(rb'(?m)^name = ".*"$', f'name = "{NAME}"'.encode(), files[CARD], count=1)
    files[CARD] = re.sub(rb"(?m)^release = \d+$", b"release = %d" % number, card, count=1)
    return signed(files, number, key=key)


def signed(files: Files, number: int, *, key: Ed25519PrivateKey = KEY) -> Files:
    """With a list and a signature that fit."""
    plain = {name: content for name, content in files.items() if name not in {SUMS, SIGNATURE}}
    sums = sums_of(plain)
    return {**plain, SUMS: sums, SIGNATURE: sign(sums, key, of=Speaks(number))}


def shipped() -> Files:
    """The bundle that is changed: good as it is."""
    return dict(_served())


@functools.cache
def _served() -> Files:
    return release_of(SERVED)


def put(files: Files, folder: Path) -> Path:
    """The files as a bundle."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@dataclass(frozen=True)
class Scene:
    """The good bundle, where the changed one goes, and chance."""

    files: Files
    folder: Path
    chance: random.Random

    def victim(self) -> str:
        """The name of one of its files."""
        return self.chance.choice(sorted(self.files))

    def put(self, **changed: bytes) -> None:
        """The bundle with these files in the place of its own."""
        put({**self.files, **changed}, self.folder)


def flip_a_bit(scene: Scene) -> None:
    """One bit of one file."""
    name = scene.victim()
    content = bytearray(scene.files[name])
    content[scene.chance.randrange(len(content))] ^= 1 << scene.chance.randrange(8)
    scene.put(**{name: bytes(content)})


def truncate(scene: Scene) -> None:
    """One file ends early."""
    name = scene.victim()
    scene.put(**{name: scene.files[name][: scene.chance.randrange(len(scene.files[name]))]})


def swap_two_files(scene: Scene) -> None:
    """Each under the name of the other."""
    one, other = scene.chance.sample(sorted(scene.files), 2)
    scene.put(**{one: scene.files[other], other: scene.files[one]})


def mix_two_releases(scene: Scene) -> None:
    """The list of this release, and the card of the next, both signed by the right key."""
    newer = release_of(SERVED + 1)
    name = scene.chance.choice((CARD, SUMS, SIGNATURE))
    scene.put(**{name: newer[name]})


def downgrade(scene: Scene) -> None:
    """A release that was good once."""
    put(release_of(scene.chance.randrange(SERVED)), scene.folder)


def sign_as_a_stranger(scene: Scene) -> None:
    """Whole and well signed, by somebody whom nobody here trusts."""
    put(signed(scene.files, SERVED + scene.chance.randrange(9), key=STRANGER), scene.folder)


def link_a_file(scene: Scene) -> None:
    """A symbolic link in the place of a file, to the very bytes that belong there."""
    scene.put()
    name = scene.victim()
    elsewhere = scene.folder.with_suffix(".elsewhere")
    elsewhere.write_bytes(scene.files[name])
    (scene.folder / name).unlink()
    (scene.folder / name).symlink_to(elsewhere)


def point_outside(scene: Scene) -> None:
    """Weights in another file; the list is made anew, the signature is the old one."""
    model = onnx.ModelProto.FromString(scene.files[MODEL])
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], location="../../../etc/passwd")
    content = model.SerializeToString()
    plain = {n: c for n, c in {**scene.files, MODEL: content}.items() if n not in {SUMS, SIGNATURE}}
    scene.put(**{MODEL: content, SUMS: sums_of(plain)})


class _Runs:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {RAN}",)


RAN: Final = "/dev/shm/scanside-figure-pickle-ran"  # noqa: S108
"""Where a pickle that was loaded would leave its mark."""


def bring_a_pickle(scene: Scene) -> None:
    """As a file of its own, or in the place of the graph or the golden data. Listed, signed by a stranger."""
    content = pickle.dumps(_Runs())
    name = scene.chance.choice((MODEL, GOLDEN, "model.pt", "weights.pkl", "README.md"))
    put(signed({**scene.files, name: content}, SERVED, key=STRANGER), scene.folder)


def bring_a_signed_pickle(scene: Scene) -> None:
    """The right key signs it: the kinds of files and their meaning are the last wall."""
    content = pickle.dumps(_Runs())
    put(
        signed({**scene.files, scene.chance.choice(("model.pt", "weights.pkl")): content}, SERVED),
        scene.folder,
    )


CHANGES: Final[tuple[Callable[[Scene], None], ...]] = (
    flip_a_bit,
    truncate,
    swap_two_files,
    mix_two_releases,
    downgrade,
    sign_as_a_stranger,
    link_a_file,
    point_outside,
    bring_a_pickle,
    bring_a_signed_pickle,
)
