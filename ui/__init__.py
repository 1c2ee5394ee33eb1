# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kiosk: what the store says, on a screen. The only folder that knows Qt."""
