# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Courier mode: studies go out on a USB stick, receipts come home on it. See docs/courier.md."""
