# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""More than a thousand bundles that somebody has changed: each is refused before a parser sees a byte.

What runs while a bundle is read is watched from outside: every call into the packages that parse what a
bundle holds would be seen.
"""

from __future__ import annotations

import random
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.errors import ModelBundleError
from appliance.models.bundle import read_bundle, unpack_bundle
from appliance.models.contents import SIGNATURE, SUMS, sums_of
from appliance.models.keys import Trust
from appliance.models.releases import Releases
from appliance.models.signature import sign
from tests.calls_watched import calls_watched
from tests.tiny_bundles import Speaks, build, signing_key, trusted

SEED = 20261122
PARSERS = frozenset(("tomllib", "tomli", "json", "onnx", "numpy"))
"""Packages that understand card, gate, graph and golden data."""
Files = dict[str, bytes]
ROUNDS = 130
"""Of each way to change a bundle; there are ten."""
FOLDER_ROUNDS = 3
"""Of these so many rounds as folders, then one as a zip."""


@contextmanager
def parsers_seen() -> Iterator[set[str]]:
    """The parsing packages into which a call was made, by Python or by C code."""
    seen: set[str] = set()

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            seen.add(frame.f_globals.get("__name__", "").partition(".")[0])
        elif event == "c_call":
            seen.add((getattr(argument, "__module__", None) or "").partition(".")[0])

    with calls_watched(watch):
        yield seen
    seen &= PARSERS


@dataclass(frozen=True)
class Scene:
    """Two valid bundles, an older release of the first, and the hands that are at work."""

    files: Files
    other: Files
    older: Files
    stranger: Ed25519PrivateKey
    rng: random.Random

    def victim(self) -> str:
        return self.rng.choice(sorted(self.files))

    def resummed(self, files: Files) -> Files:
        return files | {SUMS: sums_of({name: files[name] for name in files if name not in {SUMS, SIGNATURE}})}


def _changed(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flip_a_bit(scene: Scene) -> Files:
    name = scene.victim()
    return scene.files | {name: _changed(scene.files[name], scene.rng)}


def truncate(scene: Scene) -> Files:
    name = scene.victim()
    return scene.files | {name: scene.files[name][: scene.rng.randrange(len(scene.files[name]))]}


def append(scene: Scene) -> Files:
    name = scene.victim()
    return scene.files | {name: scene.files[name] + scene.rng.randbytes(scene.rng.randint(1, 9))}


def swap_two_files(scene: Scene) -> Files:
    one, two = scene.rng.sample(sorted(scene.files), 2)
    return scene.files | {one: scene.files[two], two: scene.files[one]}


def take_files_of_another_signed_bundle(scene: Scene) -> Files:
    """Any true part of them: all of them would be the other bundle, which is a good one."""
    differing = [name for name in sorted(scene.files) if scene.files[name] != scene.other[name]]
    taken = scene.rng.sample(differing, scene.rng.randint(1, len(differing) - 1))
    return scene.files | {name: scene.other[name] for name in taken}


def rewrite_the_sums(scene: Scene) -> Files:
    name = scene.rng.choice(sorted(scene.files.keys() - {SUMS, SIGNATURE}))
    return scene.resummed(scene.files | {name: _changed(scene.files[name], scene.rng)})


def sign_as_a_stranger(scene: Scene) -> Files:
    changed = rewrite_the_sums(scene)
    return changed | {SIGNATURE: sign(changed[SUMS], scene.stranger, of=Speaks("ct_denoise", "halve", 2))}


def claim_to_be_the_trusted_key(scene: Scene) -> Files:
    """The stranger's signature under the name of the key that the device knows."""
    changed = sign_as_a_stranger(scene)
    claimed = scene.files[SIGNATURE].split(b"\n")[:5]
    return changed | {SIGNATURE: b"\n".join([*claimed, *changed[SIGNATURE].split(b"\n")[5:]])}


def leave_something_out_or_bring_something(scene: Scene) -> Files:
    changed = dict(scene.files)
    if scene.rng.random() < 0.5:
        del changed[scene.victim()]
    else:
        changed[f"NOTES{scene.rng.randrange(9)}.md"] = scene.rng.randbytes(20)
    return changed


