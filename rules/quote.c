/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics, shown: for people with the source line and a mark under the place, and as JSON.
 * Both quote what others wrote, so control characters and broken bytes are spelled out. Touches
 * the stream that it is given.
 */
#include <string.h>

#include "rules/tree.h"

#define LINE_CELLS	100u	/* of the source line that are shown */
#define LINE_BEFORE	30u	/* of them before the mark when the line is cut */
#define TAB_CELLS	8u

/* Where reading on for the next line goes on from: diagnostics are shown in order of place. */
struct cursor {
	uint32_t file;
	uint32_t line;
	size_t at;
};

static size_t line_end(const struct lictor_source *source, size_t at)
{
	while (at < source->length && source->text[at] != '\n' && source->text[at] != '\r')
		at++;
	return at;
}

static size_t next_line(const struct lictor_source *source, size_t at)
{
	at = line_end(source, at);
	if (at < source->length && source->text[at++] == '\r' && at < source->length &&
	    source->text[at] == '\n')
		at++;
	return at;
}

static void seek_line(const struct lictor_source *source, struct cursor *cursor,
		      struct lictor_place place)
{
	static const char mark[] = "\xef\xbb\xbf"; /* a byte order mark is in no column */

	if (cursor->file != place.file || cursor->line > place.line || !cursor->line)
		*cursor = (struct cursor){ .file = place.file, .line = 1 };
	if (!cursor->at && source->length >= 3 && !memcmp(source->text, mark, 3))
		cursor->at = 3;
	for (; cursor->line < place.line && cursor->at < source->length; cursor->line++)
		cursor->at = next_line(source, cursor->at);
}

static void show_text(const char *text, FILE *out)
{
	size_t length = strlen(text);
	char cell[16];

	for (size_t at = 0; at < length; at += utf8_show(text + at, length - at, cell)) {
		utf8_show(text + at, length - at, cell);
		fputs(cell, out);
	}
}

/*
 * Puts out the cells of one character and returns how many they are. The line and the mark under
 * it go through this same function, so that they cannot disagree: for the mark, out is NULL.
 */
static unsigned show_cell(const char *text, size_t length, unsigned column, size_t *ret_size,
			  FILE *out)
{
	char cell[16];

	*ret_size = utf8_show(text, length, cell);
	if (*text == '\t') {
		unsigned cells = TAB_CELLS - column % TAB_CELLS;

		if (out)
			fprintf(out, "%*s", (int)cells, "");
		return cells;
	}
	if (out)
		fputs(cell, out);
	/* An escape is as wide as it is long; any other character is taken to be one cell wide. */
	return cell[0] == '\\' && cell[1] ? (unsigned)strlen(cell) : 1;
}

struct window {
	const char *text; /* what is shown begins here */
	size_t length;	  /* bytes to the end of the line */
	uint32_t mark;	  /* characters before the mark */
	bool cut;	  /* something is left out in front */
};

static struct window window_open(const char *line, size_t length, uint32_t column)
{
	struct window window = { .text = line, .length = length, .mark = column ? column - 1 : 0 };
	char cell[16];

	if (window.mark < LINE_CELLS - LINE_BEFORE || utf8_count(line, length) <= LINE_CELLS)
		return window;
	window.cut = true;
	for (; window.mark > LINE_BEFORE && window.length; window.mark--) {
		size_t size = utf8_show(window.text, window.length, cell);

		window.text += size;
		window.length -= size;
	}
	return window;
}

static void show_line(const struct window *window, FILE *out)
{
	unsigned cells = window->cut ? 1 : 0;
	size_t size;

	fputs(window->cut ? "…" : "", out);
	for (size_t at = 0; at < window->length; at += size) {
		if (cells >= LINE_CELLS) {
			fputs("…", out);
			break;
		}
		cells += show_cell(window->text + at, window->length - at, cells, &size, out);
	}
	fputc('\n', out);
}

static void show_mark(const struct window *window, uint32_t width, FILE *out)
{
	unsigned cells = window->cut ? 1 : 0;
	uint32_t count = 0;
	size_t size;

	fprintf(out, "%*s", (int)cells, "");
	for (size_t at = 0; at < window->length && count < window->mark + width; at += size) {
		unsigned here = show_cell(window->text + at, window->length - at, cells, &size,
					  NULL);

		for (unsigned i = 0; i < here && cells + i < LINE_CELLS; i++)
			fputc(count < window->mark ? ' ' :
			      count == window->mark && !i ? '^' : '~', out);
		cells += here;
		if (cells >= LINE_CELLS)
			break;
		count++;
	}
	if (count <= window->mark && cells < LINE_CELLS) /* behind the end of the line */
		fputc('^', out);
	fputc('\n', out);
}

