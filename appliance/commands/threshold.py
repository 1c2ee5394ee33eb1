# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""`scanside threshold`: what is flagged here, and moving it within the range that the model card signs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from appliance.commands.options import DEFAULT_DATA, Config, Data
from appliance.commands.say import AsJson, errors_in_words, say_json, table

if TYPE_CHECKING:
    from appliance.domain.card import Label, ModelCard
    from appliance.store.thresholds import ThresholdChange, Thresholds

threshold = typer.Typer(no_args_is_help=True, help="Operating points of the models at this site.")


@threshold.command("show")
def show(*, data: Data = DEFAULT_DATA, config: Config = None, as_json: AsJson = False) -> None:
    """Say for each finding what is in force, what is signed, and who moved it when and why."""
    from appliance.commands.existing_store import existing_store  # noqa: PLC0415  (--help stays quick)
    from appliance.commands.installed_cards import triage_cards  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.store.thresholds import Thresholds  # noqa: PLC0415

    with errors_in_words():
        layout = Layout(data=data.resolve())
        with existing_store(data, change=False) as database:
            known = Thresholds(database)
            lines = [
                _line(known, card, label) for card in triage_cards(config, layout) for label in card.labels
            ]
        if as_json:
            for line in lines:
                say_json(line)
            return
        rows: list[tuple[str, ...]] = [
            (
                line["task"],
                f"{line['finding']} ({line['code']})",
                f"{line['in_force']:g}",
                f"{line['signed_low']:g} to {line['signed_high']:g}",
                line["words"],
            )
            for line in lines
        ]
        columns = ("task", "finding", "flagged from", "signed range", "changed")
        table("Operating points" if rows else "No triage model is installed", columns, rows)


@threshold.command("set")
def move(
    task: Annotated[str, typer.Argument(help="The task, as `scanside threshold show` names it.")],
    code: Annotated[str, typer.Argument(help="The code of the finding.")],
    value: Annotated[float, typer.Argument(help="The new operating point, 0 to 1, within the signed range.")],
    *,
    by: Annotated[str, typer.Option("--by", help="Name of the person who decides.")],
    why: Annotated[str, typer.Option("--why", help="The reason, one sentence.")],
    data: Data = DEFAULT_DATA,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Move an operating point. Asks for the PIN of the role lead; holds from the next image on.

    Refused outside the signed range. A new release of the model goes back to its signed threshold by itself.
    """
    from appliance.commands.existing_store import existing_store  # noqa: PLC0415  (--help stays quick)
    from appliance.commands.installed_cards import label_of, triage_cards  # noqa: PLC0415
    from appliance.commands.words import one_line  # noqa: PLC0415
    from appliance.config import load_settings  # noqa: PLC0415
    from appliance.domain.record import to_plain  # noqa: PLC0415
    from appliance.layout import Layout  # noqa: PLC0415
    from appliance.monitor.reports.change_record import change_record  # noqa: PLC0415
    from appliance.pins import Role  # noqa: PLC0415
    from appliance.store.thresholds import Signatory, Thresholds  # noqa: PLC0415

    with errors_in_words():
        signatory = Signatory(
            decided_by=one_line(by, "--by"), role=Role.LEAD.value, why=one_line(why, "--why")
        )
        pins = load_settings(config).kiosk.pins
        layout = Layout(data=data.resolve())
        card, label = label_of(triage_cards(config, layout), task=task, code=code)
        _ask_pin(pins)
        with existing_store(data, change=True) as database:
            record = change_record(database, card, label, to=value)
            change = Thresholds(database).move(card, label, value, by=signatory, record=record)
        if as_json:
            say_json(to_plain(change))
            return
        typer.echo(
            f"{label.code.meaning}: flagged from {change.new_threshold:g} on (was {change.old_threshold:g}; "
            f"signed range {label.sensitive_threshold:g} to {label.specific_threshold:g}). It holds from the "
            "next image on, and results say so."
        )
        typer.echo(record["impact"]["words"])


def _line(known: Thresholds, card: ModelCard, label: Label) -> dict[str, Any]:
    newest = known.newest(card.task, label.code)
    local = known.in_force(card).get((label.code.value, label.code.scheme))
    return {
        "task": card.task,
        "model": card.identity,
        "release": card.release,
        "code": label.code.value,
        "finding": label.code.meaning,
        "in_force": label.sensitive_threshold if local is None else local.in_force,
        "signed_low": label.sensitive_threshold,
        "signed_high": label.specific_threshold,
        "is_local": local is not None,
        "decided_by": None if newest is None else newest.decided_by,
        "role": None if newest is None else newest.role,
        "decided_at_utc": None if newest is None else newest.decided_at_utc,
        "why": None if newest is None else newest.why,
        "words": _changed(newest, is_local=local is not None),
    }


def _changed(newest: ThresholdChange | None, *, is_local: bool) -> str:
    if newest is None:
        return "never: as signed"
    words = f"{newest.decided_at_utc[:16]} UTC by {newest.decided_by}: {newest.why}"
    if newest.is_local and not is_local:
        return f"set for release {newest.release} of {newest.name}; as signed with this one. {words}"
    return words


def _ask_pin(file: Any) -> None:
    from appliance.errors import ConfigError  # noqa: PLC0415
    from appliance.pins import Role, load_pins  # noqa: PLC0415

    pins = load_pins(file)
    if not pins.has(Role.LEAD):
        raise ConfigError(
            "No PIN is set for the role lead, so nobody may move an operating point.",
            remedy="Run: scanside pin set lead",
        )
    if not pins.verify(Role.LEAD, typer.prompt("PIN of lead", hide_input=True, err=True).encode("utf-8")):
        raise ConfigError("That is not the PIN of lead. Nothing was changed.", remedy="Try again.")
