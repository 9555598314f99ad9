/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the members of the JSON record's `lictor` object: what was decided, how, by which
 * rules, and what of it could not be told in full. Touches nothing.
 */
#include <string.h>

#include "output/json.h"
#include "output/words.h"

#define WRITER(id) \
	static void write_##id(struct lictor_object *object, const struct lictor_member *member, \
			       const struct lictor_told *told)

static bool decision(const struct lictor_told *told)
{
	return told->alert->notice == LICTOR_NOTICE_NONE;
}

static void put_null(struct lictor_object *object, const char *name)
{
	lictor_object_name(object, name);
	lictor_line_text(object->line, "null");
}

WRITER(verdict)
{
	if (decision(told))
		lictor_object_text(object, member->name, lictor_word_verdict(told->alert->verdict));
}

WRITER(rules)
{
	struct lictor_array array;

	if (!decision(told) && !told->alert->rules)
		return;
	array = lictor_array_begin(object, member->name);
	for (size_t i = 0; i < told->alert->rules; i++)
		lictor_array_add(&array, told->alert->rule[i]->name);
	lictor_array_end(&array);
}

WRITER(matched)
{
	if (decision(told))
		lictor_object_number(object, member->name, told->alert->matched);
}

WRITER(mode)
{
	if (decision(told))
		lictor_object_text(object, member->name,
				   told->alert->monitor ? "monitor" : "enforce");
}

WRITER(errno)
{
	int error = told->alert->error;
	const char *name = strerrorname_np(error);

	if (!decision(told))
		return;
	if (!error)
		put_null(object, member->name);
	else if (name)
		lictor_object_text(object, member->name, name);
	else
		lictor_object_printf(object, member->name, "%d", error);
}

/* The one that Lictor sent; lictor.signal.name is that of an event signal. */
WRITER(signal)
{
	int signal = told->alert->signal;
	const char *name = sigabbrev_np(signal);

	if (!decision(told))
		return;
	if (!signal)
		put_null(object, member->name);
	else if (name)
		lictor_object_printf(object, member->name, "SIG%s", name);
	else
		lictor_object_printf(object, member->name, "%d", signal);
}

WRITER(hook)
{
	lictor_object_text(object, member->name, told->alert->hook);
}

WRITER(via)
{
	lictor_object_text(object, member->name, told->alert->via);
}

WRITER(generation)
{
	if (decision(told) || told->alert->generation)
		lictor_object_number(object, member->name, told->alert->generation);
}

WRITER(sequence)
{
	lictor_object_number(object, member->name, told->alert->sequence);
}

WRITER(suppressed)
{
	if (decision(told) || told->alert->suppressed)
		lictor_object_number(object, member->name, told->alert->suppressed);
}

WRITER(reasons)
{
	struct lictor_array array;

	if (!decision(told))
		return;
	array = lictor_array_begin(object, member->name);
	for (unsigned reason = 1; reason < LICTOR_REASONS; reason++)
		if (told->alert->reasons >> reason & 1)
			lictor_array_add(&array, lictor_word_reason(reason));
	lictor_array_end(&array);
}

WRITER(truncated)
{
	const struct lictor_alert *alert = told->alert;
	bool cut = alert->ancestors_cut;
	struct lictor_array array;

	if (!decision(told))
		return;
	array = lictor_array_begin(object, member->name);
	for (unsigned field = 1; field < LICTOR_FIELDS; field++)
		if (alert->text[field].byte && alert->text[field].cut)
			lictor_array_add(&array, lictor_field_names[field].name);
	if (alert->host_path.byte && alert->host_path.cut)
		lictor_array_add(&array, "lictor.host_path");
	if (alert->host_target_path.byte && alert->host_target_path.cut)
		lictor_array_add(&array, "lictor.host_target_path");
	if (alert->host_source.byte && alert->host_source.cut)
		lictor_array_add(&array, "lictor.host_source");
	for (size_t i = 0; i < alert->ancestors; i++)
		cut |= alert->ancestor[i].executable.cut;
	if (cut)
		lictor_array_add(&array, "lictor.ancestors");
	lictor_array_end(&array);
}

WRITER(uncertain)
{
	const struct lictor_alert *alert = told->alert;
	struct lictor_array array;

	if (!alert->file_hash_uncertain && !alert->process_hash_uncertain)
		return;
	array = lictor_array_begin(object, member->name);
	if (alert->file_hash_uncertain)
		lictor_array_add(&array, "file.hash.sha256");
	if (alert->process_hash_uncertain)
		lictor_array_add(&array, "process.hash.sha256");
	lictor_array_end(&array);
}

