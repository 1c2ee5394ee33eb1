# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside notices`: does a notice arrive, and which exam is one about?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from appliance.clock import SystemClock
from appliance.commands.lines import say_lines
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.results import stored_lines
from appliance.commands.say import AsJson, errors_in_words, say_json
from appliance.config import load_settings
from appliance.errors import ConfigError, DeliveryError, ExitCode
from appliance.layout import Layout
from appliance.receivers import NoticeSettings

notices = typer.Typer(no_args_is_help=True, help="Webhooks and e-mails: try one, find the exam of one.")
SHORTEST_LINK = 8
"""Digits of a link that name one exam: as many as stand on a slip."""


@notices.command("test")
def try_notice(
    name: Annotated[str, typer.Argument(help="Name of the webhook or e-mail receiver in the settings.")],
    *,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Tell one receiver of the settings that this is a test. Exit code 1 when it does not take it.

    Says nothing of any patient, and waits for no cooldown.
    """
    from appliance.domain.record import to_json  # noqa: PLC0415  (--help stays quick)
    from appliance.outputs.catalogue import destination  # noqa: PLC0415
    from appliance.outputs.notice import Notice, NoticeKind  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config)
        known = {one.name: one for one in settings.sender.receivers if isinstance(one, NoticeSettings)}
        if name not in known:
            raise ConfigError(
                f"No webhook and no e-mail receiver is called {name!r}.",
                remedy=f"There are: {', '.join(sorted(known)) or 'none in these settings'}.",
            )
        notice = Notice(
            kind=NoticeKind.TEST,
            site=settings.site_name,
            station=None,
            task=None,
            finding=None,
            band=None,
            advice=None,
            time=f"{SystemClock().now_utc():%Y-%m-%d %H:%M:%S} UTC",
            link=None,
        )
        problem = None
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "test.notice.json"
            file.write_text(to_json(notice), encoding="utf-8")
            try:
                destination(known[name], settings).deliver(file)
            except DeliveryError as error:
                problem = str(error)
        if as_json:
            say_json({"receiver": name, "taken": problem is None, "reason": problem})
        else:
            typer.echo(problem or f"{name} took it. Look whether it arrived.")
        raise typer.Exit(ExitCode.FOUND_FAULTS if problem else ExitCode.OK)


@notices.command("find")
def find(
    link: Annotated[str, typer.Argument(help="The link of a notice, or the exam number of a slip.")],
    *,
    data: Data = DEFAULT_DATA,
    as_json: AsJson = False,
) -> None:
    """Say what the store holds of the exam that a notice or a slip is about. Exit code 1: nothing.

    In the same form as `scanside results`.
    """
    from appliance.device_key import DEVICE_KEY, device_key, link_of  # noqa: PLC0415  (--help stays quick)

    with errors_in_words():
        digits = link.replace("-", "").replace(" ", "").lower()
        if len(digits) < SHORTEST_LINK:
            raise ConfigError(
                f"{link!r} is too short.", remedy=f"Give at least {SHORTEST_LINK} digits of the link."
            )
        layout = Layout(data=data.resolve())
        found: list[dict[str, Any]] = []
        if (layout.keys / DEVICE_KEY).exists():
            key = device_key(layout.keys)
            found = list(stored_lines(layout, wanted=lambda exam: link_of(key, exam).startswith(digits)))
        say_lines(found, as_json=as_json)
        raise typer.Exit(ExitCode.OK if found else ExitCode.FOUND_FAULTS)
