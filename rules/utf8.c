/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters: bytes come in, UTF-8 characters and their harmless spelling go out. What a message
 * quotes was written by somebody else, so nothing that steers a terminal or reorders a line may
 * reach it. Touches nothing.
 */
#include <stdio.h>
#include <string.h>

#include "rules/tree.h"

#define SHOWN_MAX 80

static size_t sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

size_t utf8_next(const char *text, size_t length, uint32_t *ret_code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = length ? (unsigned char)text[0] : 0xff;
	size_t size = sequence_length(first);
	uint32_t code = size < 2 ? first : first & (0x7fu >> size);

	if (!size || size > length)
		return 0;
	for (size_t i = 1; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte & 0x3f);
	}
	if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret_code = code;
	return size;
}

size_t utf8_count(const char *text, size_t length)
{
	size_t count = 0;

	for (size_t at = 0; at < length; count++) {
		uint32_t code;
		size_t size = utf8_next(text + at, length - at, &code);

		at += size ? size : 1;
	}
	return count;
}

int shown(const char *text)
{
	size_t length = strnlen(text, SHOWN_MAX + 1);

	if (length <= SHOWN_MAX)
		return (int)length;
	length = SHOWN_MAX;
	while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return (int)length;
}

bool utf8_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ||	/* C0, DEL, C1 */
	       code == 0xad || code == 0x61c || code == 0xfeff ||	/* unseen marks */
	       (code >= 0x200b && code <= 0x200f) ||			/* zero width, direction */
	       (code >= 0x2028 && code <= 0x202e) ||			/* line ends, direction */
	       (code >= 0x2060 && code <= 0x206f) ||
	       code == 0xfffe || code == 0xffff || (code >= 0xe0000 && code < 0xe0080);
}

size_t utf8_show(const char *text, size_t length, char ret_cell[static 16])
{
	uint32_t code;
	size_t size = utf8_next(text, length, &code);

	if (!size || (code < 0x100 && utf8_is_control(code))) {
		snprintf(ret_cell, 16, "\\x%02x", size ? code : (unsigned char)text[0]);
		return size ? size : 1;
	}
	if (utf8_is_control(code))
		snprintf(ret_cell, 16, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
	else
		snprintf(ret_cell, 16, "%.*s", (int)size, text);
	return size;
}
