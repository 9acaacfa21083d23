// SPDX-License-Identifier: Apache-2.0
// What changes, as it changes: one stream of server-sent events for the page. When it breaks it is opened again, after ever
// longer pauses up to 15 s; then what is shown is asked for anew.
import { get } from "./api.js";

const names = ["finding", "findings", "committed", "source", "reset"];
let stream = null, pause = 1000, timer = null, was = false;
let tell = () => {}, show = () => {};

function open() {
	stream = new EventSource("/api/v1/events");
	stream.addEventListener("open", () => {
		pause = 1000;
		show("live");
		if (was) {
			tell("reset", {}); // what happened meanwhile was not heard
		}
		was = true;
	});
	stream.addEventListener("error", () => {
		show("lost");
		close();
		timer = setTimeout(async () => {
			timer = null;
			pause = Math.min(pause * 2, 15000);
			try {
				await get("session"); // a session that has ended leads to the login
				open();
			} catch (problem) {
				if (problem.status === 401) {
					tell("login", {});
				} else {
					open();
				}
			}
		}, pause);
	});
	for (const name of names) {
		stream.addEventListener(name, (event) => {
			let data = {};
			try {
				data = JSON.parse(event.data);
			} catch {
				// an event without content
			}
			tell(name, data);
		});
	}
}

function close() {
	stream?.close();
	stream = null;
}

/** told(name, data) for each event; state("live" or "lost") when the connection changes. */
export function listen(told, state) {
	tell = told;
	show = state;
	if (!stream && timer === null) {
		open();
	}
}

export function stop() {
	close();
	clearTimeout(timer);
	timer = null;
	was = false;
}
