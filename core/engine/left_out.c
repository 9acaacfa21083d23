/* SPDX-License-Identifier: Apache-2.0
 *
 * Files of rulebooks that ended the worker which loaded them: by hanging, crashing, leaving. The next worker is told to
 * leave them out, and tells them as faults of their books, with the line where the worker was. Loop thread only. */
#include "base/json.h"
#include "engine/rules_worker.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 32 }; /* so many restarts, each as long as the deadline, are enough to see that something else is wrong */

struct ent__left_out {
	struct one {
		char *file, *what;
		uint32_t line;
	} files[MOST];
	unsigned n;
};

void ent__place_in(const char *traceback, const char *file, uint32_t *line) {
	char wanted[ENT_RULES_FILE_MOST + 32];
	snprintf(wanted, sizeof wanted, "File \"%s\", line ", file);
	const char *at = strstr(traceback, wanted);
	if (at) {
		*line = (uint32_t)strtoul(at + strlen(wanted), NULL, 10);
	}
}

bool ent__left_out_add(ent_engine *e, const ent__rules_worker *w) {
	const ent_rules_page *page = ent_child_shared(w->child);
	char what[200], file[ENT_RULES_FILE_MOST];
	snprintf(file, sizeof file, "%.*s", ENT_RULES_FILE_MOST - 1, page->file);
	if (!file[0] || (!w->late && atomic_load(&page->rule) != ENT_RULES_AT_LOAD)) {
		return false;
	}
	if (!e->left_out) {
		e->left_out = ent_xcalloc(1, sizeof *e->left_out);
	}
	struct ent__left_out *l = e->left_out;
	for (unsigned i = 0; i < l->n; i++) {
		if (!strcmp(l->files[i].file, file)) {
			return false; /* it was left out, and something else is wrong */
		}
	}
	if (l->n == MOST) {
		return false;
	}
	if (w->late) {
		snprintf(what, sizeof what, "loading it did not end within %.1f s", (double)e->config->rules.deadline_us / 1e6);
	} else if (w->signal) {
		snprintf(what, sizeof what, "loading it ended the rules worker with signal %d (%s)", w->signal,
			strsignal(w->signal));
	} else {
		snprintf(what, sizeof what, "loading it ended the rules worker with status %lld", (long long)w->status);
	}
	struct one *one = &l->files[l->n++];
	*one = (struct one){ent_xstrdup(file), ent_xstrdup(what), 0};
	ent__place_in(ent_child_stderr(w->child), file, &one->line);
	return true;
}

void ent__left_out_json(const ent_engine *e, ent_json *w) {
	ent_json_object(w);
	for (unsigned i = 0; e->left_out && i < e->left_out->n; i++) {
		const struct one *one = &e->left_out->files[i];
		ent_json_key(w, one->file);
		ent_json_object(w);
		ent_json_key(w, "line");
		ent_json_uint(w, one->line);
		ent_json_key(w, "what");
		ent_json_text(w, one->what);
		ent_json_end(w);
	}
	ent_json_end(w);
}

void ent__left_out_forget(ent_engine *e) {
	for (unsigned i = 0; e->left_out && i < e->left_out->n; i++) {
		free(e->left_out->files[i].file);
		free(e->left_out->files[i].what);
	}
	free(e->left_out);
	e->left_out = NULL;
}
