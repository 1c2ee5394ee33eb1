# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What an order of the queue would do to waiting: exams of a site, or invented ones, in each order."""
