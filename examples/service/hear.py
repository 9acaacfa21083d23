#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Hears what the service tells, and prints it if it is genuine: what a program that is told has to do, and no more."""

import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = os.environ["TELL_SECRET"].encode()


class Hears(BaseHTTPRequestHandler):
    """One message at a time."""

    def do_POST(self) -> None:
        """Checks who signed, and when; see docs/telling.md."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        at = self.headers.get("Entente-Timestamp", "0")
        good = "v1=" + hmac.new(SECRET, at.encode() + b"." + body, hashlib.sha256).hexdigest()
        genuine = hmac.compare_digest(good, self.headers.get("Entente-Signature", "")) and abs(time.time() - int(at)) < 300
        if genuine:
            print(json.loads(body)["text"], flush=True)
        self.send_response(200 if genuine else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """What is heard is printed, and nothing else."""


HTTPServer(("127.0.0.1", 9099), Hears).serve_forever()
