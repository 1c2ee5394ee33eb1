# SPDX-FileCopyrightText: 2026 The Scanside authors
# SPDX-License-Identifier: Apache-2.0
"""The DICOM Conformance Statement of this device as it is set up now (PS3.2)."""
