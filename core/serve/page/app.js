// SPDX-License-Identifier: Apache-2.0
// The frame of the page: which view an address shows, who is logged in, what changes live. A view is an object:
//   title(data, at)  load(at) -> data   draw(data, at, again) -> elements   wants(event, data, at) -> boolean
// where `at` has the parts of the address. A view is loaded anew when something came that it wants; it is drawn anew only if
// what was loaded differs, and then focus, scrolling and what is unfolded stay.
import { get, post, ask, may, setWho, who, whenLoginIsNeeded } from "./api.js";
import { recolor, sweep } from "./chart.js";
import { h, redraw, say } from "./dom.js";
import { setCurrency, plural } from "./format.js";
import { listen, stop } from "./live.js";
import { login, ownBrief } from "./view_login.js";
import { arrived, toastFinding } from "./news.js";
import { findingView } from "./view_finding.js";
import { partnerView } from "./view_partner.js";
import { portfolio } from "./view_portfolio.js";
import { recordsView } from "./view_records.js";
import { rules, ruleView } from "./view_rules.js";
import { service } from "./view_service.js";
import { sources, sourceView } from "./view_sources.js";

const el = (id) => document.getElementById(id);
const main = el("main");

const routes = [
	[/^$/, portfolio, "portfolio"],
	[/^partners\/([^/]+)$/, partnerView, "portfolio"],
	[/^partners\/([^/]+)\/records$/, recordsView, "portfolio"],
	[/^findings\/([^/]+)$/, findingView, "portfolio"],
	[/^sources$/, sources, "sources"],
	[/^sources\/([^/]+)$/, sourceView, "sources"],
	[/^rules$/, rules, "rules"],
	[/^rules\/([^/]+)$/, ruleView, "rules"],
	[/^service$/, service, "service"],
];
const places = [["portfolio", "#/", "Portfolio"], ["sources", "#/sources", "Sources"], ["rules", "#/rules", "Rules"],
	["service", "#/service", "Service"]];

let shown = null; // { view, at, data, text }: what is on the page
let asked = 0;    // number of the last question: older answers are thrown away

function where() {
	const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
	for (const [pattern, view, place] of routes) {
		const match = pattern.exec(path);
		if (match) {
			return { view, place, id: match[1] ? decodeURIComponent(match[1]) : null, path,
				query: new URLSearchParams(query ?? "") };
		}
	}
	return null;
}

function failed(problem, again) {
	return h("div", { class: "pad" },
		h("h1", { tabindex: "-1" }, problem.status === 404 ? "Not found" : "This could not be shown"),
		h("p", { role: "alert" }, `${problem.message}.`), problem.todo && h("p", { class: "soft" }, problem.todo),
		h("p", null, h("button", { type: "button", onclick: again }, "Try again"), " ",
			h("a", { href: "#/" }, "To the portfolio")));
}

const waiting = () => [h("h1", { class: "unseen", tabindex: "-1" }, "Loading"),
	h("div", { class: "skeleton", "aria-hidden": "true" }, [1, 2, 3, 4, 5, 6].map(() => h("div")))];

function put(content, first) {
	if (first) {
		main.replaceChildren(...[content].flat(Infinity).filter(Boolean));
	} else {
		redraw(main, content);
	}
	sweep();
}

let moved = false;
/** Who follows a link hears where they are; who has just come begins at the top of the page. */
function arrive() {
	if (moved) {
		main.querySelector("h1")?.focus({ preventScroll: true });
	}
	moved = true;
}

/** Shows what the address says. */
async function show() {
	const at = where();
	const mine = ++asked;
	main.removeAttribute("aria-busy");
	if (!who()) {
		return;
	}
	if (who().role === "partner") {
		put(ownBrief(who()), true);
		return;
	}
	if (!at) {
		put(failed({ status: 404, message: "there is no such page" }, show), true);
		return;
	}
	const same = shown && shown.view === at.view && shown.at.path === at.path;
	for (const link of el("nav").querySelectorAll("a")) {
		if (link.dataset.place === at.place) {
			link.setAttribute("aria-current", "page");
		} else {
			link.removeAttribute("aria-current");
		}
	}
	const slow = setTimeout(() => { if (mine === asked && !same) { shown = null; put(waiting(), true); } }, 150);
	main.setAttribute("aria-busy", "true");
	try {
		const data = await at.view.load(at);
		if (mine !== asked) {
			return;
		}
		const text = JSON.stringify(data);
		if (!same || shown?.text !== text) {
			shown = { view: at.view, at, data, text };
			put(at.view.draw(data, at, again), !same);
			document.title = `${at.view.title(data, at)} · Entente`;
		}
		if (!same) {
			window.scrollTo(0, 0);
			arrive();
		}
	} catch (problem) {
		if (mine === asked && problem.status !== 401) {
			if (problem.status === undefined) {
				console.error(problem);
			}
			if (!same) {
				shown = null;
				put(failed(problem, show), true);
				arrive();
			}
		}
	} finally {
		clearTimeout(slow);
		if (mine === asked) {
			main.removeAttribute("aria-busy");
			if (stale) {
				refresh();
			}
		}
	}
}

