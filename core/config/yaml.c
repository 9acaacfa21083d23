/* SPDX-License-Identifier: Apache-2.0
 *
 * YAML documents to trees with places, over libyaml's events, see yaml.h. One thread; the arena owns all nodes.
 */
#include "config/yaml.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "base/intern.h"
#include "base/json.h"

enum {
	DEEPEST = 64,
	LARGEST = 16 << 20 /* bytes of a configuration file; one of more is a mistake */
};

typedef struct loader {
	yaml_parser_t parser;
	ent_arena *arena;
	const char *name;
	ent_errors *errors;
	unsigned depth;
} loader;

static ent_place place(const loader *l, yaml_mark_t mark) {
	return (ent_place){.file = l->name, .line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

/* ---- ${NAME} -------------------------------------------------------------------------------------------------- */

static const char *expand(loader *l, ent_place at, bool plain, const char *text, size_t n) {
	if (!memmem(text, n, "${", 2)) {
		return ent_arena_copy(l->arena, text, n);
	}
	ent_buf out = {0};
	size_t i = 0;
	while (i < n) {
		if (n - i >= 3 && memcmp(text + i, "$${", 3) == 0) {
			ent_buf_add(&out, "${", 2);
			i += 3;
			continue;
		}
		if (n - i < 2 || memcmp(text + i, "${", 2) != 0) {
			ent_buf_u8(&out, (uint8_t)text[i++]);
			continue;
		}
		ent_place here = at;
		if (plain && !memchr(text, '\n', n)) {
			here.column += (uint32_t)i; /* only then do text and file run in step */
		}
		size_t start = i + 2, end = start;
		while (end < n && (text[end] == '_' || isalnum((unsigned char)text[end]))) {
			end++;
		}
		if (end == n || text[end] != '}' || end == start || isdigit((unsigned char)text[start])) {
			ent_errors_add(l->errors, here,
				"write ${NAME} with letters, digits and _, or $${ for the characters themselves",
				"this is no reference to an environment variable");
			ent_buf_finish(&out);
			return ent_arena_copy(l->arena, text, n);
		}
		char *variable = ent_arena_copy(l->arena, text + start, end - start);
		const char *value = getenv(variable);
		if (value) {
			ent_buf_add(&out, value, strlen(value));
		} else {
			ent_errors_add(
				l->errors, here, "set it, or write the value itself", "environment variable %s is not set", variable);
		}
		i = end + 1;
	}
	const char *result = ent_arena_copy(l->arena, (const char *)out.data, out.n);
	ent_buf_finish(&out);
	return result;
}

/* ---- tree ----------------------------------------------------------------------------------------------------- */

static int parser_error(loader *l) {
	const yaml_parser_t *p = &l->parser;
	ent_place at = place(l, p->problem_mark);
	char todo[160] = "correct the YAML here, or on the line before";
	if (p->error == YAML_MEMORY_ERROR) {
		ent_error e;
		ent_error_set(&e, ENT_ERR_NOMEM, "out of memory while reading %s", l->name);
		return ent_errors_take(l->errors, &e);
	}
	if (p->error == YAML_READER_ERROR) {
		return ent_errors_add(l->errors, (ent_place){.file = l->name}, "save the file as UTF-8", "byte %zu: %s",
			p->problem_offset, p->problem ? p->problem : "cannot be read");
	}
	if (p->problem && strstr(p->problem, "cannot start any token")) {
		snprintf(todo, sizeof todo, "indent with blanks, not with tabs, and quote text that begins with %%, @ or `");
	} else if (p->context) {
		snprintf(
			todo, sizeof todo, "correct the YAML (%s that began in line %zu)", p->context, p->context_mark.line + 1);
	}
	return ent_errors_add(l->errors, at, todo, "not valid YAML: %s", p->problem ? p->problem : "unexpected end");
}

static int next(loader *l, yaml_event_t *event) {
	if (!yaml_parser_parse(&l->parser, event)) {
		return parser_error(l);
	}
	return 0;
}

static int node_of(loader *l, yaml_event_t *event, ent_yaml_node **out);

static int refuse(loader *l, const yaml_event_t *event) {
	const unsigned char *anchor = NULL, *tag = NULL;
	ent_place at = place(l, event->start_mark);
	if (event->type == YAML_ALIAS_EVENT) {
		anchor = event->data.alias.anchor;
	} else if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor) {
		return ent_errors_add(l->errors, at,
			"write the value out where it is needed, or put it in quotes if it is text",
			"anchors and aliases (%s) are not taken", (const char *)anchor);
	}
	if (tag) {
		return ent_errors_add(l->errors, at, "leave it out, or put the value in quotes if it is text",
			"tags (%s) are not taken", (const char *)tag);
	}
	return 0;
}

/* Adds an error if one of the n keys before says the same. A map may hold all partners there are: from some keys on their
 * texts are kept in a table. */
static void told_before(loader *l, ent_intern *seen, const ent_yaml_node **keys, size_t n, const ent_yaml_node *key) {
	enum { FEW = 32 };
	if (n == FEW) {
		ent_intern_init(seen);
		for (size_t i = 0; i < n; i++) {
			ent_intern_put(seen, keys[i]->text, strlen(keys[i]->text));
		}
	}
	if (n >= FEW && key->text[0]) { /* the empty text is always in a table */
		uint32_t before = seen->count;
		ent_intern_put(seen, key->text, strlen(key->text));
		if (seen->count > before) {
			return;
		}
	}
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i]->text, key->text) == 0) {
			char todo[96];
			snprintf(todo, sizeof todo, "keep one of them; the first is in line %u", keys[i]->at.line);
			ent_errors_add(l->errors, key->at, todo, "'%s' stands here twice", key->text);
			break;
		}
	}
}

