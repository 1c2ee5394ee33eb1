# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The inside of a bundle: a tar with the signed list first, written and read in one pass, in little memory.

    manifest.json  SIGNATURE  files/0000001  files/0000002  ...

Headers are made and read by the standard library's TarInfo. Any tar program unpacks it, but this one never
asks a header where to write: names and sizes are compared with the list, and anything else is refused. So
there are no paths, links, devices or extended headers that could lead elsewhere or grow.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from appliance.courier import signing
from appliance.courier.manifest import MAX_MANIFEST_BYTES, Manifest, ManifestEntry, read_manifest
from appliance.errors import InputError
from appliance.models.keys import Trust

MANIFEST_NAME: Final = "manifest.json"
SIGNATURE_NAME: Final = "SIGNATURE"
CHUNK_BYTES: Final = 1024**2
BLOCK: Final = tarfile.BLOCKSIZE
FILE_MODE: Final = 0o600
ENTRY_ROOM_BYTES: Final = 2 * BLOCK + 160
"""What a file takes beside its own bytes: header, padding, and its line in the list."""
HEAD_ROOM_BYTES: Final = 64 * 1024
"""Everything that is there once: the rest of the list, end of the tar, age's header."""
AGE_CHUNK_BYTES: Final = 64 * 1024
AGE_TAG_BYTES: Final = 16
"""age encrypts in chunks, each with its authentication tag (age-encryption.org/v1)."""


def name_of(item: int) -> str:
    """What file number `item` (from 0) is called in the bundle."""
    return f"files/{item + 1:07d}"


