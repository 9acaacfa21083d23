// SPDX-License-Identifier: Apache-2.0
// How the service stands, and another configuration for it.
import { ask, get, may } from "./api.js";
import { badge, h, section } from "./dom.js";
import { ago, bytes, capital, count, day, duration, instant } from "./format.js";
import { toast } from "./news.js";

const facts = (...rows) => h("dl", { class: "facts" }, rows.filter(Boolean).map(([title, value, tone]) => h("div", null,
	h("dt", null, title), h("dd", { class: tone }, value))));

/** What the last reload said; kept while the page is open. */
let said = null;

async function reload(again) {
	try {
		const now = await ask("POST", "reload");
		said = { good: `The configuration is active, as generation ${now.generation}.` };
		toast(said.good);
	} catch (problem) {
		said = { what: problem.message, todo: problem.todo, errors: problem.errors };
		toast("The configuration was refused; the one before goes on.");
	}
	again(false);
	again();
}

function outcome() {
	if (!said) {
		return null;
	}
	if (said.good) {
		return h("p", { class: "card done", "data-outcome": "good" }, said.good);
	}
	const place = (e) => [e.file, e.line || null, e.line ? e.column || null : null].filter(Boolean).join(":");
	return h("div", { class: "card wrong", "data-outcome": "bad", role: "note" },
		h("p", null, h("strong", null, "Refused. "), "The configuration that was active goes on."),
		said.errors.length ? h("ul", { class: "errors" },
			said.errors.map((e) => h("li", null, e.file && [h("code", null, place(e)), " "], capital(e.what ?? ""),
			e.todo && h("span", { class: "soft" }, ` ${capital(e.todo)}.`))))
			: h("p", null, [capital(said.what), said.todo].filter(Boolean).join(". ")));
}

export const service = {
	title: () => "Service",
	async load() {
		const s = await get("status");
		delete s.now; // what differs each time, and says nothing
		delete s.progress;
		delete s.http_requests;
		delete s.memory_bytes;
		delete s.next_scan;
		return s;
	},
	wants: (name) => name !== "finding",
	draw(s, place, again) {
		const waiting = s.sources.reduce((n, x) => n + x.waiting_bytes + x.inbox_bytes, 0);
		const good = s.running && s.ready;
		return [h("h1", { tabindex: "-1" }, "Service"),
			h("p", null, badge(good ? "Works" : s.ready ? "Fails" : "Starting", good ? "calm" : "wrong"),
				` ${capital(s.doing)}, version ${s.version}, started ${ago(s.started)}.`),
			s.error && h("p", { class: "card wrong", role: "note" }, s.error),
			h("div", { class: "columns three" },
				section("Configuration", null, facts(["Generation", count(s.generation)],
					["Active since", instant(s.reloaded)]),
					may("operator") && h("p", null, h("button",
						{ type: "button", class: "main", "data-key": "reload",
						onclick: () => reload(again) }, "Reload")), outcome()),
				section("Work", null, facts(["Last commit", s.committed ? ago(s.committed) : "nothing yet"],
					["Last judged", s.judged ? ago(s.judged) : "not yet"],
					["Judged as of", s.as_of ? day(s.as_of) : "unknown"], ["Judging took",
						duration(s.judge_seconds)], ["Waiting", waiting ? bytes(waiting) : "nothing"],
					["Commits", count(s.commits)], ["Judgements", count(s.judgements)], s.rules_error && ["Rules",
						s.rules_error, "bad"], s.refused_error && ["Refused", s.refused_error, "bad"])),
				section("Store", null, facts(["Ledger", bytes(s.store.ledger_bytes)],
					["Database", bytes(s.store.database_bytes)], ["Documents",
					s.store.documents || !s.store.ledger_bytes ? count(s.store.documents) : "not counted yet"],
					["Customers and visitors", count(s.store.identities)])),
				section("Workers", null, facts(["Running",
					`${count(s.workers.running)} of ${count(Math.max(s.workers.most, s.workers.running))}`], ["Started", count(s.workers.started)],
					["Died or were stopped", count(s.workers.died), s.workers.died ? "warn" : null], ["Sandbox of decoders",
						s.workers.decoder_sandbox ?? "unknown"], ["Sandbox of rules", s.workers.rules_sandbox ?? "unknown"])))];
	},
};
