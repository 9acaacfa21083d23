# SPDX-License-Identifier: Apache-2.0
"""The network goes away in the middle of a page, and comes back: a service polls a shop over a wire between two network
namespaces, both made here. What it ends with is what one run makes of the same orders, and no page was read twice."""

import contextlib
import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TypeVar

import pytest
from service import Service
from test_operate import metrics
from test_service_poll import Shop, project, same_as_a_file

CLONE_NEWNET = 0x40000000
SHOP, CALLER = "192.0.2.1", "192.0.2.2"  # of a range that is nobody's
CUTS = 4
T = TypeVar("T")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def inside(namespace: str, what: Callable[[], T]) -> T:
    """Does it in a thread of its own, of which sockets and threads belong to the namespace."""
    found: list[T] = []
    wrong: list[BaseException] = []

    def there() -> None:
        try:
            fd = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            finally:
                os.close(fd)
            found.append(what())
        except BaseException as e:
            wrong.append(e)

    thread = threading.Thread(target=there)
    thread.start()
    thread.join()
    if wrong:
        raise wrong[0]
    return found[0]


class Wire:
    """Two namespaces and what is between them."""

    def __init__(self) -> None:
        self.shop, self.caller = (f"entente-{os.getpid()}-{side}" for side in "ab")

    def set(self, state: str) -> None:
        ip("-n", self.shop, "link", "set", "wire-a", state)


@pytest.fixture
def wire() -> Iterator[Wire]:
    w = Wire()
    with contextlib.ExitStack() as stack:
        try:
            for name in (w.shop, w.caller):
                ip("netns", "add", name)
                stack.callback(ip, "netns", "delete", name)
            ip("-n", w.shop, "link", "add", "wire-a", "type", "veth", "peer", "name", "wire-b", "netns", w.caller)
            for name, end, address in ((w.shop, "wire-a", SHOP), (w.caller, "wire-b", CALLER)):
                ip("-n", name, "address", "add", f"{address}/30", "dev", end)
                ip("-n", name, "link", "set", end, "up")
        except (OSError, subprocess.CalledProcessError) as e:
            pytest.skip(f"no network namespaces can be made here: {e}: {getattr(e, 'stderr', '')}")
        yield w


class FarShop(Shop):
    """A shop behind the wire, which goes down when half of a page is out."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.cut_after = -1  # pages from now; negative: not at all
        self.cuts = 0
        self.whole = 0  # orders of pages that went out whole
        super().__init__(SHOP)

    def send(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        if self.cut_after != 0 or len(body) < 100:
            self.cut_after -= self.cut_after > 0
            request.wfile.write(body)
            return
        self.cut_after = -1
        request.wfile.write(body[: len(body) // 2])
        request.wfile.flush()
        self.wire.set("down")
        self.cuts += 1
        with contextlib.suppress(OSError):  # it waits in the kernel until nobody wants it any more
            request.wfile.write(body[len(body) // 2 :])


def test_the_network_is_cut(wire: Wire, tmp_path: Path) -> None:
    shop = inside(wire.shop, lambda: FarShop(wire))
    p = project(tmp_path / "a", shop, "200ms")
    p.sources = p.sources.replace("retry: 1", "retry: 1, timeout: 2s, connect: 1s").replace(", overlap: 2h", "")
    p.configure()
    s = Service(p)
    s.before = ["nsenter", f"--net=/run/netns/{wire.caller}"]
    state = 'entente_source_state{source="shop",state="failing"}'
    changed = 0
    try:
        s.start()
        for cut in range(CUTS):
            shop.cut_after = 1 + cut  # of eight pages
            shop.change(*range(100 * cut, 100 * cut + 80))
            changed += 80
            s.until(lambda cut=cut: shop.cuts == cut + 1, "the cut")
            [poll] = s.until(lambda: [x for x in s.get("/api/v1/polls") if x["failing"]], "a failing poll")
            assert poll["records"] < changed  # it was within the pages
            assert s.source("shop")["state"] == "failing" and "entente.yaml" in s.source("shop")["error"]
            assert metrics(s)[state] == 1
            assert s.request("GET", "/readyz")[0] == 200  # what is there is served
            wire.set("up")
            s.until(lambda: s.get("/api/v1/polls")[0]["records"] >= changed, "all orders")
            s.until(lambda: metrics(s)[state] == 0 and s.source("shop")["error"] is None, "a source that is well")
        # each order was read once: pages that were there before a cut were not asked for again
        s.until(lambda: s.source("shop")["records"] >= changed, "all records")
        assert s.get("/api/v1/polls")[0]["records"] == changed == s.source("shop")["records"]
        assert shop.cuts == CUTS == len(s.events("poll.recovered")) == len(s.events("source.mended"))
        assert s.stop() == 0
    finally:
        if s.child is not None and s.child.poll() is None:
            s.child.kill()
            s.child.wait()
        shop.http.shutdown()
        shop.http.server_close()
    same_as_a_file(p, shop, tmp_path / "b")
