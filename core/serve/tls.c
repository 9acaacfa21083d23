/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificate and key for TLS. Each handshake asks for them, so a renewed certificate serves from the next one on, and
 * connections that are there go on. Front's thread. */
#include "serve/internal.h"

#include "config/options.h"

#include <dlfcn.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHAIN_MOST = 16, LOOK_SECONDS = 30 };

/* Loaded with the first certificate, as libmicrohttpd is (mhd.h). */
#define FUNCTIONS(X) \
	X(gnutls_load_file) \
	X(gnutls_pcert_deinit) \
	X(gnutls_pcert_import_x509) \
	X(gnutls_privkey_deinit) \
	X(gnutls_privkey_import_x509_raw) \
	X(gnutls_privkey_init) \
	X(gnutls_pubkey_deinit) \
	X(gnutls_pubkey_get_key_id) \
	X(gnutls_pubkey_import_privkey) \
	X(gnutls_pubkey_init) \
	X(gnutls_session_get_ptr) \
	X(gnutls_session_set_ptr) \
	X(gnutls_strerror) \
	X(gnutls_x509_crt_deinit) \
	X(gnutls_x509_crt_list_import2)

static struct {
#define X(name) __typeof__(name) *name##_;
	FUNCTIONS(X)
#undef X
	gnutls_free_function *free_; /* a variable */
} tls;

static const struct {
	const char *name;
	size_t at;
} functions[] = {
#define X(name) {#name, offsetof(__typeof__(tls), name##_)},
	FUNCTIONS(X)
#undef X
	{"gnutls_free", offsetof(__typeof__(tls), free_)},
};

static int load_library(ent_error *e) {
	void *library = tls.free_ ? NULL : dlopen("libgnutls.so.30", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; !tls.free_ && i < sizeof functions / sizeof *functions; i++) {
		void *function = library ? dlsym(library, functions[i].name) : NULL;
		if (!function) {
			ent_error_set(e, ENT_ERR_NOTFOUND, "GnuTLS cannot be loaded: %s", dlerror());
			ent_error_todo(e, "install the package libgnutls30");
			return ENT_ERR_NOTFOUND;
		}
		memcpy((char *)&tls + functions[i].at, &function, sizeof function);
	}
	return 0;
}

struct ent__tls {
	gnutls_pcert_st chain[CHAIN_MOST];
	unsigned n;
	gnutls_privkey_t key;
	struct timespec changed; /* of the file of the certificate */
	struct timespec refused; /* of one that could not be used */
	uint64_t looked;
	struct ent__tls *previous; /* a handshake under way may still use it */
};

void ent__tls_destroy(struct ent__tls *t) {
	if (!t) {
		return;
	}
	ent__tls_destroy(t->previous);
	for (unsigned i = 0; i < t->n; i++) {
		tls.gnutls_pcert_deinit_(&t->chain[i]);
	}
	if (t->key) {
		tls.gnutls_privkey_deinit_(t->key);
	}
	free(t);
}

static int wrong(const ent_config *config, ent_word word, const char *what, int code, ent_error *e) {
	(void)config;
	ent_error_set(e, ENT_ERR_INVALID, "%s: %s", what, tls.gnutls_strerror_(code));
	return ent_error_at(e, word.at.file, word.at.line, word.at.column);
}