static int children_of(loader *l, ent_yaml_node *node, yaml_event_type_t last) {
	const ent_yaml_node **items = NULL, **keys = NULL;
	size_t n = 0, capacity = 0, key_capacity = 0;
	int status = 0;
	bool map = node->kind == ENT_YAML_MAP;
	ent_intern seen = {0}; /* texts of the keys, once they are many */
	if (++l->depth > DEEPEST) {
		return ent_errors_add(l->errors, node->at, "nest it less deeply", "more than %d levels", DEEPEST);
	}
	while (status == 0) {
		yaml_event_t event;
		ent_yaml_node *key = NULL, *item = NULL;
		if ((status = next(l, &event))) {
			break;
		}
		if (event.type == last) {
			yaml_event_delete(&event);
			break;
		}
		if (map) {
			if (event.type != YAML_SCALAR_EVENT) {
				status = refuse(l, &event);
				status =
					status ? status
						   : ent_errors_add(l->errors, place(l, event.start_mark),
								 "put text in front of the colon; {NAME} alone has to be quoted", "a key must be text");
				yaml_event_delete(&event);
				break;
			}
			if ((status = node_of(l, &event, &key)) || (status = next(l, &event))) {
				break;
			}
			told_before(l, &seen, keys, n, key);
		}
		if ((status = node_of(l, &event, &item))) {
			break;
		}
		ENT_GROW(items, n, capacity);
		items[n] = item;
		if (map) {
			ENT_GROW(keys, n, key_capacity);
			keys[n] = key;
		}
		n++;
	}
	l->depth--;
	if (status == 0 && n) {
		node->items = ent_arena_alloc(l->arena, n * sizeof *items);
		memcpy(node->items, items, n * sizeof *items);
		if (map) {
			node->keys = ent_arena_alloc(l->arena, n * sizeof *keys);
			memcpy(node->keys, keys, n * sizeof *keys);
		}
		node->n = n;
	}
	free(items);
	free(keys);
	if (seen.slots) {
		ent_intern_finish(&seen);
	}
	return status;
}

/* Takes the event, and deletes it. Text errors are added and reading goes on; errors of structure end it. */
static int node_of(loader *l, yaml_event_t *event, ent_yaml_node **out) {
	ent_yaml_node *node = ent_arena_alloc(l->arena, sizeof *node);
	yaml_event_type_t type = event->type;
	node->at = place(l, event->start_mark);
	int status = refuse(l, event);
	if (status == 0 && type == YAML_SCALAR_EVENT) {
		const char *text = (const char *)event->data.scalar.value;
		size_t n = event->data.scalar.length;
		node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
		if (memchr(text, 0, n)) {
			ent_errors_add(l->errors, node->at, "take it out", "a NUL character cannot be part of a value");
			n = strlen(text);
		}
		node->text = expand(l, node->at, !node->quoted, text, n);
	}
	yaml_event_delete(event);
	if (status) {
		return status;
	}
	if (type == YAML_SEQUENCE_START_EVENT) {
		node->kind = ENT_YAML_LIST;
		status = children_of(l, node, YAML_SEQUENCE_END_EVENT);
	} else if (type == YAML_MAPPING_START_EVENT) {
		node->kind = ENT_YAML_MAP;
		status = children_of(l, node, YAML_MAPPING_END_EVENT);
	}
	*out = node;
	return status;
}

