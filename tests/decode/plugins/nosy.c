/* SPDX-License-Identifier: Apache-2.0
 *
 * A faulty plugin: tries what a decoder must not: to read a file, to write one, to connect, to start a process. Says
 * what it could. */
#include "faulty.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static ent_status fault(const ent_host *host, ent_ctx *ctx, const ent_row *row) {
	(void)host;
	(void)ctx;
	(void)row;
	char found[5] = "----";
	int fd = open("/etc/passwd", O_RDONLY);
	found[0] = fd >= 0 ? 'r' : found[0];
	fd = open("/tmp/entente-nosy", O_CREAT | O_WRONLY, 0600);
	found[1] = fd >= 0 ? 'w' : found[1];
	fd = socket(AF_INET, SOCK_STREAM, 0);
	found[2] = fd >= 0 ? 's' : found[2];
	pid_t child = fork();
	if (!child) {
		_exit(0);
	}
	found[3] = child > 0 ? 'p' : found[3];
	host->cursor(ctx, "found", (ent_str){found, 4});
	return ENT_OK;
}
