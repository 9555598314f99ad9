/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics, collected: complaints with their places come in from every stage; the first few
 * errors and warnings are kept, all are counted. The sources are kept too, to quote from. Touches
 * nothing but the heap.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rules/tree.h"

struct lictor_diags *lictor_diags_new(void)
{
	struct lictor_diags *diags = calloc(1, sizeof(*diags));

	if (!diags)
		return NULL;
	diags->diag = calloc(2 * LICTOR_DIAGS_SHOWN, sizeof(*diags->diag));
	if (diags->diag)
		return diags;
	free(diags);
	return NULL;
}

void lictor_diags_free(struct lictor_diags *diags)
{
	if (!diags)
		return;
	for (size_t i = 0; i < diags->count; i++) {
		free(diags->diag[i].text);
		free(diags->diag[i].hint);
	}
	for (size_t i = 0; i < diags->sources; i++) {
		free(diags->source[i].name);
		free(diags->source[i].text);
	}
	free(diags->diag);
	free(diags->source);
	free(diags);
}

int diags_add_source(struct lictor_diags *diags, const char *name, char *text, size_t length,
		     uint32_t *ret_file)
{
	struct lictor_source *grown = diags->source;
	size_t sources = diags->sources;
	char *copy;

	if (!(sources & (sources - 1))) /* full at every power of two */
		grown = realloc(grown, (sources ? 2 * sources : 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	diags->source = grown;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	grown[sources] = (struct lictor_source){ .name = copy, .text = text, .length = length };
	diags->sources++;
	*ret_file = (uint32_t)sources;
	return 0;
}

bool diags_show_next(const struct lictor_diags *diags)
{
	return diags->errors < LICTOR_DIAGS_SHOWN;
}

static void keep(struct lictor_diags *diags, enum lictor_diag_kind kind, struct lictor_place place,
		 const char *hint, const char *format, va_list arguments)
	__attribute__((format(printf, 5, 0)));

/* A text that there is no memory for is left out; its place is still shown, and it counts. */
static void keep(struct lictor_diags *diags, enum lictor_diag_kind kind, struct lictor_place place,
		 const char *hint, const char *format, va_list arguments)
{
	struct lictor_diag *diag = &diags->diag[diags->count++];

	*diag = (struct lictor_diag){ .kind = kind, .place = place };
	if (hint)
		diag->hint = strdup(hint);
	if (vasprintf(&diag->text, format, arguments) < 0)
		diag->text = NULL;
}

void lictor_diag_error(struct lictor_diags *diags, struct lictor_place place, const char *hint,
		       const char *format, ...)
{
	va_list arguments;

	if (diags->errors++ >= LICTOR_DIAGS_SHOWN)
		return;
	va_start(arguments, format);
	keep(diags, LICTOR_DIAG_ERROR, place, hint, format, arguments);
	va_end(arguments);
}

void lictor_diag_warning(struct lictor_diags *diags, struct lictor_place place, const char *hint,
			 const char *format, ...)
{
	va_list arguments;

	if (diags->warnings++ >= LICTOR_DIAGS_SHOWN)
		return;
	va_start(arguments, format);
	keep(diags, LICTOR_DIAG_WARNING, place, hint, format, arguments);
	va_end(arguments);
}
