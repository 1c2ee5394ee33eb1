# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Telling people by e-mail, encrypted: a server that cannot is told nothing, unless the settings say so."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Final

import structlog

from appliance.clock import Clock, SystemClock
from appliance.config import Settings
from appliance.errors import DeliveryError
from appliance.outputs.over_http import secret_in
from appliance.outputs.telling import Cooldown, notice_in, text_of
from appliance.receivers import EmailSettings

TIMEOUT_S: Final = 30.0
HELLO: Final = "scanside"
"""How we greet: not the name of this machine."""
SUBJECT_LENGTH: Final = 200
PERMANENT: Final = 500
"""SMTP replies from here on do not change by waiting (RFC 5321, 4.2.1)."""


class Mailbox:
    """A `Destination`."""

    def __init__(self, receiver: EmailSettings, clock: Clock, *, timeout_s: float = TIMEOUT_S) -> None:
        self.name = receiver.name
        self._receiver = receiver
        self._clock = clock
        self._timeout_s = timeout_s
        self._cooldown = Cooldown(receiver.cooldown_s, clock)

    @property
    def _words(self) -> str:
        return f"{self.name} (mail server {self._receiver.host}:{self._receiver.port})"

    def deliver(self, path: Path) -> None:
        """Tell one notice, or hold it back. Raises DeliveryError without the server's own words."""
        notice = notice_in(path)
        if self._cooldown.holds_back(notice):
            return
        mail = self._mail(text_of(notice, self._receiver, held_back=self._cooldown.held_back(notice)), path)
        try:
            with self._session() as session:
                refused = session.send_message(mail)
        except ssl.SSLError as error:
            raise self._error(
                f"{self._words} and this device do not agree on encryption ({error.reason or 'TLS'}).",
                remedy="Check security and ca_file in the settings, and the server's certificate.",
                permanent=True,
            ) from error
        except smtplib.SMTPNotSupportedError as error:
            raise self._error(
                f"{self._words} does not offer what is asked for: encryption (STARTTLS) or a login.",
                remedy="Correct port, security or user in the settings.",
                permanent=True,
            ) from error
        except smtplib.SMTPAuthenticationError as error:
            raise self._error(
                f"{self._words} does not let us in (SMTP {error.smtp_code}).",
                remedy="Check user and password_file in the settings.",
                permanent=True,
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            raise self._recipients(max(code for code, _ in error.recipients.values())) from error
        except smtplib.SMTPResponseException as error:
            raise self._error(
                f"{self._words} does not take the message (SMTP {error.smtp_code}).",
                remedy="Look at the mail server's log.",
                permanent=error.smtp_code >= PERMANENT,
            ) from error
        except (smtplib.SMTPException, OSError) as error:
            late = any(isinstance(one, TimeoutError) for one in (error, error.__context__))
            raise self._error(f"{self._words} does not answer{' in time' if late else ''}.") from error
        if refused:  # trying again would tell the others again, for ever
            structlog.get_logger().warning(
                "mail for some was refused", receiver=self.name, count=len(refused)
            )
        self._cooldown.went_out(notice)

    def _mail(self, text: str, path: Path) -> EmailMessage:
        """The first line is the subject; a subject of the template's cannot bring headers of its own."""
        subject, _, body = text.strip().partition("\n")
        mail = EmailMessage()
        mail["Subject"] = "".join(c if c.isprintable() else " " for c in subject)[:SUBJECT_LENGTH]
        mail["From"] = self._receiver.sender
        mail["To"] = ", ".join(self._receiver.to)
        mail["Date"] = format_datetime(self._clock.now_utc())
        same = hashlib.sha256(path.read_bytes()).hexdigest()
        mail["Message-ID"] = f"<{same[:32]}@{self._receiver.sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(body or subject)
        return mail

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """Connected, encrypted and logged in as the settings say."""
        receiver = self._receiver
        if receiver.ca_file and not Path(receiver.ca_file).is_file():
            raise self._error(
                f"{receiver.ca_file} cannot be read.", remedy="Correct the setting ca_file.", permanent=True
            )
        context = ssl.create_default_context(cafile=receiver.ca_file or None)
        where = (receiver.host, receiver.port)
        if receiver.security == "tls":
            session: smtplib.SMTP = smtplib.SMTP_SSL(
                *where, local_hostname=HELLO, timeout=self._timeout_s, context=context
            )
        else:
            session = smtplib.SMTP(*where, local_hostname=HELLO, timeout=self._timeout_s)
        with session:
            if receiver.security == "starttls":
                session.starttls(context=context)
            if receiver.user:
                session.login(receiver.user, secret_in(receiver.password_file))
            yield session

    def _recipients(self, code: int) -> DeliveryError:
        return self._error(
            f"{self._words} does not take mail for somebody in the list (SMTP {code}).",
            remedy="Correct `to` in the settings, or ask whoever runs the mail server.",
            permanent=code >= PERMANENT,
        )

    @staticmethod
    def _error(
        what: str,
        *,
        remedy: str = "Look at the network and the mail server; it is tried again.",
        permanent: bool = False,
    ) -> DeliveryError:
        return DeliveryError(what, remedy=remedy, permanent=permanent)


def destination(receiver: EmailSettings, settings: Settings) -> Mailbox:
    """The way out to this receiver."""
    del settings
    return Mailbox(receiver, SystemClock())
