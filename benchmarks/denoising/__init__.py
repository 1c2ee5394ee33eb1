# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped CT denoiser beside classical filters and published networks: quality, and time for a slice."""
