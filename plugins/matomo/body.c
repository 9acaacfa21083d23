/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers of the API, which come in any split: JSON is cut into its records here, an element of the outermost list or
 * an object that stands alone, so that a day of visits need not be in memory as a whole. XML is in xml.c.
 */
#include "matomo.h"

#include <stdlib.h>

static const char too_long[] = "a record is longer than 64 MiB";
static const char shorter[] = "ask Matomo for fewer days in one answer";

int mat__text(matomo *m, const char *p, size_t n) {
	if (n > MAT_RECORD_MAX - m->text_n)
		return 1;
	if (m->text_n + n > m->text_room) {
		size_t room = m->text_room ? m->text_room : 4096;
		while (room < m->text_n + n)
			room *= 2;
		char *more = realloc(m->text, room);
		if (!more)
			return -1;
		m->text = more;
		m->text_room = room;
	}
	if (n)
		memcpy(m->text + m->text_n, p, n);
	m->text_n += n;
	return 0;
}

static ent_status whole(matomo *m) {
	json_tokener_reset(m->tokener);
	errno = 0;
	if (mat__text(m, "\n", 1)) /* a number needs an end to be one */
		return ENT_ENOMEM;
	json_object *o = json_tokener_parse_ex(m->tokener, m->text, (int)m->text_n);
	size_t end = json_tokener_get_parse_end(m->tokener);
	m->in_record = 0;
	ent_status e = ENT_OK;
	if (jsonl_no_memory(m->tokener, o, (ent_str){m->text, m->text_n})) {
		json_object_put(o);
		return ENT_ENOMEM;
	}
	if (!o || text_trim((ent_str){m->text + end, m->text_n - end}).n)
		m->host->reject(m->ctx, m->place, ENT_NO_COLUMN, "broken JSON: a visit or a row of a report is expected");
	else
		e = mat__record(m, o, m->place, (ent_str){NULL, 0});
	json_object_put(o);
	m->text_n = 0;
	return !e && errno == ENOMEM ? ENT_ENOMEM : e;
}

/* Does a record end with this byte (1), or before it (2)? */
static int ends(matomo *m, char c) {
	if (m->in_string) {
		if (m->escaped)
			m->escaped = 0;
		else if (c == '\\')
			m->escaped = 1;
		else if (c == '"')
			m->in_string = 0;
		return !m->in_string && !m->depth;
	}
	switch (c) {
	case '"':
		m->in_string = 1;
		return 0;
	case '{':
	case '[':
		m->depth++;
		return 0;
	case '}':
	case ']':
		if (!m->depth)
			return 2;
		return --m->depth == 0;
	default:
		return !m->depth && (c == ',' || text_blank(c)) ? 2 : 0;
	}
}

static ent_status json(matomo *m, ent_str bytes, int eof) {
	size_t i = 0;
	while (i < bytes.n) {
		if (!m->in_record) {
			char c = bytes.p[i];
			if (text_blank(c) || (c == ',' && m->in_list) || (c == '[' && !m->in_list) || (c == ']' && m->in_list)) {
				m->in_list = c == '[' ? 1 : c == ']' ? 0 : m->in_list;
				i++;
				continue;
			}
			m->in_record = 1;
			m->in_string = m->escaped = 0;
			m->depth = 0;
			m->place = m->at + i;
			m->text_n = 0;
		}
		size_t from = i;
		int end = 0;
		while (i < bytes.n && !(end = ends(m, bytes.p[i])))
			i++;
		i += end == 1 || (end == 2 && i == from && !m->text_n); /* a bracket too many is a record of its own */
		int full = mat__text(m, bytes.p + from, i - from);
		if (full)
			return full < 0 ? ENT_ENOMEM : mat__refuse(m, m->place, too_long, shorter);
		ent_status e = end ? whole(m) : ENT_OK;
		if (e)
			return e;
	}
	m->at += bytes.n;
	if (eof && m->in_record && !m->depth && !m->in_string)
		return whole(m);
	if (eof && (m->in_record || m->in_list))
		return mat__refuse(m, m->in_record ? m->place : m->at, "the answer ends in the middle: the list is not closed",
			"fetch it again, it was cut off on its way");
	return ENT_OK;
}

static ent_status sniff(matomo *m, ent_str *bytes) {
	static const char bom[] = "\xef\xbb\xbf";
	while (bytes->n && m->bom < 3 && m->at == m->bom && bytes->p[0] == bom[m->bom])
		m->bom++, m->at++, bytes->p++, bytes->n--;
	while (bytes->n && text_blank(bytes->p[0]))
		m->at++, bytes->p++, bytes->n--;
	if (!bytes->n)
		return ENT_OK;
	unsigned char c = (unsigned char)bytes->p[0];
	if (c == '<' || c == 0xff || c == 0xfe || !c) { /* XML in UTF-16 says so itself */
		m->form = MAT_XML;
		return mat__xml_open(m) ? ENT_ENOMEM : ENT_OK;
	}
	m->form = MAT_JSON;
	if (c == '[' || c == '{')
		return ENT_OK;
	return mat__refuse(m, m->at, "this is neither JSON nor XML",
		"ask Matomo with format=JSON or format=XML; CSV is read by matomo-visits and matomo-reports");
}

ent_status mat__feed(void *self, ent_str bytes, int eof) {
	matomo *m = self;
	if (m->form == MAT_UNKNOWN) {
		ent_status e = sniff(m, &bytes);
		if (e)
			return e;
	}
	if (m->form == MAT_XML)
		return mat__xml_feed(m, bytes, eof);
	return m->form == MAT_JSON ? json(m, bytes, eof) : ENT_OK;
}

ent_status mat__end(void *self) {
	matomo *m = self;
	mat__covers(m);
	return ENT_OK;
}
