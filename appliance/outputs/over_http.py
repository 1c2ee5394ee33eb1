# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Handing something to a web server, and what it answers in words.

Proxies and logins of the environment are not used: what leaves goes where the settings say, with what they
say. What a server writes in its answer is never repeated: it may quote the patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from appliance.errors import DeliveryError
from appliance.receivers import HttpSettings

CONNECT_TIMEOUT_S: Final = 10.0
ANSWER_TIMEOUT_S: Final = 60.0
MAX_ANSWER_BYTES: Final = 4 * 1024**2
"""No answer that we wait for is larger; a server that never ends must not fill our memory."""
CHUNK_BYTES: Final = 64 * 1024
OTHER_MOMENT: Final = frozenset({408, 423, 425, 429})
"""Statuses by which a server asks to come again (RFC 9110, 6585, 8470)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: a success, or what the caller has to judge."""

    status: int
    body: bytes


class WebServer:
    """One receiver of the settings that speaks HTTP."""

    def __init__(
        self,
        receiver: HttpSettings,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        answer_timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._receiver = receiver
        self._timeouts_s = (connect_timeout_s, answer_timeout_s)

    @property
    def words(self) -> str:
        """For people: its name and where it is."""
        return f"{self._receiver.name} ({self._receiver.url})"

    def post(self, content: bytes, headers: Mapping[str, str]) -> Answer:
        """POST, once. Raises DeliveryError in words for everything but a success (2xx) or 400 and 422."""
        if self._receiver.ca_file and not Path(self._receiver.ca_file).is_file():
            raise self._error(
                f"{self._receiver.ca_file} cannot be read.",
                remedy="Correct the setting ca_file.",
                permanent=True,
            )
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.post(
                    self._receiver.url,
                    data=content,
                    headers=dict(headers),
                    timeout=self._timeouts_s,
                    verify=self._receiver.ca_file or True,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    answer = Answer(status=response.status_code, body=_body(response))
        except requests.exceptions.SSLError as error:
            raise self._error(
                f"The certificate of {self.words} is not one that we trust.",
                remedy="Name the authority that signed it in ca_file, or correct the address.",
                permanent=True,
            ) from error
        except requests.exceptions.ConnectTimeout as error:
            raise self._does_not_answer() from error
        except requests.exceptions.ReadTimeout as error:
            raise self._error(
                f"{self.words} took the connection but did not answer in time.",
                remedy="Look at the receiver's log; it is tried again.",
            ) from error
        except (requests.exceptions.RequestException, OSError) as error:
            raise self._does_not_answer() from error
        return self._judged(answer)

    def _judged(self, answer: Answer) -> Answer:
        status = answer.status
        if 200 <= status < 300 or status in (400, 422):
            return answer
        if status in (401, 403):
            raise self._error(
                f"{self.words} does not let us in (HTTP {status}).",
                remedy="Check the token or secret in the settings, and what it may do at the receiver.",
                permanent=True,
            )
        if status in (404, 405, 410) or 300 <= status < 400:
            raise self._error(
                f"There is nothing for us at the address of {self.words} (HTTP {status}).",
                remedy="Correct its url in the settings.",
                permanent=True,
            )
        if status in OTHER_MOMENT or status >= 500:
            raise self._error(
                f"{self.words} cannot take anything now (HTTP {status}).",
                remedy="Look at the receiver's log; it is tried again.",
            )
        raise self.refuses(f"HTTP {status}")

    def refuses(self, why: str) -> DeliveryError:
        """It does not take this one."""
        return self._error(
            f"{self.words} refuses this one ({why}).",
            remedy="Look at the receiver's log: it says what it does not like.",
            permanent=True,
            this_file_only=True,
        )

    def _does_not_answer(self) -> DeliveryError:
        return self._error(
            f"{self.words} does not answer.",
            remedy="Look at the network cable and whether the receiver runs; it is tried again.",
        )

    @staticmethod
    def _error(
        what: str, *, remedy: str, permanent: bool = False, this_file_only: bool = False
    ) -> DeliveryError:
        return DeliveryError(what, remedy=remedy, permanent=permanent, this_file_only=this_file_only)


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK_BYTES):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            break
    return bytes(body)


def secret_in(file: str) -> str:
    """The one line of a file with a token, secret or password; read anew each time, so that it may change.

    Raises DeliveryError when it cannot be read; the file's content is in no message.
    """
    try:
        return Path(file).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DeliveryError(
            f"The file with the secret {file} cannot be read.",
            remedy="Let the user of the appliance read it, or correct its name in the settings.",
            permanent=True,
        ) from error


def content_of(path: Path) -> bytes:
    """What is to be sent. Raises DeliveryError when the disk does not give it."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeliveryError(
            f"{path.name} cannot be read for sending: {error.strerror}.",
            remedy="Look at the disk of this device; the file is tried again.",
            permanent=True,
            this_file_only=True,
        ) from error
