# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The first run: what a person answers, whether each answer holds, and the settings that come of it."""
