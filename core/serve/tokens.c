/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens in a file, see tokens.h. */
#include "serve/tokens.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "config/scalar.h"

enum { LARGEST = 4 << 20, SESSIONS_MOST = 1000 };

const char *const ent_role_words[] = {"partner", "viewer", "strategist", "operator", "admin", NULL};

struct ent_tokens {
	char *folder, *name;
	ent_token *list;
	size_t n, capacity;
	struct stat seen; /* of the file that the list is from; st_ino 0: none */
	ent_error fault;  /* code != 0: it cannot be used */
};

bool ent_role_parse(const char *word, ent_role *out) {
	for (int i = 0; ent_role_words[i]; i++) {
		if (strcmp(word, ent_role_words[i]) == 0) {
			*out = (ent_role)(i + 1);
			return true;
		}
	}
	return false;
}

const char *ent_role_word(ent_role role) { return role >= ENT_ROLE_PARTNER ? ent_role_words[role - 1] : "anyone"; }

void ent_token_hash(const char *text, size_t n, uint8_t hash[ENT_TOKEN_HASH]) {
	crypto_hash_sha256(hash, (const unsigned char *)text, n);
}

void ent_token_random(const char *prefix, char text[ENT_TOKEN_TEXT], uint8_t hash[ENT_TOKEN_HASH]) {
	uint8_t bytes[32];
	if (sodium_init() < 0) {
		abort(); /* the system has no random numbers: nothing would be safe */
	}
	randombytes_buf(bytes, sizeof bytes);
	size_t n = strlen(prefix);
	memcpy(text, prefix, n);
	sodium_bin2base64(text + n, ENT_TOKEN_TEXT - n, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bytes, sizeof bytes);
	ent_token_hash(text, strlen(text), hash);
}