def bring_back_an_old_release(scene: Scene) -> Files:
    return dict(scene.older)


WAYS: tuple[Callable[[Scene], Files], ...] = (
    flip_a_bit,
    truncate,
    append,
    swap_two_files,
    take_files_of_another_signed_bundle,
    rewrite_the_sums,
    sign_as_a_stranger,
    claim_to_be_the_trusted_key,
    leave_something_out_or_bring_something,
    bring_back_an_old_release,
)


def files_of(folder: Path) -> Files:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def put(files: Mapping[str, bytes], folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def put_zip(files: Mapping[str, bytes], archive: Path) -> Path:
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return archive


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("scene")
    return Scene(
        files=files_of(build(folder / "b", release=2)),
        other=files_of(build(folder / "other", task="other", release=2, factor=0.25)),
        older=files_of(build(folder / "older", release=1)),
        stranger=Ed25519PrivateKey.generate(),
        rng=random.Random(SEED),
    )


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Release 2 has served here."""
    kept = Releases(tmp_path / "releases")
    kept.note(Speaks("ct_denoise", "halve", 2))
    return kept


@pytest.fixture(scope="module")
def trust() -> Trust:
    return trusted()


def test_the_untouched_bundles_are_taken_and_the_watch_sees_every_parser(
    scene: Scene, trust: Trust, releases: Releases, tmp_path: Path
) -> None:
    with parsers_seen() as seen:
        assert read_bundle(put(scene.files, tmp_path / "b"), trust=trust, releases=releases).card.release == 2
    assert seen >= {"json", "onnx", "numpy"}
    assert seen & {"tomllib", "tomli"}
    archive = put_zip(scene.files, tmp_path / "b.zip")
    assert read_bundle(unpack_bundle(archive, into=tmp_path / "u", trust=trust), trust=trust).signer
    assert read_bundle(put(scene.other, tmp_path / "b"), trust=trust, releases=releases).card.task == "other"
    assert read_bundle(put(scene.older, tmp_path / "b"), trust=trust).card.release == 1, (
        "no record, no refusal"
    )


def take_in(path: Path, into: Path, trust: Trust, releases: Releases) -> None:
    if path.suffix == ".zip":
        unpack_bundle(path, into=into, trust=trust, releases=releases)
    else:
        read_bundle(path, trust=trust, releases=releases)


# Trace: REQ-023
@pytest.mark.parametrize("change", WAYS, ids=lambda change: change.__name__)
def test_a_changed_bundle_is_refused_before_a_parser_runs(
    scene: Scene,
    trust: Trust,
    releases: Releases,
    tmp_path: Path,
    change: Callable[[Scene], Files],
) -> None:
    refused = 0
    for number in range(ROUNDS):
        files = change(scene)
        zipped = number % (FOLDER_ROUNDS + 1) == FOLDER_ROUNDS
        path = put_zip(files, tmp_path / "b.zip") if zipped else put(files, tmp_path / "b")
        with parsers_seen() as seen, pytest.raises(ModelBundleError):
            take_in(path, tmp_path / "u", trust, releases)
        assert not seen, (number, seen)
        refused += 1
    assert refused == ROUNDS
    assert not (tmp_path / "u").exists(), "what is refused is not unpacked either"


def test_there_are_more_than_a_thousand() -> None:
    assert len(WAYS) * ROUNDS >= 1000


def test_a_signature_that_speaks_of_another_model_than_the_card_is_refused(
    scene: Scene, trust: Trust, tmp_path: Path
) -> None:
    """A slip of whoever signs: the counter of releases would count for something else."""
    for speaks in (
        Speaks("other", "halve", 2),
        Speaks("ct_denoise", "double", 2),
        Speaks("ct_denoise", "halve", 3),
    ):
        signature = sign(scene.files[SUMS], signing_key(), of=speaks)
        with pytest.raises(ModelBundleError, match="it was signed as release"):
            read_bundle(put(scene.files | {SIGNATURE: signature}, tmp_path / "b"), trust=trust)
