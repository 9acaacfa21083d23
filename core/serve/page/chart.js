// SPDX-License-Identifier: Apache-2.0
// Charts, drawn by Chart.js (from Debian's libjs-chart.js), which is fetched when the first one is drawn. A chart is for the
// eye; the same figures stand beside it as a table, and what matters of them as text.
import { h } from "./dom.js";
import { amount, short } from "./format.js";

let library = null;
async function chartjs() {
	library ??= import("./chart.min.js").then(() => globalThis.Chart);
	return library;
}

const shown = new Map(); // canvas to what draws it

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** `unit` and `currency` of the values; `labels` for people; `band` {p25, p50, p75} or null. */
function settings({ labels, values, unit, currency, band }) {
	const flat = (value) => labels.map(() => value);
	const none = { pointRadius: 0, pointHitRadius: 0, borderWidth: 0, tooltip: false };
	const lines = [{
		label: "value", data: values, borderColor: color("--accent"), borderWidth: 2, pointRadius: 0, pointHoverRadius: 4,
		pointBackgroundColor: color("--accent"), tension: 0.25, fill: band ? false : "origin", backgroundColor: color("--area"),
	}];
	if (band) {
		lines.push({ ...none, label: "p25", data: flat(band.p25), fill: false },
			{ ...none, label: "p75", data: flat(band.p75), fill: "-1", backgroundColor: color("--middle") },
			{ ...none, label: "median", data: flat(band.p50), borderColor: color("--ink"), borderWidth: 1.5,
				borderDash: [4, 3] });
	}
	const font = { family: "system-ui, sans-serif", size: 12 };
	return {
		type: "line",
		data: { labels, datasets: lines },
		options: {
			animation: false, responsive: true, maintainAspectRatio: false, events: ["mousemove", "mouseout", "touchstart"],
			interaction: { mode: "index", intersect: false },
			layout: { padding: { top: 6, right: 6 } },
			plugins: {
				legend: { display: false },
				tooltip: {
					filter: (item) => item.datasetIndex === 0, displayColors: false,
					callbacks: { label: (item) => amount(item.raw, unit, currency) },
				},
			},
			scales: {
				x: { grid: { display: false }, border: { display: false },
					ticks: { color: color("--soft"), font, autoSkip: true, maxTicksLimit: 4, maxRotation: 0, minRotation: 0 } },
				y: { beginAtZero: true, grid: { color: color("--grid"), drawBorder: false },
					ticks: { color: color("--soft"), font, maxTicksLimit: 4,
						callback: (value) => short(value, unit, currency) } },
			},
		},
	};
}

async function draw(canvas, what) {
	const Chart = await chartjs();
	if (!canvas.isConnected) {
		return;
	}
	shown.get(canvas)?.chart?.destroy();
	shown.set(canvas, { what, chart: new Chart(canvas, settings(what)) });
}

/** A chart of a figure over time, with the band of its peers. `text` says what it shows. */
export function lineChart(what, text) {
	const canvas = h("canvas", { role: "img", "aria-label": text });
	requestAnimationFrame(() => draw(canvas, what).catch(() => canvas.replaceWith(h("p", { class: "soft" },
		"No chart: the library did not load."))));
	return h("div", { class: "plot" }, canvas);
}

/** Lets go of charts that are no longer on the page. */
export function sweep() {
	for (const [canvas, { chart }] of shown) {
		if (!canvas.isConnected) {
			chart.destroy();
			shown.delete(canvas);
		}
	}
}

/** Draws all anew: the colours have changed. */
export function recolor() {
	sweep();
	for (const [canvas, { what }] of shown) {
		draw(canvas, what);
	}
}

const place = (value, most) => `${(100 * Math.min(1, Math.max(0, value / most))).toFixed(2)}`;
const svg = (tag, props) => {
	const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
	for (const [name, value] of Object.entries(props)) {
		element.setAttribute(name, value);
	}
	return element;
};

/** Where a value lies within the middle half of the peers: a line with band, median and dot. The text says the same. */
export function bandRail(value, band, text) {
	const most = 1.15 * Math.max(value ?? 0, band.p75, band.p50) || 1;
	const rail = svg("svg", { class: "rail", width: "100%", height: "28", role: "img", "aria-label": text });
	const y = "14";
	rail.append(svg("line", { class: "rail-line", x1: "0", x2: "100%", y1: y, y2: y }),
		svg("rect", { class: "rail-middle", x: `${place(band.p25, most)}%`, y: "7", height: "14", rx: "3",
			width: `${Math.max(0.6, place(band.p75, most) - place(band.p25, most))}%` }),
		svg("line", { class: "rail-median", x1: `${place(band.p50, most)}%`, x2: `${place(band.p50, most)}%`, y1: "4",
			y2: "24" }));
	if (value !== null && value !== undefined) {
		rail.append(svg("circle", { class: "rail-dot", cx: `${place(value, most)}%`, cy: y, r: "6.5" }));
	}
	return rail;
}