static void show_source(const struct lictor_source *source, struct cursor *cursor,
			struct lictor_place place, FILE *out)
{
	struct window window;

	if (!source->text || !place.line)
		return;
	seek_line(source, cursor, place);
	window = window_open(source->text + cursor->at,
			     line_end(source, cursor->at) - cursor->at, place.column);
	fprintf(out, "%5u | ", place.line);
	show_line(&window, out);
	fprintf(out, "      | ");
	show_mark(&window, place.width ? place.width : 1, out);
}

/* The kept ones in order of place; those of one place as they came. */
static void sort(const struct lictor_diags *diags,
		 const struct lictor_diag *sorted[2 * LICTOR_DIAGS_SHOWN])
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct lictor_place *a = &diags->diag[i].place;
		size_t at = i;

		for (; at; at--) {
			const struct lictor_place *b = &sorted[at - 1]->place;

			if (b->file != a->file ? b->file < a->file :
			    b->line != a->line ? b->line < a->line : b->column <= a->column)
				break;
			sorted[at] = sorted[at - 1];
		}
		sorted[at] = &diags->diag[i];
	}
}

static const char *kind_word(const struct lictor_diag *diag)
{
	return diag->kind == LICTOR_DIAG_ERROR ? "error" : "warning";
}

static const struct lictor_source *source_of(const struct lictor_diags *diags,
					     const struct lictor_diag *diag)
{
	static const struct lictor_source none;

	return diag->place.file < diags->sources ? &diags->source[diag->place.file] : &none;
}

static void show_diag(const struct lictor_diags *diags, const struct lictor_diag *diag,
		      struct cursor *cursor, FILE *out)
{
	const struct lictor_source *source = source_of(diags, diag);

	if (source->name)
		show_text(source->name, out);
	if (diag->place.line)
		fprintf(out, ":%u:%u", diag->place.line, diag->place.column);
	fprintf(out, "%s%s: ", source->name ? ": " : "", kind_word(diag));
	show_text(diag->text ? diag->text : "(no memory for the text)", out);
	fputc('\n', out);
	show_source(source, cursor, diag->place, out);
	if (!diag->hint)
		return;
	fputs("      hint: ", out);
	show_text(diag->hint, out);
	fputc('\n', out);
}

static void show_rest(size_t all, const char *word, FILE *out)
{
	if (all > LICTOR_DIAGS_SHOWN)
		fprintf(out, "… and %zu more %s%s\n", all - LICTOR_DIAGS_SHOWN, word,
			all - LICTOR_DIAGS_SHOWN == 1 ? "" : "s");
}

void lictor_diags_print(const struct lictor_diags *diags, FILE *out)
{
	const struct lictor_diag *sorted[2 * LICTOR_DIAGS_SHOWN];
	struct cursor cursor = { 0 };

	sort(diags, sorted);
	for (size_t i = 0; i < diags->count; i++)
		show_diag(diags, sorted[i], &cursor, out);
	show_rest(diags->errors, "error", out);
	show_rest(diags->warnings, "warning", out);
}

static void json_text(const char *text, FILE *out)
{
	size_t length = text ? strlen(text) : 0, size;

	fputc('"', out);
	for (size_t at = 0; at < length; at += size) {
		uint32_t code;

		size = utf8_next(text + at, length - at, &code);
		if (!size)
			fprintf(out, "\\\\x%02x", (unsigned char)text[at]);
		else if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (char)code);
		else if (code <= 0xffff && utf8_is_control(code))
			fprintf(out, "\\u%04x", code);
		else
			fprintf(out, "%.*s", (int)size, text + at);
		size += !size;
	}
	fputc('"', out);
}

void lictor_diags_print_json(const struct lictor_diags *diags, FILE *out)
{
	const struct lictor_diag *sorted[2 * LICTOR_DIAGS_SHOWN];

	sort(diags, sorted);
	fputc('[', out);
	for (size_t i = 0; i < diags->count; i++) {
		const struct lictor_diag *diag = sorted[i];

		fputs(i ? ",\n {\"file\": " : "\n {\"file\": ", out);
		json_text(source_of(diags, diag)->name, out);
		fprintf(out, ", \"line\": %u, \"column\": %u, \"width\": %u, \"kind\": \"%s\"",
			diag->place.line, diag->place.column, diag->place.width, kind_word(diag));
		fputs(", \"text\": ", out);
		json_text(diag->text, out);
		if (diag->hint) {
			fputs(", \"hint\": ", out);
			json_text(diag->hint, out);
		}
		fputc('}', out);
	}
	fputs(diags->count ? "\n]\n" : "]\n", out);
}
