/* SPDX-License-Identifier: Apache-2.0
 *
 * Signatures of deliveries: HMAC over the raw body, compared in constant time. Pure functions, any thread. */
#ifndef ENT_TRANSPORT_SIGN_H
#define ENT_TRANSPORT_SIGN_H

#include "config/config.h"
#include "entente/plugin.h" /* ent_str */

#define ENT_SIGN_BYTES 64     /* of the longest HMAC */
#define ENT_SIGN_TEXT_MAX 160 /* of its longest text, with its end */

/* HMAC of the body; returns its length. */
size_t ent_sign(ent_sign_hash, ent_str secret, const void *body, size_t n, uint8_t out[ENT_SIGN_BYTES]);
/* As it stands in a header, behind the prefix, terminated; `form` is not PLAIN. Returns the length of the text. */
size_t ent_sign_text(ent_sign_form, const uint8_t *mac, size_t n, char out[ENT_SIGN_TEXT_MAX]);
/* Is `given`, the value of the header (NULL: there was none), right for any of the secrets? How long it takes tells nothing of
 * how much of it is right, nor which secret it is. */
bool ent_sign_check(const ent_sign_config *, const ent_str *secrets, size_t n_secrets, const char *given, const void *body, size_t n);

#endif