static int64_t now_us(void) {
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static const char *text_of(struct json_object *line, const char *key) {
	struct json_object *value;
	return json_object_object_get_ex(line, key, &value) && json_object_is_type(value, json_type_string)
			   ? json_object_get_string(value)
			   : "";
}

static int64_t number_of(struct json_object *line, const char *key) {
	struct json_object *value;
	return json_object_object_get_ex(line, key, &value) ? json_object_get_int64(value) : 0;
}

static bool hash_of(struct json_object *line, const char *key, uint8_t out[ENT_TOKEN_HASH]) {
	const char *text = text_of(line, key);
	size_t n = 0;
	return sodium_hex2bin(out, ENT_TOKEN_HASH, text, strlen(text), NULL, &n, NULL) == 0 && n == ENT_TOKEN_HASH;
}

static bool parse(const char *text, ent_token *out) {
	struct json_object *line = json_tokener_parse(text);
	bool good = line && json_object_is_type(line, json_type_object) && hash_of(line, "sha256", out->hash) &&
				ent_role_parse(text_of(line, "role"), &out->role);
	if (good) {
		snprintf(out->name, sizeof out->name, "%s", text_of(line, "name"));
		snprintf(out->partner, sizeof out->partner, "%s", text_of(line, "partner"));
		hash_of(line, "of", out->of);
		out->created = number_of(line, "created");
		out->expires = number_of(line, "expires");
		good = out->name[0] && (out->role != ENT_ROLE_PARTNER || out->partner[0]);
	}
	json_object_put(line);
	return good;
}

static int fault(ent_tokens *t, int line, const char *what) {
	t->n = 0;
	ent_error_set(&t->fault, ENT_ERR_CORRUPT, "%s", what);
	ent_error_at(&t->fault, t->name, (uint32_t)line, line ? 1 : 0);
	return ent_error_todo(&t->fault, "take the line out, or the file away, and make the tokens anew");
}

/* Reads the file if it is another one than before. */
static int look(ent_tokens *t) {
	struct stat now = {0};
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", t->folder, t->name);
	if (stat(path, &now)) {
		if (errno != ENOENT) {
			t->seen = (struct stat){0};
			t->n = 0;
			return ent_error_errno(&t->fault, ENT_ERR_IO, "%s cannot be read", path);
		}
		t->n = 0;
		t->seen = (struct stat){0};
		t->fault.code = 0;
		return 0;
	}
	if (t->seen.st_ino == now.st_ino && t->seen.st_size == now.st_size &&
		t->seen.st_mtim.tv_sec == now.st_mtim.tv_sec && t->seen.st_mtim.tv_nsec == now.st_mtim.tv_nsec) {
		return t->fault.code;
	}
	t->n = 0;
	t->fault.code = 0;
	t->seen = now;
	FILE *file = fopen(path, "re");
	if (!file) {
		t->seen = (struct stat){0};
		return ent_error_errno(&t->fault, ENT_ERR_IO, "%s cannot be read", path);
	}
	char *text = NULL;
	size_t room = 0;
	int line = 0;
	size_t read = 0;
	for (ssize_t n; (n = getline(&text, &room, file)) > 0 && read < LARGEST;) {
		ent_token token = {0};
		line++;
		read += (size_t)n;
		if (strspn(text, " \t\r\n") == (size_t)n) {
			continue;
		}
		if (!parse(text, &token)) {
			fault(t, line, "this is no token");
			break;
		}
		ENT_GROW(t->list, t->n, t->capacity);
		t->list[t->n++] = token;
	}
	free(text);
	fclose(file);
	return t->fault.code;
}

static int told(const ent_tokens *t, ent_error *e) {
	if (t->fault.code && e) {
		*e = t->fault;
	}
	return t->fault.code;
}

int ent_tokens_open(ent_tokens **out, const char *folder, const char *name, ent_error *e) {
	ent_tokens *t = ent_xcalloc(1, sizeof *t);
	t->folder = ent_xstrdup(folder);
	t->name = ent_xstrdup(name);
	*out = NULL;
	if (sodium_init() < 0) {
		ent_tokens_close(t);
		return ent_error_set(e, ENT_ERR_IO, "libsodium cannot be used");
	}
	if (look(t)) {
		int status = told(t, e);
		ent_tokens_close(t);
		return status;
	}
	*out = t;
	return 0;
}

void ent_tokens_close(ent_tokens *t) {
	if (t) {
		free(t->folder);
		free(t->name);
		free(t->list);
		free(t);
	}
}

int ent_tokens_list(ent_tokens *t, const ent_token **list, size_t *n, ent_error *e) {
	look(t);
	*list = t->list;
	*n = t->n;
	return told(t, e);
}

/* All are compared, whichever fits. */
const ent_token *ent_tokens_find_hash(ent_tokens *t, const uint8_t hash[ENT_TOKEN_HASH]) {
	const ent_token *found = NULL;
	int64_t now = now_us();
	look(t);
	for (size_t i = 0; i < t->n; i++) {
		const ent_token *token = &t->list[i];
		bool same = sodium_memcmp(token->hash, hash, ENT_TOKEN_HASH) == 0;
		found = same && (!token->expires || token->expires > now) ? token : found;
	}
	return found;
}

const ent_token *ent_tokens_find(ent_tokens *t, const char *text, size_t n) {
	uint8_t hash[ENT_TOKEN_HASH];
	ent_token_hash(text, n, hash);
	return ent_tokens_find_hash(t, hash);
}

/* ---- changing --------------------------------------------------------------------------------------------------------- */

static void write_line(ent_buf *out, const ent_token *token) {
	static const uint8_t none[ENT_TOKEN_HASH];
	char hex[2 * ENT_TOKEN_HASH + 1];
	ent_json json;
	ent_json_init(&json, out, false);
	ent_json_object(&json);
	ent_json_key(&json, "name");
	ent_json_text(&json, token->name);
	ent_json_key(&json, "role");
	ent_json_text(&json, ent_role_word(token->role));
	if (token->partner[0]) {
		ent_json_key(&json, "partner");
		ent_json_text(&json, token->partner);
	}
	ent_json_key(&json, "sha256");
	ent_json_text(&json, sodium_bin2hex(hex, sizeof hex, token->hash, ENT_TOKEN_HASH));
	if (memcmp(token->of, none, sizeof none) != 0) {
		ent_json_key(&json, "of");
		ent_json_text(&json, sodium_bin2hex(hex, sizeof hex, token->of, ENT_TOKEN_HASH));
	}
	ent_json_key(&json, "created");
	ent_json_int(&json, token->created);
	if (token->expires) {
		ent_json_key(&json, "expires");
		ent_json_int(&json, token->expires);
	}
	ent_json_end(&json);
	ent_buf_u8(out, '\n');
}

static int replace(ent_tokens *t, ent_error *e) {
	char path[4096], fresh[4096];
	ent_buf out = {0};
	for (size_t i = 0; i < t->n; i++) {
		write_line(&out, &t->list[i]);
	}
	snprintf(path, sizeof path, "%s/%s", t->folder, t->name);
	snprintf(fresh, sizeof fresh, "%s/.%s.%ld", t->folder, t->name, (long)getpid());
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good = fd >= 0;
	for (size_t done = 0; good && done < out.n;) {
		ssize_t n = write(fd, out.data + done, out.n - done);
		good = n > 0 || (n < 0 && errno == EINTR);
		done += n > 0 ? (size_t)n : 0;
	}
	good = good && fsync(fd) == 0 && rename(fresh, path) == 0;
	if (!good) {
		ent_error_errno(e, ENT_ERR_IO, "%s cannot be written", path);
		unlink(fresh);
	}
	if (fd >= 0) {
		close(fd);
	}
	ent_buf_finish(&out);
	t->seen = (struct stat){0}; /* read again what is there now */
	return good ? 0 : ENT_ERR_IO;
}

/* Programs that change the file do it one after the other. */
static int lock(ent_tokens *t, ent_error *e) {
	char path[4096];
	if (mkdir(t->folder, 0700) && errno != EEXIST) {
		ent_error_errno(e, ENT_ERR_IO, "%s cannot be made", t->folder);
		return -1;
	}
	snprintf(path, sizeof path, "%s/%s.lock", t->folder, t->name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX)) {
		ent_error_errno(e, ENT_ERR_IO, "%s cannot be locked", path);
		if (fd >= 0) {
			close(fd);
		}
		return -1;
	}
	return fd;
}

