# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Single pieces of the line, each by turns with what it cannot do without, or with what others would use."""
