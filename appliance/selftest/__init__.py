# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic acquisitions with known truth, and the demonstration made of them."""
