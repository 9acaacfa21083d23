# SPDX-License-Identifier: Apache-2.0
"""Days of a service in minutes: every way in is fed at once while processes are killed and the configuration is read again and
again; in the end the store holds what one undisturbed run makes of everything that was sent, memory is flat, and no descriptor
or process is left over.

    tests/soak/soak.py --minutes 60 --seed 7        (ENTENTE_BIN, ENTENTE_BUILD_DIR say what is tried)
"""

import argparse
import base64
import contextlib
import dataclasses
import hashlib
import hmac
import http.client
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "e2e"))

from project import Project
from service import PATIENCE, Service
from shop import events, export, orders, table

PARTNERS = "\n".join(f"  {name}: {{name: {name.title()}, industry: soak}}" for name in
                     ("nordwind", "suedwind", "ostwind", "westwind", "windstill"))  # fmt: skip
CSV = "{csv: {fact: order, columns: {key: no, at: at, customer: customer, gross: total, total: total, currency: currency}}}"
TOP = """\
workers: 2
commit: {{bytes: 2MB, every: 200ms}}
decoders: {{deadline: 20s, quarantine_after: 1000}}
service: {{scan: 5s, judge_every: 1s, slice: 500ms, log: {{format: json}}}}
serve: {{listen: "127.0.0.1:{port}", rate: 100000/s}}"""
BOOK = '''\
from entente import insight, rule


@rule(practice="pace")
def some(partner):
    """It sells."""
    orders = partner["orders"].over("90d")
    if orders > 0:
        yield insight(f"{orders} orders")
'''
SECRET = "a secret of the soak, of no other use"


def free_port() -> int:
    with contextlib.closing(socket.socket()) as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def put(path: Path, data: str) -> None:
    """A file that is there all at once."""
    fresh = path.parent.parent / f".fresh-{threading.get_ident()}"
    fresh.write_text(data)
    fresh.rename(path)


@dataclasses.dataclass
class Soak:
    """What the ways in share."""

    project: Project
    reference: Path
    port: int
    seed: int
    stopping: threading.Event
    failures: list[str] = dataclasses.field(default_factory=list)
    counts: dict[str, int] = dataclasses.field(default_factory=dict)

    def count(self, what: str, n: int = 1) -> None:
        self.counts[what] = self.counts.get(what, 0) + n

    def ahead(self) -> bool:
        """So much is under way that a way in rather waits: the soak tries endurance, not throughput."""
        with contextlib.suppress(sqlite3.Error), self.opened() as db:
            [(n,)] = db.execute("select count(*) from input where live and not done")
            return int(n) > 20
        return False

    @contextlib.contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(f"file:{self.project.store}/entente.db?mode=ro", uri=True, timeout=60)
        try:
            yield db
        finally:
            db.close()


class Way:
    """A way in: sends, in a thread of its own, and keeps for the reference what was sent."""

    name = ""
    every = 0.05

    def __init__(self, soak: Soak) -> None:
        self.soak = soak
        self.pick = random.Random(f"{soak.seed}/{self.name}")
        self.kept = soak.reference / self.name
        self.kept.mkdir(parents=True)
        self.n = 0
        self.thread = threading.Thread(target=self._run, name=self.name, daemon=True)

    def _run(self) -> None:
        try:
            while not self.soak.stopping.wait(self.every):
                self.send(self.n)
                self.n += 1
                self.soak.count(self.name)
        except Exception as e:  # the soak fails, and says of whom
            self.soak.failures.append(f"{self.name}: {type(e).__name__}: {e}")

    def send(self, n: int) -> None:
        raise NotImplementedError

    def keep(self, name: str, text: str, dated: int) -> None:
        path = self.kept / name
        path.write_text(text)
        os.utime(path, (1_700_000_000 + dated, 1_700_000_000 + dated))


