/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers in XML, by expat's push parser. What stands between <row> and </row> of a list becomes the object that JSON
 * would have: an element with rows a list, with other elements an object, else a text. Nothing is fetched, and a
 * document with a DOCTYPE is refused: Matomo writes none, and entities could make much out of little.
 */
#include "matomo.h"

#include <expat.h>
#include <stdlib.h>

struct mat_level {
	json_object *node; /* object or list, NULL while it has a text only */
	char name[64];
	uint64_t place;
	size_t text;   /* where its text begins */
	char date[32]; /* of <result date="…">, or of what it stands in */
	uint8_t result, row;
};

static void stop(matomo *m, ent_status e) {
	if (!m->status)
		m->status = e;
	XML_StopParser(m->parser, XML_FALSE);
}

static uint64_t place_of(matomo *m) {
	XML_Index i = XML_GetCurrentByteIndex(m->parser);
	return m->place + (i > 0 ? (uint64_t)i : 0);
}

static const char *attribute(const char **attributes, const char *name) {
	for (; *attributes; attributes += 2)
		if (!strcmp(attributes[0], name))
			return attributes[1];
	return NULL;
}

static void XMLCALL on_doctype(
	void *self, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal) {
	matomo *m = self;
	(void)name, (void)system, (void)public, (void)internal;
	stop(m, mat__refuse(m, place_of(m), "an XML document with a DOCTYPE",
				"Matomo writes none: look where this file comes from"));
}

static void XMLCALL on_start(void *self, const XML_Char *name, const XML_Char **attributes) {
	matomo *m = self;
	uint64_t place = place_of(m);
	size_t n = strlen(name);
	if (m->open == MAT_DEPTH || n >= sizeof m->levels->name) {
		stop(m, mat__refuse(m, place, "elements are nested too deep, or have too long a name", "ask Matomo for XML"));
		return;
	}
	mat_level *l = &m->levels[m->open], *in = m->open ? l - 1 : NULL;
	int result = !strcmp(name, "result"), results = !strcmp(name, "results");
	if (!in ? !result && !results : in->result == 2 && !result) {
		stop(m, mat__refuse(m, place, "this XML has no <result>", "ask Matomo with format=XML"));
		return;
	}
	if (in && in->result == 1 && !strcmp(name, "error")) {
		stop(m, mat__refuse(m, place, "Matomo answered with an error, not with data",
					"read its message in the document, and ask again"));
		return;
	}
	*l = (mat_level){.place = place, .text = m->text_n};
	memcpy(l->name, name, n + 1);
	l->result = !in || in->result == 2 ? (uint8_t)(results ? 2 : 1) : 0;
	l->row = !strcmp(name, "row");
	const char *date = l->result ? attribute(attributes, "date") : NULL;
	if (date && strlen(date) < sizeof l->date)
		memcpy(l->date, date, strlen(date) + 1);
	else if (in)
		memcpy(l->date, in->date, sizeof l->date);
	m->open++;
}

static void XMLCALL on_text(void *self, const XML_Char *p, int n) {
	matomo *m = self;
	int full = m->open ? mat__text(m, p, (size_t)n) : 0;
	if (full)
		stop(m, full < 0 ? ENT_ENOMEM
						 : mat__refuse(m, place_of(m), "a record is longer than 64 MiB",
							   "ask Matomo for fewer days in one answer"));
}

/* Hands over a record that is whole. */
static void whole(matomo *m, mat_level *l) {
	ent_str date = {l->date[0] ? l->date : NULL, strlen(l->date)};
	ent_status e = mat__record(m, l->node, l->place, date);
	if (e)
		stop(m, e);
}

static int put(mat_level *in, const mat_level *l, json_object *value) {
	if (l->row) {
		if (!in->node && !(in->node = json_object_new_array()))
			return -1;
		if (json_object_is_type(in->node, json_type_array))
			return json_object_array_add(in->node, value);
	} else {
		if (!in->node && !(in->node = json_object_new_object()))
			return -1;
		if (json_object_is_type(in->node, json_type_object))
			return json_object_object_add(in->node, l->name, value);
	}
	json_object_put(value); /* rows and other elements side by side: nothing that is read has both */
	return 0;
}

static void XMLCALL on_end(void *self, const XML_Char *name) {
	matomo *m = self;
	(void)name;
	mat_level *l = &m->levels[--m->open], *in = m->open ? l - 1 : NULL;
	if (m->status)
		return;
	ent_str text = text_trim((ent_str){m->text ? m->text + l->text : "", m->text_n - l->text});
	m->text_n = l->text;
	if (l->result || (in && in->result == 1 && l->row)) {
		if (!l->node && l->row && !(l->node = json_object_new_object()))
			stop(m, ENT_ENOMEM);
		else if (l->node && (l->row || json_object_is_type(l->node, json_type_object)))
			whole(m, l);
		else if (!l->node && text.n && l->result == 1)
			m->host->reject(
				m->ctx, l->place, ENT_NO_COLUMN, "a result that is a text: a visit or a report is expected");
		json_object_put(l->node);
		l->node = NULL;
		return;
	}
	json_object *value = l->node ? l->node : json_object_new_string_len(text.p, (int)text.n);
	l->node = NULL;
	if (!value || !in || put(in, l, value)) {
		json_object_put(value);
		stop(m, ENT_ENOMEM);
	}
}

int mat__xml_open(matomo *m) {
	mat__xml_close(m);
	m->levels = calloc(MAT_DEPTH, sizeof *m->levels);
	m->parser = m->levels ? XML_ParserCreate(NULL) : NULL;
	if (!m->parser) {
		mat__xml_close(m);
		return -1;
	}
	m->place = m->at; /* of the parser's first byte */
	XML_SetUserData(m->parser, m);
	XML_SetElementHandler(m->parser, on_start, on_end);
	XML_SetCharacterDataHandler(m->parser, on_text);
	XML_SetStartDoctypeDeclHandler(m->parser, on_doctype);
	XML_SetParamEntityParsing(m->parser, XML_PARAM_ENTITY_PARSING_NEVER);
	return 0;
}

void mat__xml_close(matomo *m) {
	for (int i = 0; m->levels && i < MAT_DEPTH; i++)
		json_object_put(m->levels[i].node);
	free(m->levels);
	m->levels = NULL;
	m->open = 0;
	if (m->parser)
		XML_ParserFree(m->parser);
	m->parser = NULL;
}

ent_status mat__xml_feed(matomo *m, ent_str bytes, int eof) {
	while (!m->status) { /* expat counts in int */
		int n = bytes.n > (1 << 30) ? 1 << 30 : (int)bytes.n;
		int last = eof && (size_t)n == bytes.n;
		if (XML_Parse(m->parser, bytes.p, n, last) == XML_STATUS_ERROR && !m->status)
			m->status = mat__refuse(m, place_of(m),
				XML_GetErrorCode(m->parser) == XML_ERROR_NO_ELEMENTS
					? "the answer ends in the middle: this XML is not closed"
					: "this is no well-formed XML",
				"fetch it again from Matomo with format=XML: it was cut off on its way, or changed");
		bytes.p += n;
		bytes.n -= (size_t)n;
		if (!bytes.n)
			break;
	}
	return m->status;
}
