/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: bytes that an attacker may have chosen come in, text that is safe on a terminal, in a
 * log and inside JSON goes out, from which the bytes can be had back. Touches nothing.
 */
#include <string.h>

#include "output/words.h"

/* How the two languages write what the escape needs; a quote is only special in JSON. */
struct spelling {
	const char *backslash;
	const char *quote;	/* NULL: as it is */
};

static const struct spelling plain = { "\\", NULL };
static const struct spelling json = { "\\\\", "\\\"" };

/*
 * The bytes of the valid UTF-8 character at p, 0 if there is none (RFC 3629: no overlong form, no
 * surrogate, nothing above 10FFFF); ret_point gets its code point.
 */
static size_t character(const unsigned char *p, size_t left, uint32_t *ret_point)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3
			: p[0] < 0xf5 ? 4 : 0;
	uint32_t point;

	if (!length || length > left)
		return 0;
	point = length == 1 ? p[0] : p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (p[i] & 0x3f);
	}
	if (point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return length;
}

/* Characters that are valid and yet move the cursor, break the line or turn the text round. */
static bool harmful(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x2028 ||
	       point == 0x2029 || (point >= 0x202a && point <= 0x202e) ||
	       (point >= 0x2066 && point <= 0x2069);
}

static void spell(struct lictor_line *line, const struct spelling *how, const unsigned char *p,
		  size_t length)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < length; i++) {
		char hex[3] = { 'x', digit[p[i] >> 4], digit[p[i] & 15] };

		lictor_line_text(line, how->backslash);
		lictor_line_add(line, hex, sizeof(hex));
	}
}

static void write_escaped(struct lictor_line *line, const struct spelling *how, const char *bytes,
			  size_t length)
{
	const unsigned char *p = (const unsigned char *)bytes;
	size_t from = 0, i = 0;

	while (i < length) {
		uint32_t point = 0;
		size_t size = character(p + i, length - i, &point);

		if (size && !harmful(point) && point != '\\' && !(point == '"' && how->quote)) {
			i += size;
			continue;
		}
		lictor_line_add(line, bytes + from, i - from);
		if (size && point == '"')
			lictor_line_text(line, how->quote);
		else if (size && point == '\\')
			lictor_line_printf(line, "%s%s", how->backslash, how->backslash);
		else
			spell(line, how, p + i, size ? size : 1);
		i += size ? size : 1;
		from = i;
	}
	lictor_line_add(line, bytes + from, i - from);
}

void lictor_line_escaped(struct lictor_line *line, const char *bytes, size_t length)
{
	write_escaped(line, &plain, bytes, length);
}

void lictor_line_json(struct lictor_line *line, const char *bytes, size_t length)
{
	lictor_line_text(line, "\"");
	write_escaped(line, &json, bytes, length);
	lictor_line_text(line, "\"");
}

void lictor_line_quoted(struct lictor_line *line, const char *escaped, size_t length)
{
	size_t from = 0;

	lictor_line_text(line, "\"");
	for (size_t i = 0; i < length; i++) {
		if (escaped[i] != '"' && escaped[i] != '\\')
			continue;
		lictor_line_add(line, escaped + from, i - from);
		lictor_line_text(line, "\\");
		from = i;
	}
	lictor_line_add(line, escaped + from, length - from);
	lictor_line_text(line, "\"");
}
