# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Calibration sets, ranges, probabilities and thresholds for models. Never part of the device."""
