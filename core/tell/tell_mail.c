/* SPDX-License-Identifier: Apache-2.0
 *
 * A mail (RFC 5322, MIME): the text, and the same as HTML. Nothing that a finding says can become a header: the subject is one
 * line of letters, encoded where they are not ASCII, and all bodies are quoted-printable. See message.h. */
#include "tell/message.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LINE = 76, WORD = 45 /* bytes of text in one encoded word, base64 of which is 60 characters */ };

/* RFC 2045: every line at most 76 characters; line ends stay, everything that is not plain is written as =XX. */
static void quoted_printable(const char *p, size_t n, ent_buf *out) {
	size_t column = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];
		if (c == '\n') {
			ent_buf_add(out, "\r\n", 2);
			column = 0;
			continue;
		}
		bool last = i + 1 == n || p[i + 1] == '\n';
		/* a dot or "From " at the beginning of a line are taken for something else on the way */
		bool plain = c >= 32 && c < 127 && c != '=' && !(c == ' ' && last) && !(!column && (c == '.' || c == 'F'));
		size_t width = plain ? 1 : 3;
		if (column + width > LINE - 1) {
			ent_buf_add(out, "=\r\n", 3);
			column = 0;
			plain = plain && c != '.' && c != 'F';
			width = plain ? 1 : 3;
		}
		if (plain) {
			ent_buf_u8(out, c);
		} else {
			ent_buf_printf(out, "=%02X", c);
		}
		column += width;
	}
}

static void base64(const uint8_t *p, size_t n, ent_buf *out) {
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0);
		char four[4] = {digits[v >> 18], digits[v >> 12 & 63], i + 1 < n ? digits[v >> 6 & 63] : '=',
			i + 2 < n ? digits[v & 63] : '='};
		ent_buf_add(out, four, 4);
	}
}

/* RFC 2047: words of whole characters. */
static void header_text(const char *text, ent_buf *out) {
	ent_buf line = {0};
	ent__one_line(text, 200, &line);
	bool ascii = true;
	for (size_t i = 0; i < line.n; i++) {
		ascii &= line.data[i] < 127 && !(line.data[i] == '=' && i + 1 < line.n && line.data[i + 1] == '?');
	}
	if (ascii && line.n < 60) {
		ent_buf_add(out, line.data, line.n);
	} else {
		for (size_t at = 0; at < line.n;) {
			size_t n = line.n - at < WORD ? line.n - at : WORD;
			while (at + n < line.n && n && (line.data[at + n] & 0xc0) == 0x80) {
				n--;
			}
			ent_buf_printf(out, "%s=?utf-8?B?", at ? "\r\n " : "");
			base64(line.data + at, n, out);
			ent_buf_printf(out, "?=");
			at += n;
		}
	}
	ent_buf_finish(&line);
}

static void part(const char *type, const ent_buf *body, ent_buf *out) {
	ent_buf_printf(out, "Content-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n", type);
	quoted_printable((const char *)body->data, body->n, out);
	if (!body->n || body->data[body->n - 1] != '\n') {
		ent_buf_add(out, "\r\n", 2);
	}
}

/* Takes a first line "Subject: …" off the text. */
static void take_subject(ent_buf *text, ent_buf *subject) {
	char *newline = text->n > 9 && !memcmp(text->data, "Subject: ", 9) ? memchr(text->data, '\n', text->n) : NULL;
	if (newline) {
		size_t n = (size_t)(newline - (char *)text->data) + 1;
		subject->n = 0;
		ent_buf_add(subject, text->data + 9, n - 10);
		text->n -= n;
		memmove(text->data, text->data + n, text->n);
	}
}

void ent__mail(const ent__letter *letter, const ent__message *m, int64_t now_us, ent_buf *out) {
	const ent_config_tell *t = letter->target;
	const char *dot = t->template.s ? strrchr(t->template.s, '.') : NULL;
	bool own = letter->template != NULL, html_own = own && dot && !strcmp(dot, ".html"), alone = own && !html_own;
	ent_buf subject = {0}, text = {0}, html = {0};
	char date[64];
	time_t now = (time_t)(now_us / 1000000);
	struct tm tm;
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	gmtime_r(&now, &tm);
	snprintf(date, sizeof date, "%s, %02d %s %04d %02d:%02d:%02d +0000", days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	ent_buf_printf(&subject, "[Entente] ");
	ent__summary(letter, m, &subject);
	ent__template_render(alone ? letter->template : ent__text_template, ENT__FORM_TEXT, letter, m, &text);
	take_subject(&text, &subject);
	if (!alone) {
		ent__template_render(html_own ? letter->template : ent__html_template, ENT__FORM_HTML, letter, m, &html);
	}
	ent_buf_u8(&subject, 0);
	ent_buf_printf(out, "Date: %s\r\nFrom: %s\r\nTo: ", date, t->from.s);
	for (size_t i = 0; i < t->mail_to.n; i++) {
		ent_buf_printf(out, "%s%s", i ? ",\r\n " : "", t->mail_to.v[i].s);
	}
	ent_buf_printf(out, "\r\nSubject: ");
	header_text((char *)subject.data, out);
	ent_buf_printf(out, "\r\nMessage-ID: <%s@%s>\r\nEntente-Delivery: %s\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n",
		m->id, strchr(t->from.s, '@') + 1, m->id);
	if (alone) {
		part("text/plain", &text, out);
	} else {
		ent_buf_printf(out, "Content-Type: multipart/alternative;\r\n boundary=\"=_%s\"\r\n\r\n--=_%s\r\n", m->id, m->id);
		part("text/plain", &text, out);
		ent_buf_printf(out, "--=_%s\r\n", m->id);
		part("text/html", &html, out);
		ent_buf_printf(out, "--=_%s--\r\n", m->id);
	}
	ent_buf_finish(&subject);
	ent_buf_finish(&text);
	ent_buf_finish(&html);
}