class Files(Way):
    """Exports that are moved into a folder; some orders come again and again."""

    name = "files"
    every = 0.4
    source = "{partner: nordwind, from: {directory: ./files}, decode: shopify}"

    def send(self, n: int) -> None:
        if self.soak.ahead():
            return
        made = orders(3000, seed=self.soak.seed)
        text = export(self.pick.sample(made, 300))
        self.keep(f"{n:06}.csv", text, n)
        path = self.soak.project.folder / "files" / f"{n:06}.csv"
        fresh = self.soak.project.folder / ".fresh-files"
        shutil.copy2(self.kept / path.name, fresh)
        fresh.rename(path)


class Hooks(Way):
    """Signed deliveries, each an event: sent until they are acknowledged, under one id, and now and then once more."""

    name = "hooks"
    every = 0.005
    source = (
        "{partner: suedwind, from: {webhook: {path: /in/hooks, sign: {header: X-Sign, secrets: [file:hook.secret]}, "
        "once_by: {header: X-Id}}}, decode: ga4}"
    )

    def __init__(self, soak: Soak) -> None:
        super().__init__(soak)
        self.lines: list[str] = []
        self.day = 0
        self.connection: http.client.HTTPConnection | None = None
        self.sent = (self.kept / "events.jsonl").open("w")

    def send(self, n: int) -> None:
        if not self.lines:
            self.lines = events(self.day, 100, seed=1000 + self.day)  # a day comes once: its transactions have numbers
            self.day += 1
        body = self.lines.pop()
        self.sent.write(body + "\n")
        self.sent.flush()
        self.deliver(n, body.encode())
        if self.pick.random() < 0.1:
            self.deliver(n, body.encode())  # its sender did not hear us

    def deliver(self, n: int, body: bytes) -> None:
        sign = base64.b64encode(hmac.new(SECRET.encode(), body, hashlib.sha256).digest()).decode()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection("127.0.0.1", self.soak.port, timeout=20)
                self.connection.request("POST", "/in/hooks", body, {"X-Sign": sign, "X-Id": f"d-{n}"})
                answer = self.connection.getresponse()
                answer.read()
                if answer.status == 200:
                    return
                self.soak.count(f"hooks.{answer.status}")
            except (OSError, http.client.HTTPException):
                self.soak.count("hooks.again")
                self.connection = None
            time.sleep(0.05)
        raise TimeoutError(f"delivery {n} was never acknowledged")


