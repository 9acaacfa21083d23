/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of the file itself, of its tables, and of what it says of an input that is whole. */
#include "conform/tests.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* ---- the file -----------------------------------------------------------------------------------------------------
 */

static bool read_elf(ent__check *k, ent__elf *f, ent_arena *arena) {
	ent_error e;
	ent__check_ran(k);
	if (ent__elf_read(f, k->set->path, arena, &e)) {
		ent__check_fail(k, NULL, ENT__NO_PLACE, e.todo, "%s", e.what);
		return false;
	}
	return true;
}

void ent__test_symbols(ent__check *k, const ent__case *c) {
	ent_arena arena = {0};
	ent__elf f;
	(void)c;
	if (read_elf(k, &f, &arena)) {
		bool entry = false;
		char others[500] = "";
		size_t n = 0;
		for (const char *const *s = f.exported; *s; s++) {
			if (!strcmp(*s, "ent_plugin_entry")) {
				entry = true;
			} else if (!strncmp(*s, "__odr_asan.", 11)) { /* the address sanitizer's mark beside each variable */
				continue;
			} else if (++n <= 8) {
				snprintf(others + strlen(others), sizeof others - strlen(others), "%s%s", n > 1 ? ", " : "", *s);
			}
		}
		if (!entry) {
			ent__check_fail(k, NULL, ENT__NO_PLACE, "define `const ent_plugin ent_plugin_entry`, see entente/plugin.h",
				"it does not export ent_plugin_entry");
		} else if (n) {
			ent__check_fail(k, NULL, ENT__NO_PLACE, "compile with -fvisibility=hidden; only the entry is ENT_EXPORT",
				"it exports %zu more than ent_plugin_entry: %s%s", n, others, n > 8 ? ", ..." : "");
		}
	}
	ent_arena_finish(&arena);
}

void ent__test_undefined(ent__check *k, const ent__case *c) {
	ent_arena arena = {0};
	ent__elf f;
	(void)c;
	if (read_elf(k, &f, &arena)) {
		void *libraries[64];
		size_t n = 0;
		for (const char *const *s = f.needed; *s && n < 64; s++) {
			libraries[n] = dlopen(*s, RTLD_LAZY | RTLD_LOCAL);
			if (libraries[n]) {
				n++;
			} else {
				ent__check_fail(k, NULL, ENT__NO_PLACE, "install it where the plugin is to run, or link it statically",
					"it needs %s, which cannot be loaded: %s", *s, dlerror());
			}
		}
		for (const char *const *s = f.undefined; *s; s++) {
			bool found = false;
			for (size_t i = 0; i < n && !found; i++) {
				found = dlsym(libraries[i], *s) != NULL;
			}
			if (!strncmp(*s, "ent_", 4)) {
				ent__check_fail(k, NULL, ENT__NO_PLACE,
					"take what the host gives from the table of functions that create() gets; link nothing of Entente",
					"it needs %s of its host", *s);
			} else if (!found) {
				ent__check_fail(k, NULL, ENT__NO_PLACE,
					"define it, or link the library that has it; -Wl,--no-undefined shows such symbols at once",
					"it needs %s, which no library that it names has", *s);
			}
		}
	}
	ent_arena_finish(&arena);
}

static bool is_name(const char *s) {
	return s && *s >= 'a' && *s <= 'z' && !s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_")];
}

static void check_decoder(ent__check *k, const ent_plugin *p, const ent_decoder *d) {
	const ent__case about = {.decoder = d, .path = ""};
	const uint64_t known = ((UINT64_C(1) << ENT_FACT_COUNT) - 1) & ~UINT64_C(1);
	if (!is_name(d->name)) {
		ent__check_fail(k, &about, ENT__NO_PLACE, "it is written in entente.yaml: small letters, digits and hyphens",
			"the name '%s' of a decoder", d->name);
	}
	if (!ent__is_sentence(d->doc)) {
		ent__check_fail(k, &about, ENT__NO_PLACE,
			"`entente plugin list` shows it: write one sentence, with its full stop", "its doc is '%s'", d->doc);
	}
	if (!d->version[0]) {
		ent__check_fail(k, &about, ENT__NO_PLACE,
			"write \"1\", and another when the same bytes come to mean other facts", "its version is empty");
	}
	if (!d->facts || d->facts & ~known) {
		ent__check_fail(k, &about, ENT__NO_PLACE, "set 1u << kind for each kind of fact that it pushes",
			"its facts are 0x%llx", (unsigned long long)d->facts);
	}
	for (const ent_decoder *const *o = p->decoders; *o != d; o++) {
		if (!strcmp((*o)->name, d->name)) {
			ent__check_fail(
				k, &about, ENT__NO_PLACE, "give each a name of its own", "two decoders have the name %s", d->name);
		}
	}
	for (const ent_column *x = d->columns; x && x->name; x++) {
		for (const ent_column *y = d->columns; y != x; y++) {
			if (!strcasecmp(x->name, y->name)) {
				ent__check_fail(k, &about, ENT__NO_PLACE, "take one out", "column '%s' is in its table twice", x->name);
			}
		}
	}
}

