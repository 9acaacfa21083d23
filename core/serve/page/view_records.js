// SPDX-License-Identifier: Apache-2.0
// The records that a partner's figures of some days were counted from, with file and line.
import { at, get, page, word } from "./api.js";
import { empty, h, redraw, table } from "./dom.js";
import { capital, count, day, days, plain, plural } from "./format.js";

const step = 200;

const place = (r) => r.line ? `line ${count(r.line)}` : `byte ${count(r.place)}`;

function rowsOf(list) {
	return table("Records", [{ title: "Day" }, { title: "File" }, { title: "Place" }, { title: "Key" }, { title: "Source" },
		{ title: "Whose word" }],
		list.map((r) => [day(r.day), r.file, place(r), r.key ?? h("span", { class: "soft" }, "made of identities"),
			h("a", { href: at.source(r.source) }, r.source), plain(r.origin)]));
}

export const recordsView = {
	title: (data) => `Records of ${data.name}`,
	async load(place_) {
		const q = place_.query, wish = ["kind", "from", "to"].filter((k) => q.get(k)).map((k) => `&${k}=${word(q.get(k))}`).join("");
		const [partner, first] = await Promise.all([get(`partners/${word(place_.id)}`),
			page(`partners/${word(place_.id)}/records?limit=${step}${wish}`)]);
		return { name: partner.name, rows: first.rows, next: first.next, kind: q.get("kind") ?? "record", from: q.get("from"),
			to: q.get("to") };
	},
	wants: (name) => name === "committed" || name === "reset",
	draw(data, place_) {
		const list = [...data.rows], results = h("div"), summary = h("p", { class: "soft summary", role: "status" });
		let next = data.next;
		const show = () => {
			summary.textContent = `${next ? "The first " : ""}${plural(list.length, data.kind)}`;
			redraw(results, list.length ? rowsOf(list) : empty("No records",
				"None of these days came of a record of this kind."),
				next && h("p", { class: "center" }, h("button", { type: "button", "data-key": "more", onclick: more },
					"Show more")));
		};
		const more = async () => {
			const following = await page(next);
			list.push(...following.rows);
			next = following.next;
			show();
		};
		show();
		return [h("nav", { "aria-label": "Where you are", class: "crumbs" }, h("a", { href: "#/" }, "Portfolio"), " / ",
			h("a", { href: at.partner(place_.id) }, data.name)),
			h("h1", { tabindex: "-1" }, `${capital(plain(data.kind))}s behind the figures`),
			h("p", { class: "lead" }, [data.from && data.to ? `${days(data.from, data.to)}. ` : "",
				"As they stand now: what a newer export replaced is left out. ",
				data.kind === "order" && "Orders that analytics saw stand beside those of the shop; they are compared, never added."]),
			summary, results];
	},
};
