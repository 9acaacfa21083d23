/* SPDX-License-Identifier: Apache-2.0
 *
 * The client of a running service, see control.h. */
#include "command/control.h"
#include "command/session.h"
#include "transport/curl.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A commit, a cycle and a judgement may be under way before it is our turn. */
enum { PATIENCE_S = 300, ANSWER_MOST = 64 << 20 };

static size_t take(char *bytes, size_t size, size_t n, void *ctx) {
	ent__control_answer *a = ctx;
	if (a->body.n + size * n > ANSWER_MOST) {
		return 0;
	}
	ent_buf_add(&a->body, bytes, size * n);
	return size * n;
}

/* The address of a socket is short: of a longer path, by way of its open folder, which is *fd. */
static int socket_path(const char *folder, char *out, size_t size, int *fd, ent_error *e) {
	*fd = -1;
	int n = snprintf(out, size, "%s/" ENT_CONTROL_SOCKET, folder);
	if (n > 0 && (size_t)n < sizeof ((struct sockaddr_un *)0)->sun_path) {
		return 0;
	}
	*fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0) {
		return ent_error_set(e, ENT_ERR_NOTFOUND, "no service runs on %s", folder);
	}
	snprintf(out, size, "/proc/self/fd/%d/" ENT_CONTROL_SOCKET, *fd);
	return 0;
}

/* Is anybody listening? What remains of a service that was killed answers no more. */
static bool answers(const char *path) {
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof address.sun_path) {
		return false;
	}
	memcpy(address.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
	if (fd >= 0) {
		close(fd);
	}
	return good;
}

static int exchange(const char *path, const char *method, const char *url, const ent_buf *body, ent__control_answer *out,
	ent_error *e) {
	int status = ent_curl_load(e);
	if (status) {
		return status;
	}
	CURL *curl = curl_easy_init();
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	char why[CURL_ERROR_SIZE] = "";
	headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)PATIENCE_S);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	if (body) {
		curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
	}
	CURLcode code = curl_easy_perform(curl);
	if (code == CURLE_OK) {
		curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &out->status);
		ent_buf_u8(&out->body, 0);
		out->body.n--;
	} else {
		status = ent_error_set(e, ENT_ERR_IO, "the service did not answer: %s", *why ? why : curl_easy_strerror(code));
		ent_error_todo(e, "what was asked for may have been done or not: look before you ask again");
	}
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return status;
}

int ent__control_send(const char *folder, const char *method, const char *path, const ent_buf *body,
	ent__control_answer *out, ent_error *e) {
	char name[4096], url[512];
	int fd;
	*out = (ent__control_answer){0};
	if (socket_path(folder, name, sizeof name, &fd, e)) {
		return e->code;
	}
	snprintf(url, sizeof url, "http://localhost%s", path);
	int status = answers(name) ? exchange(name, method, url, body, out, e)
							   : ent_error_set(e, ENT_ERR_NOTFOUND, "no service runs on %s", folder);
	if (fd >= 0) {
		close(fd);
	}
	return status;
}

const char *ent__control_user(const ent_call *call) {
	const char *user = getenv("USER");
	return call->session ? call->session->user : user && *user ? user : NULL;
}

/* ---- a command ------------------------------------------------------------------------------------------------------- */

static void write_request(const ent_call *call, const ent_buf *input, bool reads, ent_buf *out) {
	ent_json j;
	ent_json_init(&j, out, false);
	ent_json_object(&j);
	ent_json_key(&j, "words");
	ent_json_array(&j);
	for (size_t i = 0; i < call->n_words; i++) {
		ent_json_text(&j, call->words[i]);
	}
	ent_json_end(&j);
	ent_json_key(&j, "reads");
	ent_json_bool(&j, reads);
	if (ent__control_user(call)) {
		ent_json_key(&j, "user");
		ent_json_text(&j, ent__control_user(call));
	}
	if (input) {
		ent_json_key(&j, "input");
		ent_json_text_n(&j, (const char *)input->data, input->n);
	}
	ent_json_end(&j);
}

static json_object *get(json_object *o, const char *key) {
	json_object *v = NULL;
	return o && json_object_object_get_ex(o, key, &v) ? v : NULL;
}

static const char *text_of(json_object *o, const char *key) {
	json_object *v = get(o, key);
	return v ? json_object_get_string(v) : "";
}

static int number_of(json_object *o, const char *key) { return json_object_get_int(get(o, key)); }

static void tell_errors(ent_call *call, json_object *list) {
	ent_errors *errors = ent_xcalloc(1, sizeof *errors);
	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *o = json_object_array_get_idx(list, i);
		ent_error e;
		ent_error_set(&e, ENT_ERR_INVALID, "%s", text_of(o, "what"));
		ent_error_at(&e, text_of(o, "file"), (uint32_t)number_of(o, "line"), (uint32_t)number_of(o, "column"));
		ent_error_todo(&e, "%s", text_of(o, "todo"));
		ent_errors_take(errors, &e);
	}
	if (errors->total) {
		ent_call_errors(call, errors);
	}
	free(errors);
}

/* What the service said of it. */
static int take_answer(ent_call *call, const ent__control_answer *a) {
	json_object *o = json_tokener_parse((const char *)a->body.data);
	ent_error e;
	int exit = ENT_EXIT_ERROR;
	if (a->status == 200 && get(o, "exit")) {
		const char *out = text_of(o, "out");
		exit = number_of(o, "exit");
		ent_buf_add(call->json ? &call->json_out : &call->out, out, strlen(out));
		char *notes = ent_xstrdup(text_of(o, "notes")), *rest = notes;
		for (char *line; (line = strsep(&rest, "\n"));) {
			if (*line) {
				ent_call_note(call, "%s", line);
			}
		}
		free(notes);
		tell_errors(call, get(o, "errors"));
	} else {
		const char *detail = text_of(o, "detail");
		ent_error_set(&e, ENT_ERR_IO, "the service that has the store said %ld: %s", a->status, *detail ? detail : "nothing more");
		ent_error_todo(&e, "its log says why");
		exit = ent_call_error(call, &e);
	}
	json_object_put(o);
	return exit;
}

static bool forward(ent_call *call, const ent_buf *input, bool reads, int *exit) {
	ent_config *config;
	ent__control_answer answer;
	ent_buf request = {0};
	ent_error e;
	if (call->session) {
		return false;
	}
	*exit = ent_call_config(call, &config);
	if (*exit) {
		return true;
	}
	write_request(call, input, reads, &request);
	int status = ent__control_send(config->store.s, "POST", "/control/command", &request, &answer, &e);
	if (!status) {
		*exit = take_answer(call, &answer);
	} else if (status != ENT_ERR_NOTFOUND) {
		*exit = ent_call_error(call, &e);
	}
	ent_buf_finish(&request);
	ent_buf_finish(&answer.body);
	ent_config_destroy(config);
	return status != ENT_ERR_NOTFOUND;
}

bool ent__control_forward(ent_call *call, const ent_buf *input, int *exit) { return forward(call, input, false, exit); }
bool ent__control_ask(ent_call *call, int *exit) { return forward(call, NULL, true, exit); }
