# SPDX-License-Identifier: Apache-2.0
"""A rulebook that never ends to be imported."""
while True:
    pass
