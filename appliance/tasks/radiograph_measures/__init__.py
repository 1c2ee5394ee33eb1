# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""What quality control measures on a radiograph, whatever the body part. Holds no task of its own.

Most is measured on an overview of the picture, area means of the stored values; only noise and detector
lines look at full resolution, and only at strips and line means.
"""