/** Draws what is shown once more: `fresh` asks the service first. */
async function again(fresh = true) {
	if (fresh) {
		await show();
	} else if (shown) {
		put(shown.view.draw(shown.data, shown.at, again), false);
	}
}

// ---- live -----------------------------------------------------------------------------------------------------------------

let soon = null, stale = false;
/** Asks anew, soon. Not while an answer is awaited: what comes without a pause must not keep the page from being shown. */
function refresh() {
	stale = false;
	soon ??= setTimeout(() => {
		soon = null;
		if (main.hasAttribute("aria-busy")) {
			stale = true;
		} else {
			show();
		}
	}, 300);
}

function told(name, data) {
	if (name === "login") {
		out();
		return;
	}
	if (name === "finding" && data.before === null && !["cleared", "resolved"].includes(data.state)) {
		arrived.add(data.id);
		toastFinding(data);
	}
	if (name === "findings" && data.more) {
		say(`${plural(data.more, "further finding")} changed`);
	}
	if (name === "reset" || (shown?.view.wants?.(name, data, shown) ?? true)) {
		refresh();
	}
}

function state(now) {
	const lost = now === "lost";
	const before = el("live").dataset.state;
	el("live").dataset.state = now;
	el("live-text").textContent = lost ? "Reconnecting" : "Live";
	el("lost").hidden = !lost;
	if (!lost && before === "lost") {
		say("The connection is back");
	}
}

// ---- logging in and out -------------------------------------------------------------------------------------------------------

async function enter(session) {
	setWho(session);
	el("top").hidden = false;
	el("foot").hidden = false;
	el("who").textContent = `${session.name} · ${session.role}`;
	el("nav").replaceChildren(...(session.role === "partner" ? [] : places).map(([place, href, title]) =>
		h("a", { href, "data-place": place }, title)));
	if (may("viewer")) {
		const [partners, status] = await Promise.all([get("partners?limit=1"), get("status")]);
		setCurrency(partners.currency);
		el("foot").replaceChildren(`Entente ${status.version}. Figures in ${partners.currency}, as of the last complete day. `,
			h("a", { href: "/openapi.json" }, "API"));
		listen(told, state);
	}
	await show();
}

function out() {
	stop();
	setWho(null);
	shown = null;
	asked++;
	el("top").hidden = true;
	el("foot").hidden = true;
	document.title = "Log in · Entente";
	put(login(enter), true);
	main.querySelector("input")?.focus();
}

whenLoginIsNeeded(() => {
	if (who()) {
		out();
	}
});
el("logout").addEventListener("click", async () => {
	await ask("DELETE", "session");
	out();
});

// ---- light and dark ------------------------------------------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
function themed() {
	el("theme").textContent = isDark() ? "Light" : "Dark";
	el("theme").setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
	recolor();
}
el("theme").addEventListener("click", () => {
	document.documentElement.dataset.theme = isDark() ? "light" : "dark";
	try {
		localStorage.setItem("entente.theme", document.documentElement.dataset.theme);
	} catch {
		// it holds until the page is closed
	}
	themed();
});
dark.addEventListener("change", themed);
themed();

el("skip").addEventListener("click", (event) => {
	event.preventDefault();
	main.focus();
});
addEventListener("hashchange", () => {
	if (takeCode()) {
		begin();
	} else {
		show();
	}
});

// ---- the start -------------------------------------------------------------------------------------------------------------------

let code = null;
/** The code of a login link leaves the address at once: it must not stay in the history. */
function takeCode() {
	code = new URLSearchParams(location.hash.slice(1)).get("login");
	if (code) {
		history.replaceState(null, "", location.pathname);
	}
	return code !== null;
}

async function begin() {
	try {
		await enter(code ? await post("session", { code }) : await get("session"));
	} catch (problem) {
		out();
		if (code || problem.status !== 401) {
			main.querySelector("[role=alert]").textContent = `${problem.message}. ${problem.todo ?? ""}`;
		}
	}
}
takeCode();
begin();
