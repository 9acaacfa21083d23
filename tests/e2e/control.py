# SPDX-License-Identifier: Apache-2.0
"""HTTP over the socket in a store, as the commands of the command line speak it with a service."""

import http.client
import os
import socket
from pathlib import Path


class ControlConnection(http.client.HTTPConnection):
    """A connection to control.sock; its path may be longer than an address can be, so it goes by way of the folder."""

    def __init__(self, store: Path, timeout: float = 90.0) -> None:
        super().__init__("localhost", timeout=timeout)
        self.store = store

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        folder = os.open(self.store, os.O_PATH)
        try:
            self.sock.connect(f"/proc/self/fd/{folder}/control.sock")
        finally:
            os.close(folder)