static int document(loader *l, ent_yaml_node **root) {
	yaml_event_t event;
	int status;
	for (;;) {
		if ((status = next(l, &event))) {
			return status;
		}
		yaml_event_type_t type = event.type;
		ent_place at = place(l, event.start_mark);
		if (type == YAML_STREAM_START_EVENT || type == YAML_DOCUMENT_END_EVENT) {
			yaml_event_delete(&event);
		} else if (type == YAML_DOCUMENT_START_EVENT) {
			yaml_event_delete(&event);
			if (*root) {
				return ent_errors_add(
					l->errors, at, "keep one document: take out the line '---'", "a second document begins");
			}
		} else if (type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&event);
			return 0;
		} else if ((status = node_of(l, &event, root))) {
			return status;
		}
	}
}

const ent_yaml_node *ent_yaml_load(
	ent_arena *arena, const char *bytes, size_t n, const char *name, ent_errors *errors) {
	loader l = {.arena = arena, .name = ent_arena_copy(arena, name, strlen(name)), .errors = errors};
	ent_yaml_node *root = NULL;
	if (!yaml_parser_initialize(&l.parser)) {
		ent_error e;
		ent_error_set(&e, ENT_ERR_NOMEM, "out of memory while reading %s", name);
		ent_errors_take(errors, &e);
		return NULL;
	}
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)bytes, n);
	int status = document(&l, &root);
	yaml_parser_delete(&l.parser);
	if (status) {
		return NULL;
	}
	if (!root || ent_yaml_is_null(root)) {
		root = ent_arena_alloc(arena, sizeof *root);
		root->kind = ENT_YAML_MAP;
		root->at = (ent_place){.file = l.name, .line = 1, .column = 1};
	}
	return root;
}

const ent_yaml_node *ent_yaml_load_file(ent_arena *arena, const char *path, const char *name, ent_errors *errors) {
	const ent_yaml_node *root = NULL;
	char *bytes = NULL;
	size_t n = 0;
	ent_error e;
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		ent_error_errno(&e, errno == ENOENT ? ENT_ERR_NOTFOUND : ENT_ERR_IO, "cannot be read");
		ent_error_at(&e, name, 0, 0);
		ent_error_todo(&e, errno == ENOENT ? "`entente init` writes a new project, -c FILE names another file"
										   : "check the file and its rights");
		goto fail;
	}
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)) {
		ent_error_set(&e, ENT_ERR_INVALID, "is not a file");
		ent_error_at(&e, name, 0, 0);
		ent_error_todo(&e, "name the file itself, for example %s/entente.yaml", name);
		goto fail;
	}
	bytes = ent_xmalloc(LARGEST + 1);
	for (;;) {
		ssize_t got = read(fd, bytes + n, LARGEST + 1 - n);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			ent_error_errno(&e, ENT_ERR_IO, "cannot be read");
			ent_error_at(&e, name, 0, 0);
			goto fail;
		}
		if (got == 0) {
			break;
		}
		n += (size_t)got;
		if (n > LARGEST) {
			ent_error_set(&e, ENT_ERR_RANGE, "is larger than %d MB", LARGEST >> 20);
			ent_error_at(&e, name, 0, 0);
			ent_error_todo(&e, "name a configuration file, not data");
			goto fail;
		}
	}
	root = ent_yaml_load(arena, bytes, n, name, errors);
	goto done;
fail:
	ent_errors_take(errors, &e);
done:
	free(bytes);
	if (fd >= 0) {
		close(fd);
	}
	return root;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

const ent_yaml_node *ent_yaml_get(const ent_yaml_node *map, const char *key) {
	if (map && map->kind == ENT_YAML_MAP) {
		for (size_t i = 0; i < map->n; i++) {
			if (strcmp(map->keys[i]->text, key) == 0) {
				return map->items[i];
			}
		}
	}
	return NULL;
}

