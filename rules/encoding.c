/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encoding: the bytes of a rule file come in before any YAML is looked at, a complaint about the
 * first that does not belong there goes out. What is left can neither hide from the reader of a
 * rule (directions, zero widths) nor end a line for one program only. Touches nothing.
 */
#include <errno.h>
#include <string.h>

#include "rules/tree.h"

/* Place of the byte at offset: looked for only when there is something to say. */
static struct lictor_place place_of(const struct lictor_diags *diags, uint32_t file, size_t offset)
{
	const char *text = diags->source[file].text;
	struct lictor_place place = { .file = file, .line = 1, .column = 1, .width = 1 };
	size_t begin = 0;

	for (size_t at = 0; at < offset; at++) {
		if (text[at] != '\n' && (text[at] != '\r' || text[at + 1] == '\n'))
			continue;
		place.line++;
		begin = at + 1;
	}
	if (!begin && offset >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		begin = 3;
	place.column = (uint32_t)utf8_count(text + begin, offset - begin) + 1;
	return place;
}

/*
 * Joiners and marks that some scripts are written with may stand in a description. What reverses
 * the direction, or is a line's end to some programs, may not: a reviewer would not see it.
 */
static bool is_refused(uint32_t code)
{
	if (code == '\t' || code == '\n' || code == '\r')
		return false;
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0xfeff ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfffe || code == 0xffff;
}

/* The other encodings that YAML may have begin with these marks. */
static bool refuse_mark(struct lictor_diags *diags, uint32_t file)
{
	static const struct { const char *bytes; size_t length; const char *name; } marks[] = {
		{ "\xff\xfe\0\0", 4, "UTF-32" }, { "\0\0\xfe\xff", 4, "UTF-32" },
		{ "\xff\xfe", 2, "UTF-16" },	 { "\xfe\xff", 2, "UTF-16" },
	};
	const struct lictor_source *source = &diags->source[file];

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		if (source->length < marks[i].length ||
		    memcmp(source->text, marks[i].bytes, marks[i].length))
			continue;
		lictor_diag_error(diags, (struct lictor_place){ .file = file },
				  "save the file as UTF-8", "the file is %s, not UTF-8",
				  marks[i].name);
		return true;
	}
	return false;
}

static void refuse_byte(struct lictor_diags *diags, uint32_t file, size_t at)
{
	const struct lictor_source *source = &diags->source[file];
	struct lictor_place place = place_of(diags, file, at);
	char hint[80], cell[16];
	uint32_t code;

	if (!utf8_next(source->text + at, source->length - at, &code)) {
		lictor_diag_error(diags, place, "save the file as UTF-8",
				  "the byte 0x%02x is not UTF-8", (unsigned char)source->text[at]);
		return;
	}
	if (!code) {
		lictor_diag_error(diags, place, NULL, "a NUL byte is not allowed in a rule file");
		return;
	}
	utf8_show(source->text + at, source->length - at, cell);
	snprintf(hint, sizeof(hint), "if it is meant, write it as \"%s\" in double quotes", cell);
	lictor_diag_error(diags, place, hint, "the invisible character U+%04X is not allowed",
			  code);
}

int encoding_check(struct lictor_diags *diags, uint32_t file)
{
	const struct lictor_source *source = &diags->source[file];
	size_t at = 0;

	if (refuse_mark(diags, file))
		return -EINVAL;
	if (source->length >= 3 && !memcmp(source->text, "\xef\xbb\xbf", 3))
		at = 3;
	while (at < source->length) {
		unsigned char byte = (unsigned char)source->text[at];
		uint32_t code = byte;
		size_t size = 1;

		if (byte >= 0x80)
			size = utf8_next(source->text + at, source->length - at, &code);
		if (!size || is_refused(code)) {
			refuse_byte(diags, file, at);
			return -EINVAL;
		}
		at += size;
	}
	return 0;
}
