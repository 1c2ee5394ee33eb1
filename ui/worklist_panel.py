# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worklist on the screen: one row per exam, drawn, tapped once to open."""

from __future__ import annotations

from typing import Final

from PyQt6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QPainter, QPen
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QListView,
    QPushButton,
    QScroller,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from ui import theme
from ui.ghost_strip import GhostStrip
from ui.icons import Icons
from ui.labels import WHOLE, PlainLabel, restyle
from ui.language import apart, language, tr, tr_n
from ui.theme import Scale
from ui.toolbar import ToolButton
from ui.unread_button import UnreadButton
from ui.urgent_state import Telling
from ui.verdict_state import VerdictKind
from ui.view_state import BoardState
from ui.worklist_state import Level, WorklistRow

LATE_BAR_MM: Final = 1.6
ROW_MM: Final = 21.5
"""Three lines of text and more than a touch target; six rows fit a 15.6 inch panel."""
LEVEL_COLOURS: Final = {
    Level.URGENT: theme.RED,
    Level.REPEAT: theme.RED,
    Level.OVERDUE: theme.AMBER,
    Level.HIGH: theme.AMBER,
    Level.CHECK: theme.AMBER,
    Level.MEDIUM: theme.AMBER,
    Level.NOT_CHECKED: theme.GREY,
    Level.CHECKING: theme.TEXT,
    Level.ROUTINE: theme.DIM,
}
LEVEL_SHAPES: Final = {
    Level.URGENT: "urgent",
    Level.REPEAT: "cross",
    Level.OVERDUE: "clock",
    Level.HIGH: "question_solid",
    Level.CHECK: "bang",
    Level.MEDIUM: "question_dashed",
    Level.NOT_CHECKED: "dash",
    Level.CHECKING: "clock",
}

_AnyIndex = QModelIndex | QPersistentModelIndex


class WorklistModel(QAbstractListModel):
    """The rows as Qt's list view wants them."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._rows: tuple[WorklistRow, ...] = ()

    @property
    def rows(self) -> tuple[WorklistRow, ...]:
        """The rows in the order of the screen."""
        return self._rows

    def show(self, rows: tuple[WorklistRow, ...]) -> None:
        """Replace the rows; where only their content changed the view keeps its place."""
        if rows == self._rows:
            return
        same = [row.exam_id for row in rows] == [row.exam_id for row in self._rows]
        if same:
            self._rows = rows
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: _AnyIndex = QModelIndex()) -> int:  # noqa: B008  an invalid index is the root
        """How many exams."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: _AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """The row itself for the delegate; words for a screen reader."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return row
        if role == Qt.ItemDataRole.AccessibleTextRole:
            unread = tr("Unread") if row.unread else ""
            return ". ".join(part for part in (row.word, unread, row.name, row.exam, row.rank) if part)
        return None


