/* SPDX-License-Identifier: Apache-2.0
 *
 * Names of encodings, see encoding.h. Any thread. */
#include "base/encoding.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	ent_encoding encoding;
} own[] = {
	{"auto", ENT_ENCODING_AUTO},
	{"utf-8", ENT_ENCODING_UTF8},
	{"utf8", ENT_ENCODING_UTF8},
	{"ascii", ENT_ENCODING_UTF8},
	{"latin1", ENT_ENCODING_LATIN1},
	{"latin-1", ENT_ENCODING_LATIN1},
	{"iso-8859-1", ENT_ENCODING_LATIN1},
	{"windows-1252", ENT_ENCODING_CP1252},
	{"cp1252", ENT_ENCODING_CP1252},
	{"utf-16le", ENT_ENCODING_UTF16LE},
	{"utf-16be", ENT_ENCODING_UTF16BE},
};

/* Names that the C library does not have, or takes too narrowly: its SHIFT_JIS has no characters of Windows and a yen
 * sign where JSON and everybody else have a backslash. */
static const struct {
	const char *name, *charset;
} wider[] = {
	{"shift_jis", "CP932"},
	{"shift-jis", "CP932"},
	{"sjis", "CP932"},
	{"x-sjis", "CP932"},
	{"ms_kanji", "CP932"},
	{"windows-31j", "CP932"},
	{"windows-932", "CP932"},
	{"euc-jp", "EUC-JP-MS"},
	{"gb2312", "GB18030"},
	{"gbk", "GB18030"},
	{"windows-936", "GB18030"},
	{"big5", "BIG5-HKSCS"},
	{"euc-kr", "UHC"},
	{"ks_c_5601-1987", "UHC"},
	{"windows-949", "UHC"},
	{"windows-874", "CP874"},
};

const char *const ent_encoding_names[] = {"auto", "utf-8", "latin1", "windows-1252", "utf-16le", "utf-16be", "utf-32le",
	"utf-32be", "iso-8859-1", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7",
	"iso-8859-8", "iso-8859-9", "iso-8859-10", "iso-8859-11", "iso-8859-13", "iso-8859-14", "iso-8859-15",
	"iso-8859-16", "windows-1250", "windows-1251", "windows-1253", "windows-1254", "windows-1255", "windows-1256",
	"windows-1257", "windows-1258", "windows-874", "koi8-r", "koi8-u", "macintosh", "cp437", "cp850", "cp852", "cp866",
	"tis-620", "shift_jis", "euc-jp", "iso-2022-jp", "gb18030", "gbk", "gb2312", "big5", "big5-hkscs", "euc-tw",
	"euc-kr", "uhc", "johab", "iso-2022-kr", "utf-7", "cp037", "cp500", NULL};

const char ent_encoding_help[] = "known are auto, utf-8, latin1, windows-1252, utf-16le, utf-16be, and what `iconv -l` "
								 "lists, such as shift_jis, gb18030, iso-8859-2";

static bool same(const char *text, size_t n, const char *name) {
	for (size_t i = 0; i < n; i++) {
		char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
		if (!name[i] || c != name[i]) {
			return false;
		}
	}
	return !name[n];
}

/* The C library's name; false: no name at all. A slash would begin options of iconv_open(), no name the locale's. */
static bool charset_of(const char *name, size_t n, ent_charset *out) {
	*out = (ent_charset){""};
	for (size_t i = 0; i < sizeof wider / sizeof *wider; i++) {
		if (same(name, n, wider[i].name)) {
			strcpy(out->name, wider[i].charset);
			return true;
		}
	}
	if (!n || n >= sizeof out->name) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		char c = name[i];
		bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && !memchr("-_.:+()", c, 7)) {
			return false;
		}
		out->name[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
	}
	out->name[n] = 0;
	return true;
}

bool ent_encoding_parse(const char *name, size_t n, ent_encoding *out, ent_charset *charset) {
	*charset = (ent_charset){""};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		if (same(name, n, own[i].name)) {
			*out = own[i].encoding;
			return true;
		}
	}
	ent_charset wanted;
	iconv_t cd = charset_of(name, n, &wanted) ? iconv_open("UTF-8", wanted.name) : (iconv_t)-1;
	if (cd == (iconv_t)-1) {
		return false;
	}
	iconv_close(cd);
	*out = ENT_ENCODING_ICONV;
	*charset = wanted;
	return true;
}

void *ent_encoding_hold(const char *name) {
	ent_encoding encoding;
	ent_charset charset;
	if (!ent_encoding_parse(name, strlen(name), &encoding, &charset) || encoding != ENT_ENCODING_ICONV) {
		return NULL;
	}
	iconv_t cd = iconv_open("UTF-8", charset.name);
	return cd == (iconv_t)-1 ? NULL : cd;
}

void ent_encoding_release(void *held) {
	if (held) {
		iconv_close(held);
	}
}

const char *ent_encoding_name(ent_encoding e, const ent_charset *charset) {
	switch (e) {
	case ENT_ENCODING_LATIN1:
		return "latin1";
	case ENT_ENCODING_CP1252:
		return "windows-1252";
	case ENT_ENCODING_UTF16LE:
		return "UTF-16LE";
	case ENT_ENCODING_UTF16BE:
		return "UTF-16BE";
	case ENT_ENCODING_ICONV:
		return charset->name;
	default:
		return "UTF-8";
	}
}
