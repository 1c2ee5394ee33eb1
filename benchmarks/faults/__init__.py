# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Faults put in on purpose, many times over: what the device must survive, counted."""
