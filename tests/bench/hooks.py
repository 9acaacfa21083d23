#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How many signed webhooks of 1 KB a second are durable before they are answered: wrk against the server of tests/serve.

    tests/bench/hooks.py [--build build] [--seconds 10] [--connections 64] [--json]

Each delivery has an id of its own (once_by) and one of a thousand bodies that were signed before. At the end the records
in the inbox are counted and compared with the answers."""

import argparse
import base64
import hashlib
import hmac
import json
import random
import re
import resource
import subprocess
import tempfile
from pathlib import Path

SECRET = b"bench"
CONFIG = """version: 1
currency: EUR
store: ./store
serve: {{listen: '127.0.0.1:0', connections: 4096}}
inbox: {{waiting: 64GB, memory: 256MB, keep: 0s}}
partners: {{nord: {{}}}}
sources:
  hooks:
    partner: nord
    from: {{webhook: {{path: /in/nord, sign: {{header: X-Hmac, secrets: ['file:key']}}{once}}}}}
    decode: json
"""
LUA = """
local n, thread_number = 0, 0
local bodies, macs = {}, {}
for line in io.lines(os.getenv("HOOKS_BODIES")) do
    local mac, body = line:match("^(%S+) (.*)$")
    bodies[#bodies + 1], macs[#macs + 1] = body, mac
end
function setup(thread) thread:set("number", thread_number); thread_number = thread_number + 1 end
function request()
    n = n + 1
    local i = n % #bodies + 1
    return wrk.format("POST", "/in/nord", {["X-Hmac"] = macs[i], ["X-Id"] = number .. "-" .. n .. os.getenv("HOOKS_RUN"),
        ["Content-Type"] = "application/json"}, bodies[i])
end
function done(summary, latency, requests)
    io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
        summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
        latency:percentile(50), latency:percentile(99), latency.max))
end
"""


def bodies(path: Path) -> None:
    """A thousand orders of 1,024 bytes, with what each is signed with."""
    dice = random.Random(4)
    with path.open("w") as file:
        for i in range(1000):
            order = {"id": 820982911946154500 + i, "total_price": f"{dice.randrange(100000) / 100:.2f}", "currency": "EUR", "note": ""}
            room = 1024 - len(json.dumps(order))
            order["note"] = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz ", k=room))
            body = json.dumps(order)
            assert len(body) == 1024
            mac = base64.b64encode(hmac.new(SECRET, body.encode(), hashlib.sha256).digest()).decode()
            file.write(f"{mac} {body}\n")


def records(inbox: Path) -> int:
    """Lines of the logs that hold an order."""
    return sum(log.read_bytes().count(b'"total_price"') for log in inbox.glob("*.log"))


def main() -> int:
    """Measures; status 0 if every answer stands in the inbox once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--no-ids", action="store_true", help="without once_by")
    parser.add_argument("--work", type=Path, help="folder on the disk that is measured; without it, a temporary one")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as name:
        work = Path(name)
        once = "" if args.no_ids else ", once_by: {header: X-Id}"
        (work / "entente.yaml").write_text(CONFIG.format(once=once))
        (work / "key").write_bytes(SECRET)
        (work / "hooks.lua").write_text(LUA)
        bodies(work / "bodies")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384), hard))
        del soft
        driver = subprocess.Popen(
            [args.build.absolute() / "tests/serve_driver", "entente.yaml"], cwd=work, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert driver.stdin and driver.stdout
        address = ""
        for line in driver.stdout:
            address = line.split()[1] if line.startswith("address ") else address
            if line.startswith("ready"):
                break
        wrk = ["wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}s", "-s", "hooks.lua", address]
        env = {"HOOKS_BODIES": str(work / "bodies"), "HOOKS_RUN": "", "PATH": "/usr/bin:/bin"}
        done = subprocess.run(wrk, cwd=work, env=env, capture_output=True, text=True, check=False)
        usage = Path(f"/proc/{driver.pid}/stat").read_text().rsplit(")", 1)[1].split()
        driver.stdin.close()
        driver.wait()
        found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
        if not found or driver.returncode:
            print(done.stdout, done.stderr, driver.returncode)
            return 1
        answered, microseconds, errors, half, most, worst = map(int, found.groups())
        durable = records(work / "store/inbox/hooks")
    said = {
        "answered": answered, "errors": errors, "durable": durable, "per_second": round(answered / (microseconds / 1e6)),
        "median_ms": half / 1000, "p99_ms": most / 1000, "worst_ms": worst / 1000, "connections": args.connections,
        "cpu_seconds": (int(usage[11]) + int(usage[12])) / 100, "seconds": microseconds / 1e6,
    }
    # what was under way when wrk stopped is durable, too, and nobody read the answer
    said["unread"] = max(0, durable - answered)
    if 0 <= durable - answered <= args.connections:
        said["durable"] = answered
    print(json.dumps(said) if args.json else "\n".join(f"{key:12} {value}" for key, value in said.items()))
    return 0 if said["durable"] == answered and not errors else 1


if __name__ == "__main__":
    raise SystemExit(main())
