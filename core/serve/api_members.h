/* SPDX-License-Identifier: Apache-2.0
 *
 * serve/api_members.h: how the tables of the API write down a member of a body. Included by core/serve/api*.c and by nothing
 * else; only constants. */
#ifndef ENT_SERVE_API_MEMBERS_H
#define ENT_SERVE_API_MEMBERS_H

/* NOLINTBEGIN(bugprone-macro-parentheses): these are initializers */
#define TEXT(key_, doc_)                                                                                               \
	{.key = key_, .shape = ENT_SHAPE_TEXT, .doc = doc_}
#define COUNT(key_, doc_)                                                                                              \
	{.key = key_, .shape = ENT_SHAPE_INT, .doc = doc_}
/* Always there, and null where there is nothing. */
#define MAYBE(key_, shape_, doc_)                                                                                      \
	{.key = key_, .shape = shape_, .null = true, .doc = doc_}
/* May be left out of what is sent, or null. */
#define OPTIONAL(key_, shape_, doc_)                                                                                   \
	{.key = key_, .shape = shape_, .optional = true, .null = true, .doc = doc_}
/* NOLINTEND(bugprone-macro-parentheses) */

#endif
