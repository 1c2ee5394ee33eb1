# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages that lie over the work for a while: under them the screen stays as it was."""

from __future__ import annotations

from PyQt6.QtWidgets import QStackedWidget, QWidget


class Covers:
    """Lays one page over the others, and takes it off again."""

    def __init__(self, pages: QStackedWidget, covers: tuple[QWidget, ...]) -> None:
        self._pages = pages
        self._under: QWidget | None = None
        self.top: QWidget | None = None
        """The page that covers; None: the work is seen."""
        for page in covers:
            pages.addWidget(page)

    def lay(self, page: QWidget) -> None:
        """Cover the work, or replace the page that covers it."""
        if self.top is None:
            self._under = self._pages.currentWidget()
        self.top = page
        self._pages.setCurrentWidget(page)

    def take_off(self) -> None:
        """The same page as before, or the one that has taken its place meanwhile."""
        if self.top is not None and self._under is not None:
            self._pages.setCurrentWidget(self._under)
        self.top = self._under = None

    def stay(self) -> None:
        """After the work was drawn: where that has turned a page, it is turned under the cover."""
        current = self._pages.currentWidget()
        if self.top is not None and current is not self.top:
            self._under = current
            self._pages.setCurrentWidget(self.top)
