# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""Measurements of the whole appliance against the pipeline that one would write first."""
