# SPDX-License-Identifier: Apache-2.0
"""What people do with the page, in a browser: look, filter, open, write, and see what comes."""

import json

from conftest import Page, Served
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys


def test_portfolio_loads_and_filters(page: Page) -> None:
    names = [e.text for e in page.all("tbody th a")]
    assert sorted(names) == ["Alder Tools", "Birch <i>Goods</i>", "Cedar Foods"]  # a name is text, whatever stands in it
    alder = page.one("tr[data-partner=alder]").text
    assert "consulting" in alder and "€150.37" in alder  # 100 + 50.25 + 0.123456
    cedar = page.one("tr[data-partner=cedar]")
    assert "no data yet" in cedar.text and "0" not in cedar.text  # unknown is never 0

    def rows() -> list[str]:
        return [str(e.get_attribute("data-partner")) for e in page.all("tbody tr")]

    page.choose("select[name=industry]", "Tools")
    page.until(lambda: sorted(rows()) == ["alder", "birch"], "those of one industry")
    assert "2 of 3 partners" in page.text
    page.type("input[name=q]", "bir")
    page.until(lambda: rows() == ["birch"], "one that was searched")
    assert page.js("return document.activeElement.name") == "q"  # it is drawn anew, and typing goes on
    page.type("input[name=q]", "xx")
    page.sees("No partner fits")
    page.type("input[name=q]", Keys.BACKSPACE * 5)
    page.choose("select[name=industry]", "All")
    page.choose("select[name=kind]", "Opportunities")
    page.until(lambda: rows() == ["alder"], "those with an opportunity")
    page.choose("select[name=kind]", "All")
    page.choose("select[name=stage]", "Signed")
    page.until(lambda: rows() == ["birch"], "those of a stage")
    page.choose("select[name=stage]", "All")
    page.choose("select[name=practice]", "Consulting")
    page.until(lambda: rows() == ["alder"], "those of a practice")
    page.choose("select[name=practice]", "All")
    page.click("thead button", "Partner")
    page.until(lambda: rows() == ["alder", "birch", "cedar"], "sorted by name")
    page.click("thead button", "Partner")
    page.until(lambda: rows() == ["cedar", "birch", "alder"], "the other way round")
    assert page.one("th[aria-sort=descending]").text.startswith("Partner")
    page.click("thead button", "Look at first")


def test_a_finding_with_its_evidence(page: Page) -> None:
    page.click("tr[data-partner=alder] th a")
    page.settled("Alder Tools")
    assert page.all(".metric", "Net revenue") and page.all(".metric canvas[role=img][aria-label]")
    page.click(".finding.opportunity a", "Evidence")
    page.until(lambda: page.all("[data-part=evidence] tbody tr"), "evidence")
    evidence = {e.find_element(By.TAG_NAME, "th").text: e.text for e in page.all("[data-part=evidence] tbody tr")}
    assert "10" in evidence["Visits"] and "Feb 28 – Mar 9, 2026" in evidence["Visits"]
    assert "€150.37" in evidence["Net revenue"]
    page.click("[data-part=evidence] a[aria-label^='Records of revenue']")  # down to file and row
    page.until(lambda: page.all("main tbody tr", "orders.csv"), "records")
    rows = [e.text for e in page.all("main tbody tr")]
    assert ["A1" in row and "line 2" in row for row in rows] == [True, False, False], rows
    assert "line 3" in rows[1] and "line 5" in rows[2]
    page.driver.back()
    page.until(lambda: page.all("[data-part=evidence]"), "the finding")
    page.js("document.querySelector('main h1').focus()")
    assert page.js("return document.activeElement.tagName") == "H1"  # who cannot see hears where they are


def test_what_people_make_of_a_finding(page: Page) -> None:
    page.go("#/partners/birch", "Birch <i>Goods</i>")
    page.click(".finding.insight button", "Explain")
    page.click("dialog button[type=submit]")
    page.sees("Reason is required")
    page.type("dialog textarea", "they opened a second shop")
    page.click("dialog button[type=submit]")
    page.until(lambda: page.all(".finding.insight .badge", "Explained"), "the new state")
    page.click(".finding.insight a", "Evidence")
    page.sees("“they opened a second shop”")
    page.click("button", "Reopen")
    page.type("dialog textarea", "it was the other shop")
    page.click("dialog button[type=submit]")
    page.until(lambda: page.all(".one .badge", "Reopened"), "the state after it")


