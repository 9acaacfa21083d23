/* SPDX-License-Identifier: Apache-2.0
 *
 * Connections: who they come from, how long they may take, and how they end. Front's thread. */
#include "serve/internal.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void ent__http_cut(ent__connection *c) {
	shutdown(c->fd, SHUT_RDWR); /* MHD sees the end of it at once, and closes */
	if (c->request && c->request->suspended) {
		c->request->suspended = false;
		MHD_resume_connection(c->mhd);
		ent__wake(c->listener);
	}
}

void ent__drain_look(ent_http *h) {
	if (h->draining && h->drained && (h->n_connections == 0 || uv_hrtime() >= h->drain_until)) {
		void (*drained)(void *) = h->drained;
		h->drained = NULL;
		drained(h->drained_ctx);
	}
}

/* MHD stops reading when it got less than it had room for. If the end of the connection came together with these bytes, it
 * never hears of it: epoll tells it once. */
static bool left(const ent__connection *c) {
	char byte;
	bool reads = !c->request || (!c->request->suspended && !c->request->answered) || c->request->discard;
	return reads && recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

void ent__sweep(uv_timer_t *timer) {
	ent_http *h = timer->data;
	uint64_t now = uv_hrtime();
	ent__tls_refresh(h);
	for (ent__connection *c = h->connections, *next; c; c = next) {
		next = c->next;
		ent_request *r = c->request;
		if (r && r->suspended && r->due && now > r->due) {
			/* the handler still holds it, and its answer will be thrown away */
			h->figures.late++;
			bool owed = r->owed;
			r->due = 0;
			ent_answer_header(r, "Retry-After", "5");
			ent_answer_problem(r, 503, "no answer within %lld ms", (long long)(h->config->serve.timeout_us / 1000));
			r->owed = owed;
		} else if (c->due && now > c->due) {
			c->due = 0;
			if (r) {
				h->figures.slow++;
			}
			ent__http_cut(c);
		} else if ((h->draining && !r) || left(c)) {
			ent__http_cut(c);
		}
	}
	for (ent__listener *l = h->listeners, *next; l; l = next) {
		next = l->next;
		if (l->gone && !l->connections) {
			ent__listener_end(l);
		}
	}
	ent__drain_look(h);
}

static void connected(ent__listener *l, struct MHD_Connection *mhd, void **context) {
	ent_http *h = l->http;
	ent__connection *c = ent_xcalloc(1, sizeof *c);
	c->listener = l;
	c->mhd = mhd;
	c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
	c->due = uv_hrtime() + (uint64_t)h->config->serve.timeout_us * 1000;
	c->next = h->connections;
	if (c->next) {
		c->next->before = c;
	}
	h->connections = c;
	h->n_connections++;
	h->figures.accepted++;
	l->connections++;
	if (l->local) {
		struct ucred who = {0};
		socklen_t n = sizeof who;
		bool known = getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0;
		c->user = who.uid;
		c->stranger = !known || (who.uid != 0 && who.uid != geteuid());
		strcpy(c->client, "control.sock");
	} else {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		if (info && info->client_addr) {
			getnameinfo(info->client_addr,
				info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in), c->client,
				sizeof c->client, NULL, 0, NI_NUMERICHOST);
		}
	}
	if (l->tls) {
		ent__tls_begin(c);
	}
	*context = c;
}

void ent__connection_notice(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code) {
	ent__listener *l = cls;
	ent_http *h = l->http;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		connected(l, mhd, context);
		return;
	}
	ent__connection *c = *context;
	if (!c) {
		return;
	}
	*context = NULL;
	if (c->linger) {
		ent__linger(h->loop, c->fd);
	}
	if (c->next) {
		c->next->before = c->before;
	}
	*(c->before ? &c->before->next : &h->connections) = c->next;
	h->n_connections--;
	l->connections--;
	free(c);
	ent__wake(l); /* beyond the limit MHD listened no more, and starts again only when it runs */
}
