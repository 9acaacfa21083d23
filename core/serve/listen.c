/* SPDX-License-Identifier: Apache-2.0
 *
 * Sockets to listen on: addresses of the configuration, and control.sock in the store. Front's thread. */
#include "serve/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

int ent__listen_address(const char *text, int *fd, char *url, size_t size, uint16_t *port, ent_error *e) {
	ent_listen address;
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} at = {0};
	*fd = -1;
	if (!ent_listen_parse(text, &address)) {
		return ent_error_set(e, ENT_ERR_INVALID, "'%s' is no address to listen on", text);
	}
	socklen_t n = address.six ? sizeof at.six : sizeof at.four;
	at.any.sa_family = address.six ? AF_INET6 : AF_INET;
	inet_pton(at.any.sa_family, address.host, address.six ? (void *)&at.six.sin6_addr : (void *)&at.four.sin_addr);
	*(address.six ? &at.six.sin6_port : &at.four.sin_port) = htons(address.port);
	int on = 1, s = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s >= 0) {
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (address.six) {
			setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
		}
	}
	if (s < 0 || bind(s, &at.any, n) || listen(s, BACKLOG) || getsockname(s, &at.any, &n)) {
		ent_error_errno(e, ENT_ERR_IO, "cannot listen on %s", text);
		ent_error_todo(e, "see what has the port (`ss -ltnp`), or name another in serve.listen");
		if (s >= 0) {
			close(s);
		}
		return ENT_ERR_IO;
	}
	*fd = s;
	*port = ntohs(address.six ? at.six.sin6_port : at.four.sin_port);
	snprintf(url, size, address.six ? "http://[%s]:%u" : "http://%s:%u", address.host, *port);
	return 0;
}

int ent__listen_local(int at, const char *folder, int *fd, ent_error *e) {
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	/* the path of a store may be longer than the name of a socket */
	snprintf(name.sun_path, sizeof name.sun_path, "/proc/self/fd/%d/control.sock", at);
	*fd = -1;
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s < 0) {
		return ent_error_errno(e, ENT_ERR_IO, "no socket can be had");
	}
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive = probe >= 0 && (connect(probe, (struct sockaddr *)&name, sizeof name) == 0 || errno == EAGAIN);
	if (probe >= 0) {
		close(probe);
	}
	if (alive) {
		close(s);
		ent_error_set(e, ENT_ERR_BUSY, "a service is running on the store %s", folder);
		return ent_error_todo(e, "stop it first, or give this one a store of its own");
	}
	unlinkat(at, "control.sock", 0); /* of a service that was killed */
	/* the file gets the mode of the socket: there is no moment at which others could connect */
	if (fchmod(s, 0600) || bind(s, (struct sockaddr *)&name, sizeof name) || listen(s, BACKLOG)) {
		ent_error_errno(e, ENT_ERR_IO, "cannot listen on %s/control.sock", folder);
		close(s);
		return ENT_ERR_IO;
	}
	*fd = s;
	return 0;
}