void ent__test_abi(ent__check *k, const ent__case *c) {
	ent_error e;
	ent__set own = {0};
	(void)c;
	ent__check_ran(k);
	if (!k->set->plugin && ent__set_load(&own, k->set->path, &e)) {
		ent__check_fail(
			k, NULL, ENT__NO_PLACE, e.todo[0] ? e.todo : "compare its tables with entente/plugin.h", "%s", e.what);
		ent__set_finish(&own);
		return;
	}
	const ent_plugin *p = k->set->plugin ? k->set->plugin : own.plugin;
	if (p->minor > ENT_PLUGIN_MINOR) {
		ent__check_fail(k, NULL, ENT__NO_PLACE,
			"build it against the header of the oldest Entente that it is to run in",
			"it was built for minor %u; this Entente has %u", p->minor, ENT_PLUGIN_MINOR);
	}
	for (const ent_decoder *const *d = p->decoders; *d; d++) {
		check_decoder(k, p, *d);
	}
	ent__set_finish(&own);
}

/* ---- an input that is whole ---------------------------------------------------------------------------------------
 */

void ent__test_golden(ent__check *k, const ent__case *c) {
	ent_arena arena = {0};
	ent_error e;
	size_t n;
	if (!c->golden) {
		ent__check_skip(k, "of inputs that are named with --input nobody has said what must come out");
		return;
	}
	ent__doing(c, "decoding it");
	ent__trial *t = ent__open(k, c);
	char *want = t ? ent__file_read(&arena, c->golden, &n, &e) : NULL;
	if (t && !want) {
		ent__check_ran(k);
		ent__check_fail(
			k, c, ENT__NO_PLACE, "write it with `entente plugin test --write-golden`, and read it", "%s", e.what);
	} else if (t) {
		ent__check_ran(k);
		ent__trial_decode(t, c->bytes, c->n);
		if (ent__trial_refused(t)) { /* what the host says of a document is in its own words, which may change */
			static const char mark[] = "{\"verdict\":\"error\"";
			char *line = want + (n ? n - 1 : 0); /* behind the last but one line end */
			while (line > want && line[-1] != '\n') {
				line--;
			}
			ent__trial_cut(t);
			if (!strncmp(line, mark, sizeof mark - 1)) {
				*line = 0;
			}
		}
		ent__check_same(k, c, want, ent__trial_text(t),
			"if it is right now, write it anew with --write-golden, and read the difference", c->golden);
	}
	ent__trial_close(t);
	ent_arena_finish(&arena);
}

/* The document in two, at the line end that follows byte `at`; the second part gets the header of the first. */
static bool two_documents(const ent__case *c, size_t at, size_t *first, ent_buf *second) {
	const char *header = memchr(c->bytes, '\n', c->n), *cut = memchr(c->bytes + at, '\n', c->n - at);
	size_t head = c->decoder->frame == ENT_FRAME_DELIMITED && header ? (size_t)(header + 1 - c->bytes) : 0;
	if (!cut || (size_t)(cut + 1 - c->bytes) <= head || cut + 1 == c->bytes + c->n) {
		return false;
	}
	*first = (size_t)(cut + 1 - c->bytes);
	second->n = 0;
	ent_buf_add(second, c->bytes, head);
	ent_buf_add(second, cut + 1, c->n - *first);
	return true;
}

/* The second part says the same to an instance that has seen the first one as to one that has not. */
static void after_another(ent__check *k, const ent__case *c, ent__trial *used) {
	enum { PARTS = 16 };
	ent_buf second = {0};
	bool good = true;
	for (size_t i = 0, before = 0, first; i < PARTS && good; i++) {
		if (!two_documents(c, c->n * i / PARTS, &first, &second) || first == before) {
			continue;
		}
		before = first;
		ent__doing(c, "decoding it in two documents, cut at byte %zu", first);
		ent__trial *fresh = ent__open(k, c);
		if (!fresh) {
			break;
		}
		ent__check_ran(k);
		ent__trial_decode(fresh, (char *)second.data, second.n);
		ent__trial_decode(used, c->bytes, first);
		ent__trial_decode(used, (char *)second.data, second.n);
		good = ent__check_same(k, c, ent__trial_text(fresh), ent__trial_text(used),
			"begin() drops all that was carried from the document before",
			"decoded after another document of the format");
		ent__trial_close(fresh);
	}
	ent_buf_finish(&second);
}

void ent__test_again(ent__check *k, const ent__case *c) {
	ent__doing(c, "decoding it twice");
	ent__trial *t = ent__open(k, c), *other = NULL;
	if (!t) {
		return;
	}
	ent_buf first = {0};
	ent__trial_decode(t, c->bytes, c->n);
	ent_buf_add(&first, ent__trial_text(t), t->text.n + 1);
	const char *want = (const char *)first.data;
	ent__check_ran(k);
	ent__trial_decode(t, c->bytes, c->n);
	if (ent__check_same(k, c, want, ent__trial_text(t), "begin() drops all that was carried from the document before",
			"decoded a second time")) {
		other = ent__open(k, c);
		if (other) {
			ent__trial_decode(other, c->bytes, c->n);
			ent__check_same(k, c, want, ent__trial_text(other), "keep nothing outside of the instance",
				"decoded by another instance");
			after_another(k, c, t);
		}
	}
	ent__trial_close(other);
	ent__trial_close(t);
	ent_buf_finish(&first);
}