class Piped(Way):
    """Writers of a named pipe: each session is a table; one that may have been cut off is written again."""

    name = "piped"
    every = 0.5
    source = "{partner: ostwind, from: {pipe: ./piped.fifo}, decode: " + CSV + "}"

    def send(self, n: int) -> None:
        made = orders(2000, seed=self.soak.seed + 1)
        text = table([
            {"no": o.number, "at": o.at.isoformat(), "customer": o.customer, "currency": o.currency,
             "total": f"{o.subtotal / 100:.2f}"} for o in self.pick.sample(made, 40)
        ])  # fmt: skip
        self.keep(f"{n:06}.csv", text, n)
        fifo = self.soak.project.folder / "piped.fifo"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            before = self.soak.counts.get("kill.core", 0)
            try:
                fd = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:
                time.sleep(0.05)
                continue
            with contextlib.suppress(BrokenPipeError), os.fdopen(fd, "w") as f:
                os.set_blocking(fd, True)
                f.write(text)
            # a pipe does not say what was read of it: who wants to be sure looks, or writes again
            if self.arrived(n) and self.soak.counts.get("kill.core", 0) == before:
                return
            self.soak.count("piped.again")
        raise TimeoutError(f"session {n} was never read")

    def arrived(self, n: int) -> bool:
        """Some later input of this source than before is there."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with contextlib.suppress(sqlite3.Error), self.soak.opened() as db:
                [(found,)] = db.execute(
                    "select count(*) from input where done and live and source = (select id from code where text = 'piped' and kind = 0)"
                )
                if int(found) > n:
                    return True
            time.sleep(0.05)
        return False


class Polled(Way):
    """A shop with pages of orders, the newest change last; it is slow, refuses and fails now and then."""

    name = "polled"
    every = 0.2

    def __init__(self, soak: Soak) -> None:
        super().__init__(soak)
        self.lock = threading.Lock()
        self.orders: dict[int, dict[str, Any]] = {}
        way = self

        class Shop(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                way.answer(self)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.tick = 0

    @property
    def source(self) -> str:
        return (
            "{partner: westwind, from: {poll: {url: \"http://127.0.0.1:%d/orders\", every: 300ms, query: {per_page: 50, "
            "modified_after: \"{since}\"}, since: {value: date_modified_gmt, start: \"2024-01-01T00:00:00\", overlap: 5s}, "
            "pages: {by: header, next: Link}, limits: {rate: 1000/s, retry: 5, timeout: 5s}}}, decode: woocommerce}"
            % self.server.server_port
        )  # fmt: skip

    def send(self, n: int) -> None:
        with self.lock:
            for _ in range(self.pick.randint(1, 5)):
                number = self.pick.randint(1, 2000)
                self.tick += 1
                when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_704_067_200 + self.tick))
                self.orders[number] = order_json(number, when, self.pick)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        if random.random() < 0.03:
            request.send_response(random.choice((500, 503, 429)))
            request.send_header("Retry-After", "1")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        query = parse_qs(urlsplit(request.path).query)
        since, page, size = query["modified_after"][0].rstrip("Z"), int(query.get("page", ["1"])[0]), int(query["per_page"][0])
        with self.lock:
            found = sorted((o for o in self.orders.values() if o["date_modified_gmt"] > since), key=lambda o: o["date_modified_gmt"])
        part = found[(page - 1) * size : page * size]
        body = json.dumps(part).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        if page * size < len(found):
            link = f"http://127.0.0.1:{self.server.server_port}/orders?per_page={size}&modified_after={query['modified_after'][0]}&page={page + 1}"
            request.send_header("Link", f'<{link}>; rel="next"')
        request.end_headers()
        request.wfile.write(body)


def order_json(number: int, modified: str, pick: random.Random) -> dict[str, Any]:
    """An order as WooCommerce's REST API gives it."""
    created = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(1_704_067_200 + number * 3600))
    price, quantity = pick.randrange(100, 9000), pick.randint(1, 4)
    return {
        "id": number, "number": str(number), "status": pick.choice(("completed", "processing", "cancelled")), "currency": "EUR",
        "date_created": created, "date_created_gmt": created, "date_modified": modified, "date_modified_gmt": modified,
        "discount_total": "0.00", "discount_tax": "0.00", "shipping_total": "0.00", "shipping_tax": "0.00", "cart_tax": "0.00",
        "total": f"{price * quantity / 100:.2f}", "total_tax": "0.00", "prices_include_tax": False, "customer_id": number % 97,
        "billing": {"email": f"c{number % 97}@example.org", "country": "DE"}, "shipping": {"country": "DE"},
        "payment_method": "bacs", "created_via": "checkout", "date_paid": created, "date_paid_gmt": created, "refunds": [],
        "line_items": [{"id": number * 10, "name": "Thing", "product_id": 7, "variation_id": 0, "quantity": quantity,
                        "sku": "T-7", "price": price / 100, "subtotal": f"{price * quantity / 100:.2f}",
                        "total": f"{price * quantity / 100:.2f}", "subtotal_tax": "0.00", "total_tax": "0.00"}],
    }  # fmt: skip


WAYS: tuple[type[Way], ...] = (Files, Hooks, Piped, Polled)


def memory_of(pid: int) -> int:
    """PSS of a process and its children, in bytes."""
    total = 0
    children = {pid}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                children.add(int(entry.name))
    for child in children:
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{child}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


