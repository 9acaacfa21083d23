# SPDX-License-Identifier: Apache-2.0
"""Webhooks into a service: what was answered 200 counts, once, whatever dies; what is not genuine does not."""

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from project import BUILD, Project
from service import Service, serving

PLUGIN = BUILD / "tests" / "plugins" / "hook.so"
SECRETS = {"HOOK_OLD": "the old one", "HOOK_NEW": "the new one"}
SIGN = "sign: {header: X-Shopify-Hmac-Sha256, secrets: [env:HOOK_NEW, env:HOOK_OLD]}, once_by: {header: X-Shopify-Webhook-Id}"
SOURCES = f"""
  lines: {{partner: nordwind, decode: hook_lines, from: {{webhook: {{path: /in/nordwind, limit: 1kB, {SIGN}}}}}}}
  whole: {{partner: suedwind, decode: hook_whole, from: {{webhook: {{path: /in/suedwind, {SIGN}}}}}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "p", SOURCES, top=f"plugins: [{PLUGIN}]\n", environment=SECRETS)


def deliver(service: Service, path: str, text: str, number: str, secret: str = "HOOK_NEW") -> int:
    body = text.encode()
    mac = hmac.new(SECRETS.get(secret, secret).encode(), body, hashlib.sha256).digest()
    signature = base64.b64encode(mac).decode()
    status, _ = service.request(
        "POST", path, body, X_Shopify_Hmac_Sha256=signature, X_Shopify_Webhook_Id=number
    )
    return status


def read(service: Service, lines: int, whole: int) -> bool:
    told = [int(service.source(name)["records"]) for name in ("lines", "whole")]
    assert told[0] <= lines and told[1] <= whole, told
    return told == [lines, whole]


def test_what_was_answered_counts_once(project: Project) -> None:
    with serving(project) as service:
        assert deliver(service, "/in/nordwind", "o a 20000 500 x 0", "1") == 200
        assert deliver(service, "/in/nordwind", "o a 20000 500 x 0", "1") == 200  # again
        assert deliver(service, "/in/nordwind", "o a 20000 700 x 0", "2", "HOOK_OLD") == 200
        assert deliver(service, "/in/suedwind", "v u 20000", "1") == 200
        assert deliver(service, "/in/nordwind", "o a 20000 900 x 0", "3", "another") == 401
        assert deliver(service, "/in/nordwind", "o " + "a" * 2000, "4") == 413
        assert deliver(service, "/in/elsewhere", "v u 20000", "5") == 404
        service.until(lambda: read(service, 2, 1), "all read")
        for n in range(10):
            assert deliver(service, "/in/nordwind", f"v u{n} 20001", f"v{n}") == 200
        service.kill()  # somewhere between the answer and the commit
        service.start()
        for n in range(10, 5, -1):  # the sender is not sure: most came before
            assert deliver(service, "/in/nordwind", f"v u{n} 20001", f"v{n}") == 200
        service.until(lambda: read(service, 13, 1), "all read")
        assert service.stop() == 0
    assert project.run().read["records"] == 0
    assert project.entente("balance").status == 0
    once = Project(project.folder / "once", SOURCES, top=f"plugins: [{PLUGIN}]\n", environment=SECRETS)
    with serving(once) as service:
        assert deliver(service, "/in/suedwind", "v u 20000", "1") == 200
        assert deliver(service, "/in/nordwind", "o a 20000 700 x 0", "1") == 200
        for n in range(11):
            assert deliver(service, "/in/nordwind", f"v u{n} 20001", f"v{n}") == 200
        service.until(lambda: read(service, 12, 1), "all read")
        assert service.stop() == 0
    assert once.facts() == project.facts()
