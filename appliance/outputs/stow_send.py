# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Sending over DICOMweb (STOW-RS, PS3.18 section 10.5): the file's bytes as they are, streamed.

Not with dicomweb-client's `store_instances`: it decodes and encodes the object anew, and holds it in memory
several times over.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import requests
from pydicom.dataset import Dataset
from typing_extensions import Self

from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.receivers import StowSettings

CHUNK_BYTES: Final = 1 << 20
CONNECT_TIMEOUT_S: Final = 10.0
JSON: Final = "application/dicom+json"
WARNING_REASONS: Final = (0xB000, 0xB006, 0xB007)
"""Stored, with elements changed or left out (PS3.18 table 10.5.3-3)."""
NOBODY: Final = "2.25.0"
"""A StudyInstanceUID that no study has: asking for it moves no patient's data."""
UNKNOWN_PATH: Final = (404, 405)


class _Multipart:
    """One file as the only part of a multipart/related message. Its length is known, its content streamed."""

    def __init__(self, path: Path, boundary: str) -> None:
        self._path = path
        self._head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode("ascii")
        self._tail = f"\r\n--{boundary}--\r\n".encode("ascii")
        self._size_bytes = path.stat().st_size

    def __len__(self) -> int:
        return len(self._head) + self._size_bytes + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        with self._path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
        yield self._tail


class DicomWebPeer:
    """A `Destination` that speaks STOW-RS. Its connection is kept between two files."""

    def __init__(self, settings: StowSettings) -> None:
        self.name = settings.name
        self._settings = settings
        self._session = requests.Session()
        self._session.trust_env = False  # nobody is called but the address of the settings: no proxy

    @property
    def _words(self) -> str:
        return f"{self.name} ({self._settings.url})"

    def deliver(self, path: Path) -> None:
        """POST one file. Twice does no harm: it is the same object. Raises DeliveryError."""
        boundary = secrets.token_hex(16)
        try:
            body = _Multipart(path, boundary)
        except OSError as error:
            raise DeliveryError(
                f"{path.name} cannot be read for sending: {error.strerror}.",
                remedy="Look at the disk of this device; the file is tried again.",
                permanent=True,
                this_file_only=True,
            ) from error
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": JSON,
        }
        answer = self._call("POST", f"{self._settings.url.rstrip('/')}/studies", headers=headers, data=body)
        self._judge(answer, path.name)

    def echo(self) -> str:
        """Ask for a study that nobody has. Raises DeliveryError."""
        url = f"{self._settings.url.rstrip('/')}/studies"
        answer = self._call("GET", url, headers={"Accept": JSON}, params={"StudyInstanceUID": NOBODY})
        if answer.status_code in UNKNOWN_PATH:
            return "answers, but not to questions: whether it takes files shows with the first one"
        self._judge(answer, "a question")
        return "answers DICOMweb questions"

    def _call(self, method: str, url: str, **request: Any) -> requests.Response:
        known = self._settings
        certificate = (
            (known.certificate_file, known.key_file or known.certificate_file)
            if known.certificate_file
            else None
        )
        try:
            return self._session.request(
                method,
                url,
                **request,
                auth=self._auth(),
                timeout=(CONNECT_TIMEOUT_S, known.answer_timeout_s),
                verify=known.ca_file or True,
                cert=certificate,
                allow_redirects=False,
            )
        except requests.exceptions.SSLError as error:
            raise DeliveryError(
                f"{self._words} and this device do not agree on TLS: {_inmost(error)}.",
                remedy="Set ca_file to the authority that signed its certificate, and certificate_file and "
                "key_file if it wants one from us.",
                permanent=True,
            ) from error
        except (requests.exceptions.Timeout, requests.exceptions.ConnectionError) as error:
            raise DeliveryError(
                f"{self._words} does not answer: {_inmost(error)}.",
                remedy="Look at the network, the address and whether it runs; it is tried again.",
                permanent=False,
            ) from error
        except (requests.exceptions.RequestException, OSError) as error:  # OSError: a PEM file is not there
            raise DeliveryError(
                f"{self._words} could not be asked: {error}.",
                remedy="Correct url, ca_file, certificate_file and key_file of it in the settings.",
                permanent=True,
            ) from error

    def _auth(self) -> Any:
        known = self._settings
        try:
            if known.token_file:
                return _Bearer(Path(known.token_file).read_text(encoding="utf-8").strip())
            if known.password_file:
                password = Path(known.password_file).read_text(encoding="utf-8").strip()
                return (known.user, password)
        except (OSError, UnicodeDecodeError) as error:
            raise DeliveryError(
                f"The secret for {self._words} cannot be read: {error}.",
                remedy="Correct token_file or password_file of it; our user must be able to read it.",
                permanent=True,
            ) from error
        return None

    def _judge(self, answer: requests.Response, file_name: str) -> None:
        """Its answer. Raises DeliveryError unless the file is stored."""
        code = answer.status_code
        reason = _failure_reason(answer)
        if code in {200, 202, 204} and (reason is None or reason in WARNING_REASONS):
            return
        status = f"HTTP {code}" if reason is None else f"HTTP {code}, reason 0x{reason:04X}"
        if code in {401, 403}:
            raise DeliveryError(
                f"{self._words} does not let us in ({status}).",
                remedy="Correct the token or the password of this receiver, or its rights there.",
                permanent=True,
            )
        if code in UNKNOWN_PATH or 300 <= code < 400:
            raise DeliveryError(
                f"{self._words} is no DICOMweb service ({status}).",
                remedy="Correct url in the settings: it ends before /studies.",
                permanent=True,
            )
        no_room = code in {413, 507} or (reason is not None and 0xA700 <= reason < 0xA800)
        if no_room:
            raise DeliveryError(
                f"{self._words} has no room for {file_name} ({status}).",
                remedy=f"Make room at {self.name}, or raise its limit; it is tried again.",
                permanent=False,
            )
        if code in {408, 425, 429} or code >= 500:
            raise DeliveryError(
                f"{self._words} cannot take {file_name} now ({status}).",
                remedy=f"Look at the log of {self.name}; it is tried again.",
                permanent=False,
            )
        raise DeliveryError(
            f"{self._words} refuses {file_name} ({status}).",
            remedy=f"Look at the log of {self.name}.",
            permanent=True,
            this_file_only=True,
        )

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _failure_reason(answer: requests.Response) -> int | None:
    """FailureReason of the one file that was sent; None: the answer names none."""
    try:
        told = Dataset.from_json(json.loads(answer.content))
        failed = told.get("FailedSOPSequence") or ()
        return int(failed[0].FailureReason) if failed else None
    except (ValueError, TypeError, AttributeError, KeyError, UnicodeDecodeError):
        return None


def _inmost(error: BaseException) -> str:
    """The library wraps what the system said several times; people need the system's words."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return getattr(error, "strerror", None) or str(error)


def destination(receiver: StowSettings, settings: Settings) -> DicomWebPeer:
    """The way out to this receiver."""
    del settings
    return DicomWebPeer(receiver)


def echo(receiver: StowSettings, settings: Settings) -> str:
    """Ask it something. Raises DeliveryError."""
    with destination(receiver, settings) as peer:
        return peer.echo()