def test_a_register_entry_by_its_form(page: Page, served: Served) -> None:
    page.go("#/partners/alder", "Alder Tools")
    page.click("details[data-register=commitments] summary")
    page.click("details[data-register=commitments] button", "Add an entry")
    page.type("dialog [name=text]", "Send the <b>new</b> price list")
    page.click("dialog button[type=submit]")
    page.sees("Who is required")  # the form knows what the register knows
    page.choose("dialog [name=who]", "Us")
    page.js("document.querySelector('dialog [name=due]').value = '2026-04-01'")
    page.click("dialog button[type=submit]")
    page.until(lambda: page.all("li[data-entry=commitments-1]", "Send the <b>new</b> price list"), "the entry")
    [entry] = json.loads(served.say("register", "commitments", "list", "--json"))
    assert (entry["partner"], entry["text"], entry["who"], entry["due"], entry["state"]) == (
        "alder", "Send the <b>new</b> price list", "us", "2026-04-01", "open")  # fmt: skip
    page.click("li[data-entry=commitments-1] button", "Edit")
    page.type("dialog [name=to]", "Kim")
    page.js("document.querySelector('dialog [name=due]').value = ''")
    page.click("dialog button[type=submit]")
    page.until(lambda: page.all("li[data-entry=commitments-1]", "Kim"), "the change")
    page.click("li[data-entry=commitments-1] button", "Close")
    page.choose("dialog [name='.state']", "Kept")
    page.click("dialog button[type=submit]")
    page.until(lambda: page.all("li[data-entry=commitments-1] .badge", "kept"), "its end")
    [entry] = json.loads(served.say("register", "commitments", "list", "--json"))
    assert (entry["state"], entry["to"], entry.get("due")) == ("kept", "Kim", None)


def test_a_form_shows_what_the_service_refuses(page: Page) -> None:
    page.go("#/partners/alder", "Alder Tools")
    page.click("details[data-register=claims] summary")
    page.click("details[data-register=claims] button", "Add an entry")
    page.type("dialog [name=text]", "We grow")
    page.js("document.querySelector('dialog [name=said_on]').value = '2026-03-01'")
    page.type("dialog [name=value]", "a lot")
    page.click("dialog button[type=submit]")
    page.until(lambda: page.all("dialog [role=alert]", "number"), "what is wrong")
    assert page.one("dialog [name=text]").get_attribute("value") == "We grow"  # nothing that was typed is lost
    page.keys(Keys.ESCAPE)
    page.until(lambda: not page.all("dialog"), "the dialog's end")
    page.complaints()  # the browser logs the 422


def test_a_finding_arrives_live(page: Page, served: Served) -> None:
    page.until(lambda: page.all("#live[data-state=live]"), "the stream")
    assert not page.all(".mark.red_flag")
    page.js("window.untouched = true")
    served.more_orders("A5,alder,2026-03-09 11:00:00,ok,web,EUR,5.00,9", "A6,alder,2026-03-09 12:00:00,ok,web,EUR,5.00,9")
    page.until(lambda: page.all(".toast.red_flag a", "Orders come all at once"), "the news")
    page.until(lambda: page.all("tr[data-partner=alder] .mark.red_flag"), "the portfolio with it")
    assert page.all("tr[data-partner=alder] .badge.new", "New")
    assert "New red flag, alder: Orders come all at once" in page.js("return document.querySelector('[aria-live=polite]').textContent")
    assert page.js("return window.untouched")  # it was not loaded again
    page.click(".toast.red_flag a")
    page.settled("Orders come all at once")
    page.go("#/", "Portfolio")
    assert not page.all(".badge.new")


def test_sources_and_rejects(page: Page) -> None:
    page.click("nav a", "Sources")
    page.settled("Sources")
    page.click("main a", "orders")
    page.settled("orders")
    page.until(lambda: page.all("td", "At"), "the reject")
    [row] = page.all("tbody tr")
    assert row.text.startswith("orders.csv") or "orders.csv" in row.text
    assert "line 6, column At" in row.text


def test_rules(page: Page) -> None:
    page.click("nav a", "Rules")
    page.settled("Rules")
    page.click("main a", "grows")
    page.settled("Grows")
    assert "Visits that could buy." in page.text and page.all("th", "window")


def test_reload_says_where_an_error_is(page: Page, served: Served) -> None:
    config = served.project.config
    good = config.read_text()
    page.go("#/service", "Service")
    config.write_text(good.replace("America/New_York", "America/New_Yorkshire"))
    try:
        page.click("button", "Reload")
        line = 1 + good[: good.index("America/New_York")].count("\n")
        page.one("[data-outcome=bad]", f"{config}:{line}:")
        page.one("[data-outcome=bad]", "goes on")
    finally:
        config.write_text(good)
    page.click("button", "Reload")
    page.one("[data-outcome=good]", "active")
    page.complaints()  # the browser logs the 422


def test_the_connection_is_lost_and_mended(page: Page, served: Served) -> None:
    page.until(lambda: page.all("#live[data-state=live]"), "the stream")
    assert served.service.stop() == 0
    page.until(lambda: page.one("#lost").is_displayed(), "the loss")
    assert page.one("#live").text == "Reconnecting"
    served.service.start()
    page.until(lambda: page.all("#live[data-state=live]") or page.all("#token"), "the connection, or the login")
    page.complaints()  # the browser logs what could not be reached


def test_login(page: Page, served: Served) -> None:
    token = served.say("token", "add", "kim", "--role", "viewer").strip()
    page.click("#logout")
    page.type("#token", "nonsense", Keys.ENTER)
    page.sees("there is no such token")
    page.js("location.hash = '#/partners/alder'")
    page.one("#token").clear()
    page.type("#token", token, Keys.ENTER)
    page.settled("Alder Tools")  # where they wanted to go
    assert "kim · viewer" in page.one("#who").text
    assert not page.all("button", "Explain") and not page.all("button", "Add an entry")  # who reads is not offered to write
    served.say("token", "revoke", "kim")
    page.js("location.hash = '#/sources'")
    page.one("#token")  # the session ended with its token
    page.complaints()  # the browser logs the 401
