# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside courier status`: what waits, what is on its way, which receipts are late."""

from __future__ import annotations

from typing import Any, Final

import typer

from appliance.clock import SystemClock
from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.config import load_settings
from appliance.errors import ExitCode
from appliance.layout import Layout

SECONDS_A_DAY: Final = 86400


def status(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """What waits for the courier, what they carry, and which receipts are late.

    Exit code 1 when a receipt is late.
    """
    from appliance.store.connection import Database  # noqa: PLC0415  (--help stays quick)
    from appliance.store.courier_standing import CourierStandings  # noqa: PLC0415

    with errors_in_words():
        settings = load_settings(config).courier
        layout, clock = Layout(data=data.resolve()), SystemClock()
        with Database.open_to_read(layout.database, data=layout.data, clock=clock) as database:
            standing = CourierStandings(database, peer=settings.name).now()
        now = clock.now_utc()
        lines: list[dict[str, Any]] = []
        for bundle in standing.bundles:
            days = (now - bundle.packed_at_utc).total_seconds() / SECONDS_A_DAY
            late = bundle.state == "handed" and days > settings.receipt_after_days
            lines.append(
                {
                    "bundle": bundle.bundle,
                    "file": bundle.file_name,
                    "state": bundle.state,
                    "packed_at_utc": bundle.packed_at_utc.isoformat(),
                    "days": round(days, 1),
                    "files": bundle.files,
                    "exams": bundle.exams,
                    "size_bytes": bundle.size_bytes,
                    "accepted": bundle.accepted,
                    "refused": bundle.refused,
                    "unanswered": bundle.unanswered,
                    "receipt_late": late,
                }
            )
        last = standing.last_stick_at_utc
        summary = {
            "enabled": settings.enabled,
            "waiting_files": standing.waiting_files,
            "waiting_exams": standing.waiting_exams,
            "carried_files": standing.carried_files,
            "last_stick_at_utc": last.isoformat() if last else None,
            "receipts_late": sum(line["receipt_late"] for line in lines),
        }
        if as_json:
            say_json(summary | {"bundles": lines})
        else:
            ago = f"{(now - last).days} days ago" if last else "none yet"
            typer.echo(
                f"Courier: {standing.waiting_exams} exams ({standing.waiting_files} files) wait,"
                f" {standing.carried_files} files are on their way; last stick: {ago}."
            )
            rows: list[tuple[str, ...]] = [
                (str(line["bundle"]), _state_words(line), _answer_words(line)) for line in lines
            ]
            table("Bundles", ("bundle", "state", "receipts"), rows)
        raise typer.Exit(ExitCode.FOUND_FAULTS if summary["receipts_late"] else ExitCode.OK)


def _state_words(line: dict[str, Any]) -> str:
    day = line["packed_at_utc"][:10]
    words = {
        "packing": f"begun on {day} and not finished: pack again",
        "packed": f"written on {day}, not yet counted as handed over: pack again with the same stick",
        "handed": f"with the courier since {day}",
        "abandoned": f"not counted on since {day}: its files wait for another stick",
        "closed": "arrived",
    }[line["state"]]
    if line["receipt_late"]:
        words += (
            f"\nNO RECEIPT for {line['days']:.0f} days. Ask the hospital; if the stick is lost:"
            f" scanside courier pack --again {line['bundle']}"
        )
    return words


def _answer_words(line: dict[str, Any]) -> str:
    return (
        f"{line['exams']} exams, {line['files']} files: {line['accepted']} accepted,"
        f" {line['refused']} refused, {line['unanswered']} without a word"
    )
