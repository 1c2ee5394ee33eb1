# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Many boxes, one page: each writes a small signed file, any channel carries it, links may be down."""