def room_for(sizes_bytes: int, files: int) -> int:
    """Bytes that a bundle of so many files takes on the stick, at most."""
    plain = HEAD_ROOM_BYTES + sizes_bytes + files * ENTRY_ROOM_BYTES
    return plain + (plain // AGE_CHUNK_BYTES + 1) * AGE_TAG_BYTES


class ChangedFileError(InputError):
    """A file is not as it was when it was listed."""


class ArchiveSource:
    """The tar as a stream to read from: `read` gives what comes next, nothing is held but one chunk."""

    def __init__(self, manifest: Manifest, paths: tuple[Path, ...], key: Ed25519PrivateKey) -> None:
        self._pieces = self._produce(manifest, paths, key)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes; none at the end. Raises OSError, ChangedFileError."""
        if not self._left:
            self._left = next((piece for piece in self._pieces if piece), b"")
        if size < 0 or size >= len(self._left):
            piece, self._left = self._left, b""
        else:
            piece, self._left = self._left[:size], self._left[size:]
        return piece

    def _produce(
        self, manifest: Manifest, paths: tuple[Path, ...], key: Ed25519PrivateKey
    ) -> Iterator[bytes]:
        content = manifest.to_bytes()
        yield from _small(MANIFEST_NAME, content)
        yield from _small(SIGNATURE_NAME, signing.sign(content, key, context=signing.MANIFEST))
        for item, (entry, path) in enumerate(zip(manifest.files, paths, strict=True)):
            yield _header(name_of(item), entry.size_bytes)
            yield from _content(entry, path)
            yield _padding(entry.size_bytes)
        yield bytes(2 * BLOCK)


def _header(name: str, size_bytes: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size = size_bytes
    info.mode = FILE_MODE
    return info.tobuf(tarfile.GNU_FORMAT)


def _small(name: str, content: bytes) -> Iterator[bytes]:
    yield _header(name, len(content))
    yield content
    yield _padding(len(content))


def _padding(size_bytes: int) -> bytes:
    return bytes(-size_bytes % BLOCK)


def _content(entry: ManifestEntry, path: Path) -> Iterator[bytes]:
    digest = hashlib.sha256()
    left = entry.size_bytes
    with path.open("rb") as file:
        while left and (piece := file.read(min(CHUNK_BYTES, left))):
            digest.update(piece)
            left -= len(piece)
            yield piece
        if left or digest.hexdigest() != entry.sha256 or file.read(1):
            raise ChangedFileError(f"{path.name} changed while it was packed.", remedy="Repeat the command.")


class Visitor(Protocol):
    """Who is told what a bundle holds while it is read."""

    def on_manifest(self, manifest: Manifest, content: bytes) -> None:
        """The list; its signature holds. First of all."""

    def on_piece(self, item: int, piece: bytes) -> None:
        """The next bytes of a file; not yet known to be right."""

    def on_file(self, item: int) -> None:
        """This file is whole and what the list says."""


class ArchiveSink:
    """The tar as a stream to write into, in pieces of any size. Checks everything against the signed list."""

    def __init__(self, visitor: Visitor, *, trust: Trust, what: str) -> None:
        """`what`: the bundle's name, for messages."""
        self._visitor = visitor
        self._trust = trust
        self._what = what
        self._buffer = bytearray()
        self.finished = False
        """The tar's end was seen."""
        self._steps = self._parse()
        next(self._steps)

    def write(self, piece: bytes) -> int:
        """Take the next bytes. Raises CourierRefusedError, and what the visitor raises."""
        self._buffer += piece
        if self.finished:
            raise self._refused("there is something behind its end")
        next(self._steps, None)
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""

    def _parse(self) -> Generator[None, None, None]:
        content = yield from self._small(MANIFEST_NAME, MAX_MANIFEST_BYTES)
        signature = yield from self._small(SIGNATURE_NAME, signing.SIGNATURE_BYTES)
        signer = signing.check(content, signature, self._trust, context=signing.MANIFEST, what=self._what)
        manifest = read_manifest(content, what=self._what)
        if manifest.device != signer.fingerprint:
            raise self._refused("its list names another device than the one that signed it")
        self._visitor.on_manifest(manifest, content)
        for item, entry in enumerate(manifest.files):
            size_bytes = yield from self._member(name_of(item))
            if size_bytes != entry.size_bytes:
                raise self._refused(f"file {item + 1} has another size than its list says")
            digest = hashlib.sha256()

            def take(piece: bytes, item: int = item, update: Callable[[bytes], None] = digest.update) -> None:
                update(piece)
                self._visitor.on_piece(item, piece)

            yield from self._stream(size_bytes, take)
            if digest.hexdigest() != entry.sha256:
                raise self._refused(f"file {item + 1} is not what its list says")
            self._visitor.on_file(item)
            yield from self._exactly(-size_bytes % BLOCK)
        end = yield from self._exactly(2 * BLOCK)
        self.finished = True
        if any(end) or self._buffer:
            raise self._refused("there is something behind its end")

    def _small(self, name: str, most_bytes: int) -> Generator[None, None, bytes]:
        size_bytes = yield from self._member(name)
        if size_bytes > most_bytes:
            raise self._refused(f"its {name} takes {size_bytes} bytes, more than {most_bytes}")
        content = yield from self._exactly(size_bytes)
        yield from self._exactly(-size_bytes % BLOCK)
        return content

    def _member(self, name: str) -> Generator[None, None, int]:
        """The size of the member that comes next, which must be a plain file of this name."""
        block = yield from self._exactly(BLOCK)
        try:
            info = tarfile.TarInfo.frombuf(block, "ascii", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise self._refused("it is not laid out as a bundle") from error
        if info.type != tarfile.REGTYPE or info.name != name or info.size < 0:
            raise self._refused(f"it holds something else where {name} belongs")
        return info.size

    def _exactly(self, size_bytes: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < size_bytes:
            yield
        piece = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        return piece

    def _stream(self, size_bytes: int, take: Callable[[bytes], None]) -> Generator[None, None, None]:
        left = size_bytes
        while left:
            if not self._buffer:
                yield
                continue
            piece = bytes(self._buffer[:left])
            del self._buffer[:left]
            left -= len(piece)
            take(piece)

    def _refused(self, why: str) -> InputError:
        return signing.refused(self._what, why, "Ask its sender to pack these files again.")
