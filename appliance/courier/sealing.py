# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Encryption with age, in one pass: only the recipients of the settings can read what is on a stick.

age (age-encryption.org/v1) by the library `pyrage`: every chunk is authenticated before it is given out,
and so is the end, so a cut bundle is never taken for a whole one.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import pyrage

from appliance.courier.signing import refused
from appliance.device_key import secret_made_once
from appliance.errors import ConfigError

IDENTITY_FILE: Final = "courier.age"
IDENTITY: Final = re.compile(r"^AGE-SECRET-KEY-1[0-9A-Z]+$", re.MULTILINE)


class Source(Protocol):
    """What can be read."""

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes; none at the end."""


class Sink(Protocol):
    """What can be written."""

    def write(self, piece: bytes, /) -> int:
        """Take the next bytes."""

    def flush(self) -> None:
        """Let nothing wait."""


class _Kept:
    """Hands on to the other end, and keeps the error that it raised: the library only keeps its text."""

    def __init__(self, end: Any) -> None:
        self._end = end
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        return bytes(self._do(self._end.read, size))

    def write(self, piece: bytes) -> int:
        return int(self._do(self._end.write, piece))

    def flush(self) -> None:
        self._end.flush()

    def _do(self, act: Any, value: Any) -> Any:
        if self.error is not None:
            raise self.error
        try:
            return act(value)
        except BaseException as error:  # Ctrl-C is one, too
            self.error = error
            raise


def read_recipients(texts: tuple[str, ...]) -> list[Any]:
    """The recipients of the settings. Raises ConfigError naming the one that is none."""
    return [_recipient(text) for text in texts]


def _recipient(text: str) -> Any:
    kind: Any = pyrage.ssh.Recipient if text.startswith("ssh-") else pyrage.x25519.Recipient
    try:
        return kind.from_str(text)
    except pyrage.RecipientError as error:
        raise ConfigError(
            f"courier.recipients names {text[:80]!r}, which is no recipient.",
            remedy="Give what `scanside courier keys` shows at the hospital (age1...), or an ssh public key.",
        ) from error


def read_identities(folder: Path, files: tuple[Path, ...] = ()) -> list[Any]:
    """This machine's own age identity, made on first use, and those in further files (age or ssh).

    Raises ConfigError for a file without one.
    """
    return [own_identity(folder), *(_identity(file) for file in files)]


def identities_in(folder: Path, files: tuple[Path, ...]) -> list[Any]:
    """As `read_identities`, but none is made. Raises ConfigError for a file without one."""
    own = (folder / IDENTITY_FILE,) if (folder / IDENTITY_FILE).exists() else ()
    return [_identity(file) for file in (*own, *files)]


def own_identity(folder: Path) -> Any:
    """This machine's own. Raises ConfigError when it is damaged or others may read it."""
    file = folder / IDENTITY_FILE
    return _parsed(secret_made_once(file, _new_identity), file)


def _new_identity() -> bytes:
    identity = pyrage.x25519.Identity.generate()
    return f"# public key: {identity.to_public()}\n{identity}\n".encode("ascii")


def _identity(file: Path) -> Any:
    try:
        return _parsed(file.read_bytes(), file)
    except OSError as error:
        raise ConfigError(
            f"The identity file {file} cannot be read: {error.strerror}.", remedy="Correct --identity."
        ) from error


def _parsed(content: bytes, file: Path) -> Any:
    try:
        if b"OPENSSH PRIVATE KEY" in content or b"RSA PRIVATE KEY" in content:
            return pyrage.ssh.Identity.from_buffer(content)
        match = IDENTITY.search(content.decode("ascii"))
        if match:
            return pyrage.x25519.Identity.from_str(match[0])
    except (pyrage.IdentityError, UnicodeDecodeError) as error:
        raise _no_identity(file) from error
    raise _no_identity(file)


def _no_identity(file: Path) -> ConfigError:
    return ConfigError(
        f"{file} holds no key that a bundle could be opened with.",
        remedy="Name a file with an age identity or an ssh private key without a passphrase.",
    )


def seal(source: Source, sink: Sink, recipients: list[Any]) -> None:
    """Encrypt all of `source` into `sink`. Raises what the two raise."""
    kept = _Kept(source), _Kept(sink)
    try:
        pyrage.encrypt_io(*kept, recipients)
    except (pyrage.EncryptError, OSError):
        for end in kept:
            if end.error is not None:
                raise end.error from None
        raise


def unseal(source: BinaryIO, sink: Sink, identities: list[Any], *, what: str) -> None:
    """Decrypt all of `source` into `sink`. Raises CourierRefusedError, and what the two raise.

    `what`: the bundle's name, for messages.
    """
    kept = _Kept(source), _Kept(sink)
    try:
        pyrage.decrypt_io(*kept, identities)
    except (pyrage.DecryptError, OSError) as error:
        for end in kept:
            if end.error is not None:
                raise end.error from None
        if "matching" in str(error):
            raise refused(
                what,
                "it was encrypted for somebody else",
                "Give its sender the recipient that `scanside courier keys` shows here.",
            ) from error
        raise refused(
            what, "it is damaged or was cut off", "Copy it from the stick again, or ask for a new one."
        ) from error
