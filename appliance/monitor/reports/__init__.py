# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What the device has seen in a period, counted for people: rejects, performance, call-backs, shifts."""