static int load(struct ent__tls *t, const ent_config *config, ent_arena *arena, ent_error *e) {
	const ent_serve_config *serve = &config->serve;
	gnutls_datum_t bytes = {0};
	gnutls_x509_crt_t *list = NULL;
	unsigned n = 0;
	struct stat at;
	ent_str key;
	int code = tls.gnutls_load_file_(serve->certificate.s, &bytes);
	if (code || stat(serve->certificate.s, &at)) {
		return wrong(config, serve->certificate, "the certificate cannot be read", code ? code : GNUTLS_E_FILE_ERROR, e);
	}
	t->changed = at.st_mtim;
	code = tls.gnutls_x509_crt_list_import2_(&list, &n, &bytes, GNUTLS_X509_FMT_PEM, 0);
	tls.free_[0](bytes.data);
	if (code < 0) {
		return wrong(config, serve->certificate, "the file holds no certificate", code, e);
	}
	code = n > CHAIN_MOST ? GNUTLS_E_SHORT_MEMORY_BUFFER : 0;
	for (unsigned i = 0; i < n && !code; i++) {
		code = tls.gnutls_pcert_import_x509_(&t->chain[i], list[i], 0);
		t->n += !code;
	}
	for (unsigned i = 0; i < n; i++) {
		tls.gnutls_x509_crt_deinit_(list[i]);
	}
	tls.free_[0](list);
	if (code) {
		return wrong(config, serve->certificate, "the certificates cannot be used", code, e);
	}
	int status = ent_config_secret(serve->key.s, config->folder, arena, &key, e);
	if (status) {
		return ent_error_at(e, serve->key.at.file, serve->key.at.line, serve->key.at.column);
	}
	gnutls_datum_t pem = {(unsigned char *)key.p, (unsigned)key.n};
	tls.gnutls_privkey_init_(&t->key);
	code = tls.gnutls_privkey_import_x509_raw_(t->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
	explicit_bzero((char *)key.p, key.n);
	if (code) {
		return wrong(config, serve->key, "the key cannot be read", code, e);
	}
	gnutls_pubkey_t public;
	tls.gnutls_pubkey_init_(&public);
	code = tls.gnutls_pubkey_import_privkey_(public, t->key, 0, 0);
	unsigned char one[64], other[64];
	size_t n_one = sizeof one, n_other = sizeof other;
	tls.gnutls_pubkey_get_key_id_(public, GNUTLS_KEYID_USE_SHA256, one, &n_one);
	tls.gnutls_pubkey_get_key_id_(t->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, other, &n_other);
	tls.gnutls_pubkey_deinit_(public);
	if (!code && (n_one != n_other || memcmp(one, other, n_one) != 0)) {
		ent_error_set(e, ENT_ERR_INVALID, "the key is not that of the certificate");
		ent_error_todo(e, "put the server's own certificate first, and take its key");
		return ent_error_at(e, serve->key.at.file, serve->key.at.line, serve->key.at.column);
	}
	return code ? wrong(config, serve->key, "the key cannot be used", code, e) : 0;
}

int ent__tls_load(struct ent__tls **out, const ent_config *config, ent_error *e) {
	*out = NULL;
	if (load_library(e)) {
		return ENT_ERR_NOTFOUND;
	}
	struct ent__tls *t = ent_xcalloc(1, sizeof *t);
	ent_arena arena = {0};
	int status = load(t, config, &arena, e);
	ent_arena_finish(&arena);
	t->looked = uv_hrtime();
	*out = t;
	if (status) {
		ent__tls_destroy(t);
		*out = NULL;
	}
	return status;
}

void ent__tls_follow(struct ent__tls *t, struct ent__tls *previous) {
	if (previous) {
		ent__tls_destroy(previous->previous);
		previous->previous = NULL;
	}
	t->previous = previous;
}

void ent__tls_refresh(ent_http *h) {
	struct ent__tls *old = h->tls, *fresh;
	uint64_t now = uv_hrtime();
	struct stat at;
	ent_error e;
	uint64_t often = (uint64_t)h->config->serve.timeout_us * 1000, most = (uint64_t)LOOK_SECONDS * 1000000000;
	if (!old || now - old->looked < (often < most ? often : most)) {
		return;
	}
	old->looked = now;
	if (stat(h->config->serve.certificate.s, &at) ||
		(at.st_mtim.tv_sec == old->changed.tv_sec && at.st_mtim.tv_nsec == old->changed.tv_nsec)) {
		return;
	}
	if (ent__tls_load(&fresh, h->config, &e)) {
		/* half written, perhaps, or the key is still to come: tried again, told once */
		if (at.st_mtim.tv_sec != old->refused.tv_sec || at.st_mtim.tv_nsec != old->refused.tv_nsec) {
			ent__http_told(h, "certificate.refused", &e);
		}
		old->refused = at.st_mtim;
		return;
	}
	ent__tls_follow(fresh, old);
	h->tls = fresh;
	ent__http_told(h, "certificate.renewed", NULL);
}

/* Without a status that asks to free what is handed out, GnuTLS copies nothing and frees nothing: it is ours, and is used only
 * while the handshake's message is made, on this thread. */
static int retrieve(gnutls_session_t session, const gnutls_datum_t *authorities, int n_authorities,
	const gnutls_pk_algorithm_t *algorithms, int n_algorithms, gnutls_pcert_st **chain, unsigned *n, gnutls_privkey_t *key) {
	(void)authorities;
	(void)n_authorities;
	(void)algorithms;
	(void)n_algorithms;
	ent__connection *c = tls.gnutls_session_get_ptr_(session);
	struct ent__tls *t = c ? c->listener->http->tls : NULL;
	if (!t) {
		return -1;
	}
	*chain = t->chain;
	*n = t->n;
	*key = t->key;
	return 0;
}

void *const ent__tls_callback = (void *)retrieve;

void ent__tls_begin(ent__connection *c) {
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info && info->tls_session) {
		tls.gnutls_session_set_ptr_(info->tls_session, c);
	}
}
