/* SPDX-License-Identifier: Apache-2.0
 *
 * The service: everything that `entente serve` is. One call that lasts until the service is asked to stop; the calling
 * thread becomes its front. */
#ifndef ENT_SERVE_SERVE_H
#define ENT_SERVE_SERVE_H

#include "config/config.h"
#include "serve/reader.h"

typedef struct ent_serve_options {
	const char *config_path; /* read again at each reload */
	ent_config *config;      /* what it said; the service's from now on */
	const char *version;     /* of the program; static */
	const ent_reader_way *reader; /* answers what the API asks */
} ent_serve_options;

/* 0: it ran and was asked to stop. Negative: it could not start, or could not go on; `errors` say why. */
int ent_serve(const ent_serve_options *, ent_errors *errors);

#endif
