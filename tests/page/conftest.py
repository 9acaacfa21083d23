# SPDX-License-Identifier: Apache-2.0
"""A service over a small project, and headless Chromium that shows its page."""

import datetime
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "command")]

if not (shutil.which("chromium") and shutil.which("chromedriver")):
    pytest.skip("the packages chromium and chromium-driver are not installed", allow_module_level=True)
webdriver = pytest.importorskip("selenium.webdriver", reason="the package python3-selenium is not installed")

import tiny
from project import Project
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select
from service import PATIENCE, Service

SOURCES = tiny.CONFIG.split("sources:\n")[1].split("\nrules:")[0]
PARTNERS = """\
  alder: {name: Alder Tools, industry: tools, region: DE, stage: consulting, zone: Europe/Berlin, currency: EUR}
  birch: {name: "Birch <i>Goods</i>", industry: tools, region: US, stage: signed, zone: America/New_York, currency: USD}
  cedar: {name: Cedar Foods, industry: food, stage: homework, zone: UTC, currency: EUR}"""
BOOK = '''\
# SPDX-License-Identifier: Apache-2.0
"""Rules for the page."""
from entente import Findings, Partner, insight, opportunity, red_flag, rule


@rule(practice="informative", audience="both")
def sells(partner: Partner, *, window: str = "10d") -> Findings:
    """The partner sells."""
    orders = partner["orders"].over(window)
    if orders >= 1:
        yield insight(f"{orders} orders within {window}", key="orders")


@rule(practice="consulting", audience="us")
def grows(partner: Partner, *, window: str = "10d") -> Findings:
    """Visits that could buy."""
    visits, revenue = partner["sessions"].over(window), partner["revenue.net"].over(window)
    yield opportunity(f"{visits} visits, {revenue}", worth=revenue, per=window)


@rule(practice="red_flags", audience="us")
def rushes(partner: Partner) -> Findings:
    """Too many orders at once."""
    if partner["orders"].over("10d") >= 4:
        yield red_flag("Orders come all at once", severity="high")
'''


#: Five weeks of visits: enough to draw.
VISITS = "Id,At,Who\n" + "".join(
    f"v{n},{datetime.date(2026, 2, 4) + datetime.timedelta(n)} 09:00:00,w{n % 3}\n" for n in range(35)
)


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


class Served:
    """The project and its service."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        top = f"service: {{scan: 1s, judge_every: 0s}}\nserve: {{listen: 127.0.0.1:{self.port}}}"
        self.project = Project(folder, SOURCES, top=top, rules="  books: [./rules]", partners=PARTNERS)
        for name, text in (("orders.csv", tiny.ORDERS), ("visits.csv", VISITS), ("rates.csv", tiny.RATES), ("rules/book.py", BOOK)):
            self.project.write(name, text)
        self.service = Service(self.project)
        self.service.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def more_orders(self, *rows: str) -> None:
        """The file as a newer export: there all at once."""
        fresh = self.project.folder / ".orders"
        fresh.write_text((self.project.folder / "orders.csv").read_text() + "".join(row + "\n" for row in rows))
        fresh.rename(self.project.folder / "orders.csv")

    def say(self, *words: str) -> str:
        """What the command line writes."""
        with self.project.start(*words) as child:
            out, err = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0, err
        return out


class Page:
    """The page in a browser."""

    def __init__(self, served: Served, profile: Path) -> None:
        options = Options()
        options.binary_location = shutil.which("chromium") or ""
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
                         "--no-first-run", "--lang=en-US", f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = Driver(shutil.which("chromedriver"), env={**os.environ, "HOME": str(profile)})
        self.driver = webdriver.Chrome(service=driver, options=options)
        self.served = served

    def quit(self) -> None:
        self.driver.quit()

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, holds: Callable[[], Any], what: str) -> Any:
        """Waits until it holds. Elements that were drawn anew in between are looked up again."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if found := holds():
                    return found
            except StaleElementReferenceException:
                pass
            except WebDriverException as e:
                if "not interactable" not in str(e) and "intercepted" not in str(e):
                    raise
            time.sleep(0.03)
        raise AssertionError(f"never came to {what}:\n{self.text}\n{self.driver.get_log('browser')}")

    def all(self, css: str, text: str = "") -> list[WebElement]:
        return [e for e in self.driver.find_elements(By.CSS_SELECTOR, css) if text in e.text]

    def one(self, css: str, text: str = "") -> WebElement:
        """The first such element, once it is there."""
        return self.until(lambda: next(iter(self.all(css, text)), None), f"{css} '{text}'")

    def click(self, css: str, text: str = "") -> None:
        def clicked() -> bool:
            self.one(css, text).click()
            return True

        self.until(clicked, f"a click on {css} '{text}'")

    def type(self, css: str, *keys: str) -> None:
        def typed() -> bool:
            self.one(css).send_keys(*keys)
            return True

        self.until(typed, f"typing into {css}")

    def choose(self, css: str, text: str) -> None:
        def chosen() -> bool:
            Select(self.one(css)).select_by_visible_text(text)
            return True

        self.until(chosen, f"'{text}' of {css}")

    @property
    def text(self) -> str:
        return str(self.js("return document.body.innerText"))

    def sees(self, text: str) -> None:
        self.until(lambda: text in self.text, f"'{text}'")

    def go(self, where: str, heading: str) -> None:
        """Another view, once it is there."""
        self.js("location.hash = arguments[0]", where)
        self.settled(heading)

    def settled(self, heading: str) -> None:
        self.until(
            lambda: self.js("return document.querySelector('main h1')?.textContent === arguments[0] && !document.querySelector('[aria-busy]')", heading),
            heading,
        )

    def width(self, pixels: int) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride", {"width": pixels, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        )

    def keys(self, *keys: str) -> None:
        for key in keys:
            ActionChains(self.driver).send_keys(key).perform()

    def complaints(self) -> list[str]:
        """Errors of the console and violations of the policy since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def log_in(self) -> None:
        self.driver.get(self.served.say("token", "link").strip())
        self.settled("Portfolio")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    service = Served(tmp_path_factory.mktemp("served"))
    yield service
    assert service.service.stop() == 0


@pytest.fixture(scope="session")
def browser(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    opened = Page(served, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.quit()


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    """The portfolio, by somebody who may do everything. Nothing may have been complained about afterwards."""
    browser.width(1280)
    if not browser.driver.current_url.startswith(browser.served.url) or browser.all("#token"):
        browser.log_in()
    browser.js("location.hash = '#/service'")
    browser.settled("Service")
    browser.go("#/", "Portfolio")
    browser.complaints()
    yield browser
    assert browser.complaints() == []


