# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The settings file: every fault at once, older forms, where each value comes from, the last good one."""
