/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the members of the JSON record that say what sort of thing was told, in ECS's words
 * (ecs.c), how grave it is, and the message. Touches nothing.
 */
#include <string.h>

#include "output/ecs.h"
#include "output/json.h"
#include "output/words.h"

#define WRITER(id) \
	static void write_##id(struct lictor_object *object, const struct lictor_member *member, \
			       const struct lictor_told *told)

static bool decision(const struct lictor_told *told)
{
	return told->alert->notice == LICTOR_NOTICE_NONE;
}

/* The event's first type, but that a module ends where it is removed. */
static const char *type_of(const struct lictor_alert *alert)
{
	const char *operation = lictor_word_value(LICTOR_FIELD_MODULE_OPERATION,
		lictor_alert_number(alert, LICTOR_FIELD_MODULE_OPERATION));

	if (alert->event == LICTOR_EVENT_MODULE &&
	    lictor_alert_has(alert, LICTOR_FIELD_MODULE_OPERATION) && operation &&
	    !strcmp(operation, "unload"))
		return "end";
	return lictor_ecs_event[alert->event].type[0];
}

/* What was let pass by Lictor may have been refused all the same. */
static const struct lictor_ecs_verdict *ecs_verdict(const struct lictor_alert *alert)
{
	static const struct lictor_ecs_verdict refused = { "denied", "failure", false };
	const struct lictor_ecs_verdict *verdict = &lictor_ecs_verdict[alert->verdict];

	return alert->error && !verdict->ends ? &refused : verdict;
}

WRITER(action)
{
	lictor_object_text(object, member->name,
			   decision(told) ? lictor_word_event(told->alert->event)
					  : lictor_word_notice(told->alert->notice));
}

WRITER(kind)
{
	lictor_object_text(object, member->name,
			   decision(told) ? "alert" : lictor_ecs_notice[told->alert->notice].kind);
}

WRITER(category)
{
	const struct lictor_alert *alert = told->alert;
	struct lictor_array array = lictor_array_begin(object, member->name);
	const char *category = decision(told) ? lictor_ecs_event[alert->event].category
					      : lictor_ecs_notice[alert->notice].category;

	lictor_array_add(&array, category);
	if (decision(told)) {
		if (lictor_ecs_verdict[alert->verdict].ends && strcmp(category, "process"))
			lictor_array_add(&array, "process");
		lictor_array_add(&array, "intrusion_detection");
	}
	lictor_array_end(&array);
}

WRITER(type)
{
	const struct lictor_alert *alert = told->alert;
	struct lictor_array array = lictor_array_begin(object, member->name);

	if (decision(told)) {
		const struct lictor_ecs_verdict *verdict = ecs_verdict(alert);

		lictor_array_add(&array, type_of(alert));
		lictor_array_add(&array, lictor_ecs_event[alert->event].type[1]);
		lictor_array_add(&array, verdict->type);
		if (verdict->ends && strcmp(type_of(alert), "end"))
			lictor_array_add(&array, "end");
	} else {
		lictor_array_add(&array, lictor_ecs_notice[alert->notice].type);
	}
	lictor_array_end(&array);
}

WRITER(outcome)
{
	lictor_object_text(object, member->name,
			   decision(told) ? ecs_verdict(told->alert)->outcome
					  : lictor_ecs_notice[told->alert->notice].outcome);
}

WRITER(dataset)
{
	lictor_object_text(object, member->name, decision(told) ? "lictor.alert" : "lictor.notice");
}

WRITER(provider)
{
	lictor_object_text(object, member->name, decision(told) ? "kernel" : "lictord");
}

WRITER(module)
{
	(void)told;
	lictor_object_text(object, member->name, "lictor");
}

/* Unique over hosts, boots and restarts; the same whoever formats the alert. */
WRITER(id)
{
	const struct timespec *time = &told->alert->time;

	lictor_object_printf(object, member->name, "%.8s-%llx%08lx-%llx", told->host->boot_id,
			     (unsigned long long)time->tv_sec, time->tv_nsec,
			     (unsigned long long)told->alert->sequence);
}

WRITER(sequence)
{
	lictor_object_number(object, member->name, told->alert->sequence);
}

WRITER(severity)
{
	lictor_object_number(object, member->name,
			     lictor_ecs_severity[lictor_alert_severity(told->alert)]);
}

WRITER(time)
{
	lictor_object_time(object, member->name, told->alert->time);
}

WRITER(level)
{
	lictor_object_text(object, member->name,
			   lictor_word_severity(lictor_alert_severity(told->alert)));
}

WRITER(priority)
{
	lictor_object_number(object, member->name, (uint64_t)lictor_alert_severity(told->alert));
}

WRITER(direction)
{
	if (decision(told))
		lictor_object_text(object, member->name,
				   lictor_ecs_event[told->alert->event].direction);
}

WRITER(message)
{
	struct lictor_line text = {};

	lictor_format_message(told->alert, &text);
	lictor_line_text(&text, "");
	lictor_object_name(object, member->name);
	lictor_line_quoted(object->line, text.byte, text.failed ? 0 : text.length);
	object->line->failed |= text.failed;
	lictor_line_done(&text);
}

static const struct lictor_member table[] = {
	{ "@timestamp", write_time, 0 },
	{ "event.action", write_action, 0 },
	{ "event.category", write_category, 0 },
	{ "event.created", write_time, 0 },
	{ "event.dataset", write_dataset, 0 },
	{ "event.id", write_id, 0 },
	{ "event.kind", write_kind, 0 },
	{ "event.module", write_module, 0 },
	{ "event.outcome", write_outcome, 0 },
	{ "event.provider", write_provider, 0 },
	{ "event.sequence", write_sequence, 0 },
	{ "event.severity", write_severity, 0 },
	{ "event.type", write_type, 0 },
	{ "log.level", write_level, 0 },
	{ "log.syslog.severity.code", write_priority, 0 },
	{ "message", write_message, 0 },
	{ "network.direction", write_direction, 0 },
};

const struct lictor_members lictor_event_members = { sizeof(table) / sizeof(table[0]), table };
