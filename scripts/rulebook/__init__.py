# SPDX-License-Identifier: Apache-2.0
"""The rulebook that ships: one file for each practice of the partner process. docs/rules.md lists the
rules."""
