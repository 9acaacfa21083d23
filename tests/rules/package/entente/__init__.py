# SPDX-License-Identifier: Apache-2.0
"""Stands in for the package while the process around it is tested: the least that entente-rules can drive."""