class _RowPainter(QStyledItemDelegate):
    verdict_painted = pyqtSignal(str)

    def __init__(self, scale: Scale, icons: Icons, parent: QWidget) -> None:
        super().__init__(parent)
        self._scale = scale
        self._icons = icons
        self.selected_id = ""

    def sizeHint(self, option: QStyleOptionViewItem, index: _AnyIndex) -> QSize:
        del index
        return QSize(option.rect.width(), self._scale.px(ROW_MM) + self._scale.px(1.2))

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: _AnyIndex) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        if painter is None or not isinstance(row, WorklistRow):
            return
        px = self._scale.px
        painter.save()
        painter.setLayoutDirection(option.direction)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = option.rect.adjusted(px(1.6), px(0.6), -px(1.6), -px(0.6))
        chosen = row.exam_id == self.selected_id
        late = row.telling is Telling.LATE
        painter.setPen(QPen(QColor(theme.now(theme.BLUE)), px(0.5)) if chosen else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.now(theme.RAISED if chosen else theme.CARD)))
        painter.drawRoundedRect(card, px(1.6), px(1.6))
        if late:  # a steady bar: louder, and never flashing
            painter.setPen(QPen(QColor(theme.RED), px(0.7)))
            painter.drawRoundedRect(card, px(1.6), px(1.6))
            painter.fillRect(
                card.left(), card.top() + px(1), px(LATE_BAR_MM), card.height() - px(2), QColor(theme.RED)
            )
        colour = LEVEL_COLOURS[row.level]
        inner = card.adjusted(px(2.6), px(1.7), -px(2.6), -px(1.7))
        line = inner.height() // 3
        icon = px(4.6)
        shape = LEVEL_SHAPES.get(row.level, row.shape.value)

        def at(place: QRect) -> QRect:
            """Mirrored within the card where the language runs from right to left."""
            return QStyle.visualRect(option.direction, card, place)

        sign_at = at(QRect(inner.left(), inner.top(), icon, icon))
        painter.drawPixmap(sign_at.topLeft(), self._icons.pixmap(shape, colour, icon))
        first = QRect(inner.left() + icon + px(1.6), inner.top(), inner.width() - icon - px(1.6), icon)
        waiting = self._text(
            painter, at(first), row.waiting, 3.7, theme.TEXT, align=Qt.AlignmentFlag.AlignRight
        )
        first.setRight(first.right() - waiting - px(1.5))
        if row.unread:
            first.setRight(first.right() - self._unread(painter, at(first)))
        self._text(painter, at(first), row.word, 4.4 if late else 3.7, colour, weight=QFont.Weight.Bold)
        second = QRect(inner.left(), inner.top() + line + px(0.3), inner.width(), line)
        if shape != row.shape.value:  # the verdict is not what ranks it: it still shows
            sign = self._icons.pixmap(row.shape.value, theme.VERDICT_COLOURS[row.kind], icon)
            sign_at = at(QRect(second.right() - icon, second.top() + (line - icon) // 2, icon, icon))
            painter.drawPixmap(sign_at.topLeft(), sign)
            second.setRight(second.right() - icon - px(1.5))
        self._text(painter, at(second), apart(row.name), 4.2, theme.TEXT, weight=QFont.Weight.DemiBold)
        third = QRect(inner.left(), inner.top() + 2 * line + px(0.3), inner.width(), line)
        if late:
            self._text(painter, at(third), apart(row.reason), 3.7, theme.RED, weight=QFont.Weight.Bold)
        else:
            self._text(painter, at(third), f"{apart(row.exam)} · {apart(row.reason)}", 3.2, theme.DIM)
        painter.restore()
        if row.kind is not VerdictKind.CHECKING:
            self.verdict_painted.emit(row.exam_id)

    def _unread(self, painter: QPainter, place: QRect) -> int:
        """A filled dot and the word at the far end of `place`. Returns the width they take."""
        px = self._scale.px
        word = self._text(painter, place, tr("Unread"), 3.2, theme.BLUE, align=Qt.AlignmentFlag.AlignRight)
        dot = px(2.2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.BLUE))
        beside = QRect(place.right() - word - dot - px(1), place.center().y() - dot // 2, dot, dot)
        painter.drawEllipse(QStyle.visualRect(painter.layoutDirection(), place, beside))
        return word + dot + px(2.5)

    def _text(
        self,
        painter: QPainter,
        place: QRect,
        text: str,
        height_mm: float,
        colour: str,
        *,
        weight: QFont.Weight = QFont.Weight.Normal,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> int:
        """One line of plain text, shortened to its place. Returns its width in pixels."""
        font = QFont(painter.font())
        font.setPixelSize(self._scale.px(height_mm))
        font.setWeight(weight)
        painter.setFont(font)
        painter.setPen(QColor(theme.now(colour)))
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        flags = int(align | Qt.AlignmentFlag.AlignVCenter) | WHOLE
        painter.drawText(place, flags, shown)
        return int(metrics.horizontalAdvance(shown))


class WorklistPanel(QFrame):
    """Heading, the bar of new arrivals, and the list."""

    opened = pyqtSignal(str)
    """An exam was tapped: its exam_id."""
    settle_wanted = pyqtSignal()
    """The bar of new arrivals was tapped."""
    languages_wanted = pyqtSignal()
    """The way to the page of languages was tapped."""
    verdict_painted = pyqtSignal(str)
    """A row with a verdict has just been drawn: its exam_id."""

    def __init__(self, scale: Scale, icons: Icons, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "column")
        self.model = WorklistModel(self)
        self._painter = _RowPainter(scale, icons, self)
        self._painter.verdict_painted.connect(self.verdict_painted)
        self.heading = PlainLabel("title", tr("Worklist"))
        self._count = PlainLabel("caption", wrap=True)
        self.punctuality = PlainLabel("caption", wrap=True)
        self.unread = UnreadButton(scale)
        self.unread.opened.connect(self.opened)
        self._arrivals = QPushButton()
        self._arrivals.setProperty("role", "arrivals")
        self._arrivals.setMinimumHeight(scale.touch_px)
        self._arrivals.clicked.connect(self.settle_wanted)
        self.view = QListView()
        self.view.setModel(self.model)
        self.view.setItemDelegate(self._painter)
        self.view.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setUniformItemSizes(True)
        self.view.setAccessibleName(tr("Worklist"))
        self.view.clicked.connect(self._tapped)
        QScroller.grabGesture(self.view.viewport(), QScroller.ScrollerGestureType.TouchGesture)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, scale.px(2.5), 0, 0)
        layout.setSpacing(scale.px(1.2))
        self.languages = ToolButton("languages", "globe", language().upper(), scale, icons)
        self.languages.setFixedWidth(scale.touch_px)
        self.languages.setAccessibleName(tr("Language"))
        self.languages.clicked.connect(self.languages_wanted)
        words = QVBoxLayout()
        words.setSpacing(scale.px(0.6))
        for label in (self.heading, self._count, self.punctuality):
            words.addWidget(label)
        words.addStretch(1)
        head = QHBoxLayout()
        head.setContentsMargins(scale.px(3), 0, scale.px(1.6), 0)
        head.setSpacing(scale.gap_px)
        head.addLayout(words, stretch=1)
        head.addWidget(self.unread)
        head.addWidget(self.languages)
        layout.addLayout(head)
        layout.addWidget(self._arrivals)
        layout.addWidget(self.view, stretch=1)
        self.ghosts = GhostStrip(scale, self)
        layout.addWidget(self.ghosts)

    def show_state(self, state: BoardState) -> None:
        """Draw the rows of `state`."""
        self.model.show(state.rows)
        self.ghosts.show_state(state.ghosts)
        chosen = state.selected.exam_id if state.selected else ""
        if chosen != self._painter.selected_id:
            self._painter.selected_id = chosen
            viewport = self.view.viewport()
            if viewport is not None:
                viewport.update()
        total = len(state.rows)
        words = tr_n("{count} exam, most urgent first", "{count} exams, most urgent first", total)
        stale = state.health.stale if state.health is not None else ""
        restyle(self._count, "role", "caption_amber" if stale else "caption")
        self._count.setText(tr("{stale}: newer exams are missing", stale=stale) if stale else words)
        day = state.punctuality
        restyle(self.punctuality, "role", "caption_amber" if day and day.is_late else "caption")
        self.punctuality.show_text(day.words if day else "")
        self.unread.show_state(state.oldest_unread)
        self._arrivals.setText(tr("{arrivals}: tap to show", arrivals=state.arrivals))
        self._arrivals.setVisible(bool(state.arrivals))

    def _tapped(self, index: QModelIndex) -> None:
        row = index.data(Qt.ItemDataRole.UserRole)
        if isinstance(row, WorklistRow):
            self.opened.emit(row.exam_id)
