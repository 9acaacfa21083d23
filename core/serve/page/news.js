// SPDX-License-Identifier: Apache-2.0
// Findings that came while the page is open: they are told, and marked as new until they were looked at.
import { at } from "./api.js";
import { h, say } from "./dom.js";
import { kinds } from "./parts.js";

/** Ids of findings that came since the page was opened, and were not looked at. */
export const arrived = new Set();

const most = 3;
const place = () => document.getElementById("toasts");

export function toastFinding(finding) {
	const kind = kinds[finding.kind]?.one ?? finding.kind;
	say(`New ${kind.toLowerCase()}, ${finding.partner}: ${finding.text}`);
	const leave = () => toast.remove();
	const toast = h("div", { class: `toast ${finding.kind}` },
		h("p", null, h("strong", { class: "kind" }, `New ${kind.toLowerCase()}`), ` · ${finding.partner}`),
		h("p", null, h("a", { href: at.finding(finding.id), onclick: leave }, finding.text)),
		h("button", { type: "button", class: "quiet close", "aria-label": "Dismiss this news", onclick: leave }, "✕"));
	place().append(toast);
	while (place().children.length > most) {
		place().firstChild.remove();
	}
	const later = () => setTimeout(() => (toast.matches(":hover, :focus-within") ? later() : leave()), 15000);
	later();
}

/** A short word for what was done. */
export function toast(text) {
	say(text);
	const it = h("div", { class: "toast done" }, h("p", null, text));
	place().append(it);
	setTimeout(() => it.remove(), 5000);
}
