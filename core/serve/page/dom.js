// SPDX-License-Identifier: Apache-2.0
// Elements of the page. Text always goes in as text, never as markup: what rules and records say cannot become code.

/** An element: h("a", { href: "#/", class: "x", onclick: f, "data-key": "k" }, "text", other, [more]). */
export function h(tag, props, ...children) {
	const element = document.createElement(tag);
	for (const [name, value] of Object.entries(props ?? {})) {
		if (value === null || value === undefined || value === false) {
			continue;
		}
		if (name.startsWith("on")) {
			element.addEventListener(name.slice(2), value);
		} else if (name === "value") {
			element.value = value;
		} else {
			element.setAttribute(name, value === true ? "" : value);
		}
	}
	element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
	return element;
}

/** What keeps its place over a new drawing has data-key. */
const keyed = (root, key) => root.querySelector(`[data-key="${CSS.escape(key)}"]`);

/** Puts new content in; focus, what is typed and what is unfolded stay as they were. */
export function redraw(root, ...content) {
	const active = root.contains(document.activeElement) ? document.activeElement : null;
	const key = active?.dataset.key;
	const caret = active && "selectionStart" in active ? active.selectionStart : null;
	const folds = new Map([...root.querySelectorAll("details[data-key]")].map((d) => [d.dataset.key, d.open]));
	const scrolled = [...root.querySelectorAll(".scroll[data-key]")].map((s) => [s.dataset.key, s.scrollLeft]);
	root.replaceChildren(...content.flat(Infinity).filter(Boolean));
	for (const details of root.querySelectorAll("details[data-key]")) {
		if (folds.has(details.dataset.key)) {
			details.open = folds.get(details.dataset.key);
		}
	}
	for (const [name, left] of scrolled) {
		const again = keyed(root, name);
		if (again) {
			again.scrollLeft = left;
		}
	}
	const next = key && keyed(root, key);
	if (next) {
		next.focus({ preventScroll: true });
		if (caret !== null && next.type !== "number" && "setSelectionRange" in next) {
			try {
				next.setSelectionRange(caret, caret);
			} catch {
				// not every input has a caret
			}
		}
	}
}

/** Tells people who do not see the page, when there is a pause. */
export function say(text) {
	const said = document.getElementById("said");
	const line = h("p", null, text);
	said.append(line);
	while (said.children.length > 5) {
		said.firstChild.remove();
	}
}

let ids = 0;
export const fresh = (stem) => `${stem}-${++ids}`;

/** A section with its heading. */
export function section(title, props, ...content) {
	const id = fresh("section");
	return h("section", { "aria-labelledby": id, ...props }, h("h2", { id }, title), ...content);
}

/** A table that scrolls in itself where it is wider than its place. */
export function table(caption, heads, rows, key) {
	// roles are said, too: where rows become cards, browsers forget what the elements were
	const head = (c) => h("th", { scope: "col", role: "columnheader",
		class: c.number ? "number" : c.class === "long" ? "long" : null }, c.title);
	const cell = (c, value, n) => n === 0 && !c.plain
		? h("th", { scope: "row", role: "rowheader", class: c.class }, h("div", null, value ?? ""))
		: h("td", { role: "cell", "data-title": c.title,
			class: [c.number ? "number" : "", c.class ?? ""].join(" ").trim() || null }, h("div", null, value ?? ""));
	return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption, "data-key": key ?? caption },
		h("table", { role: "table" }, h("caption", { class: "unseen" }, caption),
			h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads.map(head))),
			h("tbody", { role: "rowgroup" }, rows.map((row) => h("tr", { role: "row" },
				heads.map((c, n) => cell(c, row[n], n)))))));
}

export const empty = (title, text) => h("div", { class: "empty" }, h("p", { class: "big" }, title), text && h("p", null, text));

export const badge = (text, tone) => h("span", { class: `badge ${tone ?? ""}` }, text);
