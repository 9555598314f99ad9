/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client of the control socket asks: one line,
 *
 *	{"v": 1, "request": "watch", "format": "short"}
 *
 * a JSON object whose values are strings, integers, true, false or null. Members that are not known
 * are passed over. The answer is JSON Lines: each line has a "type", the last one is
 * {"type": "end"}; after a watch, "watching" and then the stream in the format that was asked for.
 */
#ifndef LICTOR_REQUEST_H
#define LICTOR_REQUEST_H

#include <stddef.h>

#define LICTOR_PROTOCOL 1
#define LICTOR_REQUEST_MAX 512u	/* bytes of a request, with its newline */

enum lictor_ask {
	LICTOR_ASK_STATUS,
	LICTOR_ASK_RULES,
	LICTOR_ASK_WATCH,
	LICTOR_ASK_RELOAD,
	LICTOR_ASK_ROTATE,
	LICTOR_ASKS
};

enum lictor_form { LICTOR_FORM_JSON, LICTOR_FORM_SHORT, LICTOR_FORMS };

struct lictor_request {
	enum lictor_ask ask;
	enum lictor_form form;	/* of a watch */
};

extern const char *const lictor_ask_words[LICTOR_ASKS];
extern const char *const lictor_form_words[LICTOR_FORMS];

/* Returns 0 or -EINVAL, and then in ret_why what is wrong. */
int lictor_request_parse(const char *line, size_t length, struct lictor_request *ret_request,
			 const char **ret_why);

#endif