static bool plain_is(const ent_yaml_node *node, const char *const *words) {
	if (!node || node->kind != ENT_YAML_SCALAR || node->quoted) {
		return false;
	}
	for (; *words; words++) {
		if (strcmp(node->text, *words) == 0) {
			return true;
		}
	}
	return false;
}

bool ent_yaml_is_null(const ent_yaml_node *node) {
	return plain_is(node, (const char *const[]){"", "~", "null", "Null", "NULL", NULL});
}

bool ent_yaml_bool(const ent_yaml_node *node, bool *out) {
	bool yes = plain_is(node, (const char *const[]){"true", "True", "TRUE", NULL});
	bool no = plain_is(node, (const char *const[]){"false", "False", "FALSE", NULL});
	if (yes || no) {
		*out = yes;
	}
	return yes || no;
}

bool ent_yaml_int(const ent_yaml_node *node, int64_t *out) {
	if (!node || node->kind != ENT_YAML_SCALAR || node->quoted) {
		return false;
	}
	const char *p = node->text;
	int base = 10;
	char *end;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'o')) {
		base = p[1] == 'x' ? 16 : 8;
		p += 2;
		if (!isxdigit((unsigned char)*p)) {
			return false;
		}
	} else if (!isdigit((unsigned char)p[*p == '-' || *p == '+'])) {
		return false;
	}
	errno = 0;
	long long v = strtoll(p, &end, base);
	if (errno || *end || end == p) {
		return false;
	}
	*out = v;
	return true;
}

/* [-+]? ( . digits | digits ( . digits* )? ) ( e [-+]? digits )?, rewritten as JSON wants it. */
static bool plain_number(const char *p, ent_buf *out) {
	bool negative = *p == '-';
	p += *p == '-' || *p == '+';
	size_t whole = strspn(p, "0123456789");
	const char *fraction = p[whole] == '.' ? p + whole + 1 : NULL;
	size_t decimals = fraction ? strspn(fraction, "0123456789") : 0;
	if (whole + decimals == 0) {
		return false;
	}
	const char *rest = fraction ? fraction + decimals : p + whole;
	const char *exponent = NULL;
	if (*rest == 'e' || *rest == 'E') {
		exponent = rest + 1;
		const char *digits = exponent + (*exponent == '-' || *exponent == '+');
		size_t n = strspn(digits, "0123456789");
		if (n == 0) {
			return false;
		}
		rest = digits + n;
	}
	if (*rest) {
		return false;
	}
	while (whole > 1 && *p == '0') {
		p++;
		whole--;
	}
	ent_buf_printf(out, "%s%.*s", negative ? "-" : "", (int)whole, whole ? p : "");
	if (!whole) {
		ent_buf_u8(out, '0');
	}
	if (decimals) {
		ent_buf_printf(out, ".%.*s", (int)decimals, fraction);
	}
	if (exponent) {
		ent_buf_printf(out, "e%s", exponent);
	}
	return true;
}

static void to_json(const ent_yaml_node *node, ent_json *json) {
	if (node->kind == ENT_YAML_LIST) {
		ent_json_array(json);
		for (size_t i = 0; i < node->n; i++) {
			to_json(node->items[i], json);
		}
		ent_json_end(json);
		return;
	}
	if (node->kind == ENT_YAML_MAP) {
		ent_json_object(json);
		for (size_t i = 0; i < node->n; i++) {
			ent_json_key(json, node->keys[i]->text);
			to_json(node->items[i], json);
		}
		ent_json_end(json);
		return;
	}
	bool flag;
	int64_t number;
	ent_buf text = {0};
	if (ent_yaml_is_null(node)) {
		ent_json_null(json);
	} else if (ent_yaml_bool(node, &flag)) {
		ent_json_bool(json, flag);
	} else if (ent_yaml_int(node, &number)) {
		ent_json_int(json, number);
	} else if (!node->quoted && plain_number(node->text, &text)) {
		ent_json_raw(json, (const char *)text.data, text.n);
	} else {
		ent_json_text(json, node->text);
	}
	ent_buf_finish(&text);
}

int ent_yaml_json(const ent_yaml_node *node, ent_buf *out) {
	ent_json json;
	ent_json_init(&json, out, false);
	to_json(node, &json);
	return 0;
}
