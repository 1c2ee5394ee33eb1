# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Every step of the workshop as a command of its own: files in, files and a table out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from appliance.commands.say import AsJson, errors_in_words, say_json, table
from appliance.errors import ExitCode
from calibration.dataset import CalibrationSet
from calibration.ranges import METHODS
from calibration.sensitivity import sensitivities
from export.calibrate import FOLDS
from export.calibrate import METHODS as LINES
from export.calibrate import calibrate as fit_labels
from export.calibration_images import CalibrationImages
from export.card_file import card_toml, read_card
from export.even_channels import best_equalised
from export.gate import gate as judge
from export.gate_report import as_plain
from export.golden import golden_inputs
from export.graphs import opset, read_graph, write_graph
from export.half import half as to_half
from export.lint import lint as look_through
from export.parity import compare_engines
from export.quantize import quantize as to_int8
from export.recipe import AUTO, Recipe
from export.simplify import simplify as make_plainer
from export.to_onnx import Source, to_onnx
from export.variants import collected_ranges, compared_ranges

Model = Annotated[Path, typer.Argument(help="The float32 ONNX file.", exists=True, dir_okay=False)]
Card = Annotated[Path, typer.Option(help="The model card (card.toml).", exists=True, dir_okay=False)]
Images = Annotated[Path, typer.Option("--calibration", help="Folder of images with a manifest.", exists=True)]
KeepFloat = Annotated[list[str] | None, typer.Option(help="A layer to leave in float (again: more).")]
Rows = list[tuple[str, ...]]
Out = Annotated[Path, typer.Option(help="The file to write.")]
PERCENT: Final = 100.0


def onnx(
    model: Annotated[str, typer.Argument(help=".onnx, .pt2, TorchScript .pt, or package.module:factory.")],
    *,
    card: Card,
    out: Out,
    weights: Annotated[Path | None, typer.Option(help="Safetensors, for a factory.")] = None,
) -> None:
    """A trained network as one ONNX file: weights inside, batch dynamic."""
    with errors_in_words():
        made = to_onnx(Source(model=model, weights=weights), read_card(card))
        write_graph(made, out)
        typer.echo(f"{out}: opset {opset(made)}, {len(made.graph.node)} nodes")


def simplify(model: Model, *, out: Out) -> None:
    """A plainer graph that computes the same: constants folded, batch normalisation inside convolutions."""
    with errors_in_words():
        found = make_plainer(read_graph(model))
        write_graph(found.model, out)
        worst = max(found.relative_error.values())
        typer.echo(f"{out}: {found.nodes_before} to {found.nodes_after} nodes, off by {worst:.1g}")


def equalise(model: Model, *, card: Card, calibration: Images, out: Out, as_json: AsJson = False) -> None:
    """The same network with its channels evened out as suits int8 best, and what each strength costs."""
    with errors_in_words():
        found = best_equalised(read_graph(model), _images(card, calibration))
        write_graph(found.model, out)
        if as_json:
            say_json({"strength": found.strength, "relative_error": found.relative_error})
            return
        rows: Rows = [(name, f"{PERCENT * error:.3g} %") for name, error in found.relative_error.items()]
        table(f"{out}: channels evened out, then int8", ("strength", "largest output error"), rows)


def ranges(model: Model, *, card: Card, calibration: Images, as_json: AsJson = False) -> None:
    """Activation ranges by every method, and what int8 with each of them costs."""
    with errors_in_words():
        found = compared_ranges(read_graph(model), _images(card, calibration))
        if as_json:
            say_json(found)
            return
        table(
            f"Ranges from {found['images_collected']} images, compared on {found['images_compared']}",
            ("method", "largest output error", "values clipped"),
            [
                (
                    f"{name}{' (best)' if name == found['best'] else ''}",
                    f"{PERCENT * max(row['relative_error'].values()):.3g} %",
                    f"{PERCENT * row['clipped']:.3g} %",
                )
                for name, row in found["methods"].items()
            ],
        )


def sensitivity(
    model: Model,
    *,
    card: Card,
    calibration: Images,
    method: Annotated[str, typer.Option(help=f"Ranges: {', '.join(METHODS)}.")] = METHODS[2],
    as_json: AsJson = False,
) -> None:
    """What int8 in each layer alone does to the answers, the worst first."""
    with errors_in_words():
        graph, images = read_graph(model), _images(card, calibration)
        found = sensitivities(graph, collected_ranges(graph, images, method), images.compared())
        if as_json:
            say_json({"layers": [as_plain(row) for row in found]})
            return
        rows: Rows = [(row.layer, f"{PERCENT * row.worst:.3g} %") for row in found]
        table("One layer in int8, all others in float32", ("layer", "largest output error"), rows)


def quantize(
    model: Model,
    *,
    card: Card,
    calibration: Images,
    out: Out,
    method: Annotated[str, typer.Option(help=f"Ranges: {', '.join(METHODS)}.")] = METHODS[2],
    keep_float: KeepFloat = None,
) -> None:
    """The int8 graph that every engine takes. Without a gate: nobody has said yet whether it is good."""
    with errors_in_words():
        graph = read_graph(model)
        limits = collected_ranges(graph, _images(card, calibration), method)
        made = to_int8(graph, limits, keep_float=keep_float or ())
        write_graph(made.model, out)
        typer.echo(f"{out}: {len(made.layers)} layers in int8, {len(made.left_in_float)} in float")