class Run:
    """A soak from its start to its verdict."""

    def __init__(
        self,
        folder: Path,
        seconds: float,
        seed: int,
        say: Callable[[str], None],
        ways: tuple[type[Way], ...] = WAYS,
        one_life: bool = False,
    ) -> None:
        self.seconds, self.say, self.one_life = seconds, say, one_life
        self.pick = random.Random(seed)
        port = free_port()
        project = Project(folder / "p", "  {}", top=TOP.format(port=port), partners=PARTNERS, rules="  books: [./book]")
        project.write("book/one.py", BOOK)
        project.write("hook.secret", SECRET)
        (project.folder / "files").mkdir()
        self.soak = Soak(project, folder / "reference", port, seed, threading.Event())
        self.ways = [way(self.soak) for way in ways]
        project.sources = "\n".join(f"  {w.name}: {w.source}" for w in self.ways)  # type: ignore[attr-defined]
        project.configure()
        self.good = project.config.read_text()
        self.service = Service(project)
        self.memory: list[tuple[float, int, int]] = []  # seconds, bytes, descriptors

    # ---- what goes wrong ------------------------------------------------------------------------------------------------

    def kill_core(self) -> None:
        self.service.kill()
        self.soak.count("kill.core")
        self.service.start(ready=False)
        self.service.until(lambda: self.service.events("listening"), "listening again")

    def kill_worker(self) -> None:
        found = [p for name, pids in self.service.children().items() if name != "entente" for p in pids]
        if found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pick.choice(found), signal.SIGKILL)
                self.soak.count("kill.worker")

    def stand_still(self) -> None:
        """For less than any deadline: nothing may come of it."""
        found = [p for pids in self.service.children().values() for p in pids] + [self.service.pid]
        pid = self.pick.choice(found)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(self.pick.random())
            os.kill(pid, signal.SIGCONT)
            self.soak.count("stop.cont")

    def reload(self) -> None:
        kind = self.pick.randrange(3)
        text = self.good
        if kind == 1:
            text = self.good.replace("judge_every: 1s", f"judge_every: {self.pick.randint(500, 1500)}ms")
        elif kind == 2:
            text = self.good.replace("decode: shopify", "decode: shopfy")
        self.soak.project.config.write_text(text)
        status, told = self.service.reload()
        assert status == (422 if kind == 2 else 200), told
        self.soak.project.config.write_text(self.good)
        self.soak.count("reload.refused" if kind == 2 else "reload.active")

    def stop_and_start(self) -> None:
        status = self.service.stop()
        assert status == 0, f"it ended with {status}"
        self.soak.count("stop")
        self.service.start(ready=False)
        self.service.until(lambda: self.service.events("listening"), "listening again")

    # ---- the run -----------------------------------------------------------------------------------------------------------

    def sample(self, started: float) -> None:
        self.memory.append(
            (time.monotonic() - started, memory_of(self.service.pid), len(list(Path(f"/proc/{self.service.pid}/fd").iterdir())))
        )

    def run(self) -> dict[str, Any]:
        things = [self.kill_worker, self.kill_worker, self.stand_still, self.reload, self.reload]
        if not self.one_life:
            things += [self.kill_core, self.stop_and_start]
        self.service.start(ready=False)
        self.service.until(lambda: self.service.events("listening"), "listening")
        started = time.monotonic()
        for way in self.ways:
            way.thread.start()
        told = 0.0
        try:
            while time.monotonic() - started < self.seconds and not self.soak.failures:
                time.sleep(self.pick.uniform(0.2, 3.0))
                self.sample(started)
                self.pick.choice(things)()
                if time.monotonic() - told > 30:
                    told = time.monotonic()
                    at, memory, descriptors = self.memory[-1]
                    self.say(f"{at:6.0f} s  {memory / 2**20:6.1f} MiB  {descriptors} descriptors  {self.soak.counts}")
        finally:
            self.soak.stopping.set()
        for way in self.ways:
            way.thread.join(2 * PATIENCE)
            assert not way.thread.is_alive(), f"{way.name} hangs"
        assert not self.soak.failures, self.soak.failures
        return self.verdict(started)

    def verdict(self, started: float) -> dict[str, Any]:
        s = self.service
        s.until(lambda: s.events("ready"), "ready", 2 * PATIENCE)
        self.settle()
        self.sample(started)
        assert s.project.entente("balance").status == 0
        lived = self.own_memory()
        assert s.stop() == 0
        assert s.events("stopped")[-1]["whole"] is True
        fresh = self.newborn_memory()
        left = [p for p in Path("/proc").iterdir() if p.name.isdigit() and self.is_ours(p)]
        assert not left, f"processes are left: {left}"
        ours, theirs = s.project.digest(), self.expected()
        # ranks differ: what arrives is as new as its arrival, the reference's files as their dates
        same = {group: ours[group] == theirs[group] for group in ("cells", "members")}
        assert all(same.values()), (same, self.soak.project.folder)
        half = [m for m in self.memory if m[0] > self.memory[-1][0] / 2]
        first = [m for m in self.memory if m[0] <= self.memory[-1][0] / 2]
        return {
            "seconds": round(time.monotonic() - started),
            "counts": self.soak.counts,
            "facts": self.facts(),
            "memory_first_half_mib": round(sorted(m[1] for m in first)[len(first) // 2] / 2**20, 1),
            "memory_second_half_mib": round(sorted(m[1] for m in half)[len(half) // 2] / 2**20, 1),
            "memory_most_mib": round(max(m[1] for m in self.memory) / 2**20, 1),
            "memory_of_the_core_mib": {"at_the_end": lived, "of_a_new_one_on_the_same_store": fresh},
            "descriptors_most": max(m[2] for m in self.memory),
            "digest": ours["all"],
        }

    def own_memory(self) -> float:
        """PSS of the core alone, in MiB."""
        lines = Path(f"/proc/{self.service.pid}/smaps_rollup").read_text().splitlines()
        return round(sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024, 1)

    def newborn_memory(self) -> float:
        """The same of a service that has just begun on this store: what is above that, the other one kept for itself."""
        s = self.service
        s.start()
        s.until(lambda: s.events("judged"), "judged")
        time.sleep(7)  # longer than any scan or poll
        told = self.own_memory()
        assert s.stop() == 0
        return told

    def settle(self) -> None:
        """Everything that was sent is committed: nothing waits, and the polled shop has nothing newer."""
        polled = next((w for w in self.ways if isinstance(w, Polled)), None)

        def through() -> bool:
            before = self.facts()
            time.sleep(7)  # longer than any scan or poll
            with self.soak.opened() as db:
                [(half,)] = db.execute("select count(*) from input where live and not done")
            return not half and self.facts() == before

        self.service.until(through, "everything committed", 3 * PATIENCE)
        if polled:
            polled.server.shutdown()

    def facts(self) -> int:
        with self.soak.opened() as db:
            [(n,)] = db.execute("select total(received) from balance")
        return int(n)

    def is_ours(self, process: Path) -> bool:
        with contextlib.suppress(OSError):
            return str(self.soak.project.folder) in (process / "cmdline").read_text() or os.readlink(
                process / "cwd"
            ) == str(self.soak.project.folder)
        return False

    def expected(self) -> dict[str, str]:
        """The digest of one run over all that was sent, as files."""
        for way in self.ways:
            if isinstance(way, Polled):
                lines = [json.dumps(o) for o in sorted(way.orders.values(), key=lambda o: o["date_modified_gmt"])]
                way.keep("orders.jsonl", "\n".join(lines) + "\n", 0)
        partners = {"files": "nordwind", "hooks": "suedwind", "piped": "ostwind", "polled": "westwind"}
        decoders = {"files": "shopify", "hooks": "ga4", "piped": CSV, "polled": "woocommerce"}
        sources = "\n".join(
            f"  {w.name}: {{partner: {partners[w.name]}, from: {{directory: {w.kept}}}, decode: {decoders[w.name]}}}"
            for w in self.ways
        )
        other = Project(self.soak.project.folder.parent / "undisturbed", sources, top="workers: 2", partners=PARTNERS)
        other.run()
        return other.digest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ways", default=",".join(w.name for w in WAYS), help="which of them, separated by commas")
    parser.add_argument("--one-life", action="store_true", help="the service itself is neither killed nor stopped: does it leak?")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="entente-soak-"))
    run = Run(folder, given.minutes * 60, given.seed, print, tuple(w for w in WAYS if w.name in given.ways.split(",")), given.one_life)
    try:
        print(json.dumps(run.run(), indent=2))
    except BaseException:
        print(f"kept: {folder}", file=sys.stderr)
        raise
    finally:
        if run.service.child is not None and run.service.child.poll() is None:
            run.service.child.kill()
    if not given.keep:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