static void forget_old(ent_tokens *t) {
	int64_t now = now_us();
	size_t n = 0, skip = t->n >= SESSIONS_MOST ? t->n - SESSIONS_MOST + 1 : 0;
	for (size_t i = 0; i < t->n; i++) {
		if (i >= skip && (!t->list[i].expires || t->list[i].expires > now)) {
			t->list[n++] = t->list[i];
		}
	}
	t->n = n;
}

int ent_tokens_add(ent_tokens *t, const ent_token *like, bool many, char text[ENT_TOKEN_TEXT], ent_error *e) {
	if (!many && !ent_name_form(like->name)) {
		ent_error_set(e, ENT_ERR_INVALID, "'%s' cannot be the name of a token", like->name);
		return ent_error_todo(e, "use letters, digits, '_', '-' and '.', at most 64, first a letter or a digit");
	}
	if ((like->role == ENT_ROLE_PARTNER) != (like->partner[0] != 0)) {
		ent_error_set(e, ENT_ERR_INVALID, "a token of role partner names its partner, and no other does");
		return ent_error_todo(e, "write --role partner --partner ID");
	}
	int held = lock(t, e);
	if (held < 0) {
		return e ? e->code : ENT_ERR_IO;
	}
	int status = look(t) ? told(t, e) : 0;
	for (size_t i = 0; !status && !many && i < t->n; i++) {
		if (strcmp(t->list[i].name, like->name) == 0) {
			status = ent_error_set(e, ENT_ERR_INVALID, "there is a token '%s' already", like->name);
			ent_error_todo(e, "take another name, or `entente token revoke %s` first", like->name);
		}
	}
	if (!status) {
		if (many) {
			forget_old(t);
		}
		ENT_GROW(t->list, t->n, t->capacity);
		ent_token *token = &t->list[t->n++];
		*token = *like;
		token->created = now_us();
		ent_token_random(many ? "" : "ent_", text, token->hash);
		status = replace(t, e);
	}
	close(held);
	return status;
}

int ent_tokens_remove(ent_tokens *t, const char *name, const uint8_t *hash, ent_error *e) {
	int held = lock(t, e);
	if (held < 0) {
		return e ? e->code : ENT_ERR_IO;
	}
	int status = look(t) ? told(t, e) : 0;
	size_t n = 0, before = t->n;
	for (size_t i = 0; !status && i < before; i++) {
		bool same = hash ? memcmp(t->list[i].hash, hash, ENT_TOKEN_HASH) == 0 : strcmp(t->list[i].name, name) == 0;
		if (!same) {
			t->list[n++] = t->list[i];
		}
	}
	if (!status && n == before) {
		status = ent_error_set(e, ENT_ERR_NOTFOUND, "there is no token '%s'", name ? name : "");
		ent_error_todo(e, "`entente token list` shows them");
	} else if (!status) {
		t->n = n;
		status = replace(t, e);
	}
	close(held);
	return status;
}
