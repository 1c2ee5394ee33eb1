# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""A copy of what a device knows, made while it runs, and putting it back on a device that has lost it."""