/* The fields that the event has and whose value could not be had; left out where there are none. */
WRITER(unknown)
{
	const struct lictor_alert *alert = told->alert;
	struct lictor_array array = {};

	for (unsigned field = 1; field < LICTOR_FIELDS; field++) {
		if (alert->values.state[field] != LICTOR_UNKNOWN || lictor_alert_has(alert, field))
			continue;
		if (!array.line)
			array = lictor_array_begin(object, member->name);
		lictor_array_add(&array, lictor_field_names[field].name);
	}
	if (array.line)
		lictor_array_end(&array);
}

/* How it came to the event, where that is not by a call of just now. */
static void put_flag(struct lictor_object *object, const char *name,
		     const struct lictor_told *told, uint32_t flag)
{
	if (told->alert->flags & flag)
		lictor_object_flag(object, name, true);
}

WRITER(held)
{
	put_flag(object, member->name, told, LICTOR_RECORD_HELD);
}

WRITER(preexisting)
{
	put_flag(object, member->name, told, LICTOR_RECORD_PREEXISTING);
}

WRITER(received)
{
	put_flag(object, member->name, told, LICTOR_RECORD_RECEIVED);
}

/* What limits the word of `process`: it was there before Lictor, or is the kernel's own. */
WRITER(subject)
{
	uint32_t flags = told->alert->subject_flags;
	struct lictor_array array;

	if (!(flags & (LICTOR_SUBJECT_INFERRED | LICTOR_SUBJECT_KERNEL)))
		return;
	array = lictor_array_begin(object, member->name);
	if (flags & LICTOR_SUBJECT_INFERRED)
		lictor_array_add(&array, "inferred");
	if (flags & LICTOR_SUBJECT_KERNEL)
		lictor_array_add(&array, "kernel");
	lictor_array_end(&array);
}

WRITER(host_path)
{
	lictor_object_bytes(object, member->name, &told->alert->host_path);
}

WRITER(host_target_path)
{
	lictor_object_bytes(object, member->name, &told->alert->host_target_path);
}

WRITER(host_source)
{
	lictor_object_bytes(object, member->name, &told->alert->host_source);
}

WRITER(detail)
{
	lictor_object_text(object, member->name, told->alert->detail);
}

WRITER(counters)
{
	const struct lictor_alert *alert = told->alert;

	if (!alert->counters)
		return;
	lictor_object_name(object, member->name);
	for (size_t i = 0; i < alert->counters; i++) {
		const char *name = alert->counter[i].name;

		lictor_line_text(object->line, i ? "," : "{");
		lictor_line_json(object->line, name, strlen(name));
		lictor_line_printf(object->line, ":%llu",
				   (unsigned long long)alert->counter[i].value);
	}
	lictor_line_text(object->line, "}");
}

static const struct lictor_member table[] = {
	{ "lictor.counters", write_counters, 0 },
	{ "lictor.detail", write_detail, 0 },
	{ "lictor.errno", write_errno, 0 },
	{ "lictor.generation", write_generation, 0 },
	{ "lictor.hook", write_hook, 0 },
	{ "lictor.held", write_held, 0 },
	{ "lictor.host_path", write_host_path, 0 },
	{ "lictor.host_source", write_host_source, 0 },
	{ "lictor.host_target_path", write_host_target_path, 0 },
	{ "lictor.matched", write_matched, 0 },
	{ "lictor.mode", write_mode, 0 },
	{ "lictor.preexisting", write_preexisting, 0 },
	{ "lictor.reasons", write_reasons, 0 },
	{ "lictor.received", write_received, 0 },
	{ "lictor.rules", write_rules, 0 },
	{ "lictor.sent_signal", write_signal, 0 },
	{ "lictor.sequence", write_sequence, 0 },
	{ "lictor.subject", write_subject, 0 },
	{ "lictor.suppressed", write_suppressed, 0 },
	{ "lictor.truncated", write_truncated, 0 },
	{ "lictor.uncertain", write_uncertain, 0 },
	{ "lictor.unknown", write_unknown, 0 },
	{ "lictor.verdict", write_verdict, 0 },
	{ "lictor.via", write_via, 0 },
};

const struct lictor_members lictor_verdict_members = { sizeof(table) / sizeof(table[0]), table };