def half(model: Model, *, out: Out) -> None:
    """The float16 graph: layers in float16, borders and scales in float32."""
    with errors_in_words():
        write_graph(to_half(read_graph(model)), out)
        typer.echo(f"{out}: {out.stat().st_size} bytes")


def lint(models: list[Path], *, as_json: AsJson = False) -> None:
    """What some engine would refuse in these graphs, with the node and the remedy. Exit code 1: something."""
    with errors_in_words():
        found = [(path, item) for path in models for item in look_through(read_graph(path))]
        for path, item in found:
            if as_json:
                say_json({"file": path.name} | as_plain(item))
            else:
                typer.echo(f"{path.name}: {item.node}: {item.what}.\n  {item.remedy}")
        if found:
            raise typer.Exit(ExitCode.FOUND_FAULTS)
        if not as_json:
            typer.echo(f"{len(models)} graphs: every engine takes them")


def parity(
    model: Model,
    *,
    card: Card,
    int8: Annotated[Path | None, typer.Option(help="The int8 graph.")] = None,
    fp16: Annotated[Path | None, typer.Option(help="The float16 graph.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every engine of this machine on the golden inputs, beside ONNX Runtime in float32."""
    with errors_in_words():
        graphs = {"fp32": model} | {
            name: path for name, path in (("int8", int8), ("fp16", fp16)) if path is not None
        }
        found = compare_engines(graphs, golden_inputs(read_card(card)))
        if as_json:
            say_json(as_plain(found))
            return
        table(
            f"Against {found.reference}",
            ("engine", "precision", "output", "largest difference", "relative"),
            [
                (row.engine, row.precision, row.output, f"{row.largest:.3g}", f"{row.relative:.3g}")
                for row in found.differences
            ],
        )
        for engine, reason in found.not_run.items():
            typer.echo(f"{engine}: not run: {reason}")


def calibrate(
    model: Model,
    *,
    card: Card,
    labelled: Annotated[
        Path, typer.Option(help="Folder of images with known truth that trained nothing.", exists=True)
    ],
    out: Annotated[Path, typer.Option(help="The card to write.")],
    folds: Annotated[int, typer.Option(help="Parts of the cross-validation; no patient in two.")] = FOLDS,
    method: Annotated[str, typer.Option(help=f"One of {', '.join(LINES)}.")] = LINES[0],
    as_json: AsJson = False,
) -> None:
    """Probabilities that mean what they say and two operating points per label, measured, on the card."""
    with errors_in_words():
        found = fit_labels(read_card(card), model, CalibrationSet.read(labelled), folds=folds, method=method)
        out.write_text(card_toml(found.card), encoding="utf-8")
        if as_json:
            plain = {"card": out.name, "labels": found.card.labels, "metrics": found.metrics}
            say_json({name: as_plain(value) for name, value in plain.items()})
            return
        rows: Rows = [
            (item.name, f"{item.value:.3f}", f"{item.ci_low:.3f} to {item.ci_high:.3f}", str(item.n))
            for item in found.metrics
        ]
        table(str(out), ("what", "value", "95 % interval", "images"), rows)
        for label in found.card.labels:
            typer.echo(
                f"{label.name}: absent below {label.sensitive_threshold:.4f},"
                f" present from {label.specific_threshold:.4f} on"
            )


def gate(
    model: Model,
    candidate: Annotated[Path, typer.Argument(help="The variant to be judged.", exists=True)],
    *,
    card: Card,
    labelled: Annotated[Path, typer.Option(help="Folder of images with known truth.", exists=True)],
    precision: Annotated[str, typer.Option(help="What the variant is: int8 or fp16.")] = "int8",
    as_json: AsJson = False,
) -> None:
    """Does the variant find what the float32 model finds, and decide the same? Exit code 1: it does not."""
    with errors_in_words():
        found = judge(read_card(card), model, candidate, CalibrationSet.read(labelled), precision=precision)
        if as_json:
            say_json(found.as_gate())
        else:
            rows: Rows = [
                (item.name, f"{item.value:.4g}", f"{item.ci_low} to {item.ci_high}", str(item.n))
                for item in found.metrics
            ]
            table(f"{found.model} {precision}", ("what", "value", "95 % interval", "images"), rows)
            for reason in (*found.reasons, *found.notes):
                typer.echo(reason)
            typer.echo("It passes." if found.passed else "It does NOT pass.")
        if not found.passed:
            raise typer.Exit(ExitCode.FOUND_FAULTS)


def _images(card: Path, calibration: Path) -> CalibrationImages:
    recipe = Recipe(source=Source(model=""), card=read_card(card), calibration=calibration, range_method=AUTO)
    return CalibrationImages(images=CalibrationSet.read(calibration), recipe=recipe)


STEPS: Final = (onnx, simplify, calibrate, equalise, ranges, sensitivity, quantize, half, lint, parity, gate)
"""In the order in which a whole run does them."""
