# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The report says what was found, what was not done, and lets nothing in that a browser would run."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("confidenceinterval")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

from appliance.domain.card import ModelCard
from appliance.domain.finding import Code
from calibration.dataset import CalibrationSet
from calibration.statistics import Estimate
from calibration.threshold import calibrated_label
from export.gate import Limits, gate
from export.parity import ParityReport, difference
from export.report import estimate, number, page, percent, share, write
from export.report_parts import GraphFile, ImageSet, Latency, LayerEffect, LintRow, RangeMethod, Report
from tests.export.graphs import brightness_model, smoother
from tests.export.slices import make_pairs

EMPTY = {"meta", "img"}
"""Elements that have no end."""


class Outline(HTMLParser):
    """Elements in order; raises where an end does not fit its start."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing that is open"

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def words_of(html: str) -> str:
    return " ".join(" ".join(outline(html).text).split())


@pytest.fixture
def report(tmp_path: Path, bright_card: ModelCard, films: CalibrationSet) -> Report:
    """An export in which everything was done and the gate was passed."""
    model = brightness_model(tmp_path / "model.onnx")
    random = np.random.default_rng(5)
    truth = random.random(300) < 0.5
    graph = GraphFile(precision="fp32", file="model.onnx", size_bytes=2048, sha256="a" * 64)
    one = np.array([1.0])
    agreeing = difference(one, one, engine="openvino f32 CPU", precision="int8", output="logits", allowed=0.1)
    return Report(
        card=bright_card,
        made_at_utc="2026-01-01T00:00:00Z",
        machine="a processor",
        graphs=(graph, replace(graph, precision="int8", file="model.int8.onnx")),
        sets=(
            ImageSet(
                purpose="gate", manifest_sha256=films.manifest_sha256, coverage=films.coverage(bright_card)
            ),
        ),
        ranges=(
            RangeMethod(
                method="entropy", relative_error={"logits": 0.0123}, clipped_share=0.0004, chosen=True
            ),
            RangeMethod(method="min-max", relative_error={"logits": 0.03}, clipped_share=None, chosen=False),
        ),
        layers=(
            LayerEffect(layer="conv0", relative_error=0.2, left_in_float=True),
            LayerEffect(layer="conv1", relative_error=0.01, left_in_float=False),
        ),
        parity=ParityReport(
            reference="ort f32 CPU, fp32", differences=(agreeing,), not_run={"tensorrt int8": "not installed"}
        ),
        gates=(gate(bright_card, model, model, films),),
        calibration=(
            calibrated_label(
                Code(value="1", scheme="99SCANSIDE", meaning="Bright"),
                random.standard_normal(300) + truth,
                truth,
                np.arange(300) % 5,
                groups=[str(index) for index in range(300)],
                strata={"view PA": np.ones(300, bool), "view AP": np.arange(300) < 5},
            ),
        ),
        latency=(Latency(engine="openvino int8 CPU", precision="int8", threads=2, p50_ms=1.234, p95_ms=2.0),),
        lint=(),
        signed_by="A hospital",
    )


def test_a_whole_report_is_one_well_formed_page_without_scripts(report: Report, tmp_path: Path) -> None:
    html, plain = write(report, tmp_path / "out")
    again = write(report, tmp_path / "again")
    assert [file.read_bytes() for file in (html, plain)] == [file.read_bytes() for file in again]
    found = outline(html.read_text(encoding="utf-8"))
    words = words_of(html.read_text(encoding="utf-8"))
    assert report.failures == ()
    assert "Every step that forbids a bundle was passed" in words
    assert "Not done" not in words
    for expected in ("entropy (chosen)", "too few", "openvino int8 CPU", "Signed by A hospital", "1.23 ms"):
        assert expected in words
    assert "tensorrt int8: not installed" in words
    tags = {tag for tag, _ in found.seen}
    assert not tags & {"script", "link", "iframe", "object", "form", "a"}
    images = [attributes for tag, attributes in found.seen if tag == "img"]
    assert len(images) == 4  # ranges, layers, ROC, reliability
    for attributes in images:
        assert attributes["alt"]
        source = attributes["src"] or ""
        code = base64.b64decode(source.removeprefix("data:image/png;base64,"))
        picture = cv2.imdecode(np.frombuffer(code, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        assert picture.std() > 5  # something is drawn
    body = json.loads(plain.read_text(encoding="utf-8"))
    assert (body["format"], body["failures"]) == (1, [])
    assert body["gates"][0]["labels"][0]["fp32"]["auc"]["n"] == 150


def test_a_flipped_decision_is_shown_with_its_picture(
    report: Report, tmp_path: Path, bright_card: ModelCard, films: CalibrationSet
) -> None:
    models = brightness_model(tmp_path / "a.onnx"), brightness_model(tmp_path / "b.onnx", shift=0.5)
    judged = gate(bright_card, *models, films)
    text = page(replace(report, gates=(judged,)))
    words = words_of(text)
    assert "This model did not pass. There is no bundle." in words
    assert "int8: NOT passed" in words
    flip = judged.labels[0].flips[0].examples[0]
    assert flip.file in words
    alts = [attributes.get("alt") for _, attributes in outline(text).seen]
    assert f"Small picture of {flip.file}" in alts


def test_what_was_not_done_is_said_and_forbids_a_bundle(report: Report) -> None:
    bare = Report(card=report.card, made_at_utc="", machine="", graphs=report.graphs)
    words = words_of(page(bare))
    assert words.count("Not done") == 8
    assert "Not signed" in words
    assert bare.failures == (
        "The engines were not compared.",
        "The int8 variant did not go through a gate.",
        "The graphs were not checked for what engines refuse.",
    )


def test_a_lint_finding_forbids_a_bundle(report: Report) -> None:
    row = LintRow(file="model.int8.onnx", rule="zero-point", node="conv0", what="zero point 3", remedy="r")
    assert replace(report, lint=(row,)).failures == ("model.int8.onnx, conv0: zero point 3",)


def test_foreign_words_stay_words(report: Report) -> None:
    evil = '<script>alert("x")</script>'
    label = replace(report.card.labels[0], name=evil)
    card = replace(report.card, name=evil, summary=evil, labels=(label,))
    text = page(replace(report, card=card, machine=evil, signed_by=evil, calibration=None))
    assert "<script" not in text.lower()
    assert "&lt;script&gt;" in text
    assert not re.search(r"https?://", text)
    outline(text)


def test_a_denoisers_report_has_its_curves(report: Report, tmp_path: Path, denoise_card: ModelCard) -> None:
    model = smoother(tmp_path / "a.onnx")
    judged = gate(denoise_card, model, model, make_pairs(tmp_path, count=2), limits=Limits(least_slices=2))
    found = outline(page(replace(report, card=denoise_card, gates=(judged,), calibration=None)))
    alts = [attributes.get("alt") for tag, attributes in found.seen if tag == "img"]
    assert "Noise power spectra" in alts
    assert "PSNR of each slice, float32 against int8" in alts
    assert "This model decides nothing." in " ".join(found.text)


def test_numbers_in_words() -> None:
    unknown = Estimate(value=float("nan"), low=float("nan"), high=float("nan"), n=0)
    assert (number(None), number(float("inf")), number(1.5)) == ("not known", "not known", "1.500")
    assert (percent(0.1234), percent(None)) == ("12.3 %", "not known")
    assert (estimate(unknown), share(unknown), estimate(None), share(None)) == ("not known",) * 4
    half = Estimate(value=0.5, low=0.4, high=0.6, n=10)
    assert estimate(half) == "0.500 (0.400 to 0.600)"
    assert share(half) == "50.0 % (40.0 to 60.0) of 10"
    assert estimate(replace(half, low=float("nan"))) == "0.500 (interval not known)"
