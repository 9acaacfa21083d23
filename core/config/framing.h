/* SPDX-License-Identifier: Apache-2.0
 *
 * config/framing.h: the options of a source that are the host's and the same for every decoder: encoding, delimiter,
 * quotes. */
#ifndef ENT_CONFIG_FRAMING_H
#define ENT_CONFIG_FRAMING_H

#include "base/arena.h"
#include "entente/plugin.h"

/* The decoder's table (NULL: none), and behind it that of the framing, if the host frames: a decoder's own option of
 * that name goes first. In the arena; what it points to is the decoder's, or constant. */
const ent_option *ent_framing_options(const ent_option *own, ent_frame frame, ent_arena *arena);

#endif
