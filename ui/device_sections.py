# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three parts of the device page: the machine, its models, its latencies. Each scrolls as one column."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QGridLayout, QScrollArea, QScroller, QVBoxLayout, QWidget

from ui.device_state import DeviceState
from ui.icons import Icons
from ui.labels import PlainLabel
from ui.language import tr
from ui.latency_state import LatencyState
from ui.latency_table import LatencyTable
from ui.line_card import LineGrid, WrappedLabel
from ui.models_state import ModelCardState, ModelsState
from ui.stage_trends import TrendGroup
from ui.theme import Scale
from ui.trend_line import TrendLine
from ui.verdict_panel import empty


class Section(QScrollArea):
    """A column that a finger moves."""

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__()
        self.scale = scale
        self.icons = icons
        self.columns = columns
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QFrame.Shape.NoFrame)
        QScroller.grabGesture(self.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        edge = scale.px(3)
        self.column.setContentsMargins(edge, edge, edge, edge)
        self.column.setSpacing(scale.px(2))
        self.setWidget(inside)

    def card(self) -> tuple[QFrame, QVBoxLayout]:
        """A frame for things that belong together."""
        frame = QFrame()
        frame.setProperty("role", "card")
        layout = QVBoxLayout(frame)
        edge = self.scale.px(3)
        layout.setContentsMargins(edge, edge, edge, edge)
        layout.setSpacing(self.scale.px(1))
        return frame, layout


class DeviceSection(Section):
    """The machine."""

    def __init__(self, scale: Scale, icons: Icons, *, columns: int) -> None:
        super().__init__(scale, icons, columns=columns)
        self._message = WrappedLabel("detail", tr("The store was not read yet."))
        self._lines = LineGrid(scale, icons, columns=columns)
        self._engines_title = PlainLabel("title", tr("AI engines in use"))
        self._engines = LineGrid(scale, icons, columns=columns)
        self._no_engine = PlainLabel("dim", tr("No engine was used yet."))
        self._trends = QFrame()
        self._trend_column = QVBoxLayout(self._trends)
        self._trend_column.setContentsMargins(0, 0, 0, 0)
        self._trend_column.setSpacing(scale.px(2))
        for widget in (
            self._message,
            self._lines,
            self._engines_title,
            self._engines,
            self._no_engine,
            self._trends,
        ):
            self.column.addWidget(widget)
        self.column.addStretch(1)
        self._shown: tuple[TrendGroup, ...] | None = None

    def show_state(self, state: DeviceState | None) -> None:
        """Draw it; None: there is no reading."""
        self._message.setVisible(state is None)
        lines, engines, trends = (state.lines, state.engines, state.trends) if state else ((), (), ())
        self._lines.show_lines(lines)
        self._engines.show_lines(engines)
        self._no_engine.setVisible(state is not None and not engines)
        if trends != self._shown:
            self._shown = trends
            empty(self._trend_column)
            for group in trends:
                self._trend_column.addWidget(self._group(group))

    def _group(self, group: TrendGroup) -> QFrame:
        frame, layout = self.card()
        layout.addWidget(PlainLabel("title", tr("{kind}: seconds per stage", kind=group.title)))
        grid = QGridLayout()
        grid.setHorizontalSpacing(self.scale.px(3))
        grid.setVerticalSpacing(self.scale.px(1.2))
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 2)
        for row, trend in enumerate(group.trends):
            grid.addWidget(PlainLabel("detail", trend.name), row, 0)
            grid.addWidget(TrendLine(trend, self.scale), row, 1)
            grid.addWidget(WrappedLabel("caption", trend.words), row, 2)
        layout.addLayout(grid)
        return frame


class ModelsSection(Section):
    """What serves, and whether it is what it claims to be."""

    def show_state(self, state: ModelsState) -> None:
        """Draw it."""
        empty(self.column)
        if state.message:
            self.column.addWidget(WrappedLabel("detail", state.message))
        for model in state.models:
            self.column.addWidget(self._model(model))
        if state.refused:
            refused = LineGrid(self.scale, self.icons, columns=1)
            refused.show_lines(state.refused)
            self.column.addWidget(refused)
        self.column.addStretch(1)

    def _model(self, model: ModelCardState) -> QFrame:
        frame, layout = self.card()
        layout.addWidget(WrappedLabel("title", model.title))
        layout.addWidget(WrappedLabel("caption", model.identity))
        lines = LineGrid(self.scale, self.icons, columns=self.columns)
        lines.show_lines((model.trust, model.limits, *model.passports))
        layout.addWidget(lines)
        if model.note:
            layout.addWidget(WrappedLabel("caption_amber", model.note))
        if model.fingerprint:
            key = tr("Key {fingerprint}", fingerprint=model.fingerprint)
            layout.addWidget(WrappedLabel("caption", key))
        if model.thresholds:
            layout.addWidget(PlainLabel("detail", tr("Limits per finding")))
            grid = QGridLayout()
            grid.setHorizontalSpacing(self.scale.px(4))
            grid.setVerticalSpacing(self.scale.px(0.6))
            for at, words in enumerate(model.thresholds):
                label = WrappedLabel("caption", words)
                grid.addWidget(label, at // self.columns, at % self.columns)
            layout.addLayout(grid)
        return frame


class LatencySection(Section):
    """What the benchmark measured."""

    def show_state(self, state: LatencyState) -> None:
        """Draw it."""
        empty(self.column)
        for message in state.messages:
            self.column.addWidget(WrappedLabel("detail", message))
        for report in state.reports:
            frame, layout = self.card()
            layout.addWidget(WrappedLabel("title", report.machine))
            layout.addWidget(WrappedLabel("caption" if report.is_here else "caption_amber", report.where))
            for target in report.targets:
                layout.addSpacing(self.scale.px(1.5))
                layout.addWidget(PlainLabel("detail", target.name))
                layout.addWidget(LatencyTable(target, self.scale))
            self.column.addWidget(frame)
        self.column.addStretch(1)
