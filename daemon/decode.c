/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: from a record of the kernel's to an alert. In: bytes of a ring, which are not trusted: any
 * of them may have any value, and none is read before it is known to be there. Out: an alert that
 * points into the record. May touch: nothing else.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "daemon/decode.h"

#define SECOND_NS 1000000000

static const char *const hooks[LICTOR_HOOKS] = {
#define X(id, way, events) [LICTOR_HOOK_##id] = #id,
	LICTOR_HOOK_TABLE(X)
#undef X
};

static const char *const vias[LICTOR_VIAS] = {
#define X(id, name) [LICTOR_VIA_##id] = name,
	LICTOR_VIA_TABLE(X)
#undef X
};

uint64_t lictor_decode_generation(const void *record, size_t size)
{
	uint64_t generation;

	if (size < sizeof(struct lictor_record))
		return 0;
	memcpy(&generation,
	       (const char *)record + offsetof(struct lictor_record, generation),
	       sizeof(generation));
	return generation;
}

static int check(const struct lictor_record *record, size_t size)
{
	if (record->version != LICTOR_ABI_VERSION || record->size < sizeof(*record) ||
	    record->size > size)
		return -EBADMSG;
	if (record->event >= LICTOR_EVENTS || record->verdict >= LICTOR_VERDICTS ||
	    record->listed > LICTOR_RECORD_RULES)
		return -EBADMSG;
	return 0;
}

static struct timespec real_time(uint64_t boot_ns, int64_t offset)
{
	int64_t ns;

	if (__builtin_add_overflow(offset, boot_ns, &ns) || ns < 0)
		ns = 0;
	return (struct timespec){ .tv_sec = ns / SECOND_NS, .tv_nsec = ns % SECOND_NS };
}

/* Rules are named as far as they are known; without the deciding one, none of the others is. */
static void name_rules(const struct lictor_record *record, const struct lictor_labels *labels,
		       struct lictor_decoded *decoded)
{
	struct lictor_alert *alert = &decoded->alert;

	alert->rule = decoded->rule;
	alert->severity = 4;
	if (!labels || labels->generation != record->generation || !record->listed ||
	    record->rule[0] >= labels->labels)
		return;
	alert->severity = 7;
	for (size_t i = 0; i < record->listed; i++) {
		const struct lictor_rule_label *label;

		if (record->rule[i] >= labels->labels)
			continue;
		label = &labels->label[record->rule[i]];
		decoded->rule[alert->rules++] = label;
		if (label->severity < alert->severity)
			alert->severity = label->severity;
	}
}

/* Number and name of a user or group are one number: whoever has one of the fields has both. */
static void pair(struct lictor_values *values, enum lictor_field a, enum lictor_field b)
{
	enum lictor_field from = values->state[a] == LICTOR_PRESENT ? a : b;
	enum lictor_field to = from == a ? b : a;

	if (values->state[from] != LICTOR_PRESENT || values->state[to] == LICTOR_PRESENT)
		return;
	values->state[to] = LICTOR_PRESENT;
	values->num[to] = values->num[from];
}

static void take_values(const struct lictor_record *record, struct lictor_alert *alert)
{
	alert->values = record->values;
	for (size_t i = 0; i < LICTOR_FIELDS_MAX; i++)
		if (alert->values.state[i] > LICTOR_UNKNOWN)
			alert->values.state[i] = LICTOR_UNKNOWN;
	alert->values.state[LICTOR_FIELD_PROCESS_PID] = LICTOR_PRESENT;
	alert->values.num[LICTOR_FIELD_PROCESS_PID] = record->pid;
	pair(&alert->values, LICTOR_FIELD_USER_NAME, LICTOR_FIELD_USER_ID);
	pair(&alert->values, LICTOR_FIELD_USER_EFFECTIVE_NAME, LICTOR_FIELD_USER_EFFECTIVE_ID);
	pair(&alert->values, LICTOR_FIELD_USER_AUDIT_NAME, LICTOR_FIELD_USER_AUDIT_ID);
	pair(&alert->values, LICTOR_FIELD_GROUP_NAME, LICTOR_FIELD_GROUP_ID);
	pair(&alert->values, LICTOR_FIELD_USER_TARGET_NAME, LICTOR_FIELD_USER_TARGET_ID);
	pair(&alert->values, LICTOR_FIELD_GROUP_TARGET_NAME, LICTOR_FIELD_GROUP_TARGET_ID);
}

/* name: the NUL-padded text that stands at this offset of the record. */
static void take_name(const void *record, size_t offset, struct lictor_bytes *ret_text)
{
	const char *name = (const char *)record + offset;
	size_t length = strnlen(name, sizeof(((struct lictor_record *)NULL)->name));

	if (length)
		*ret_text = (struct lictor_bytes){ .byte = name, .length = length };
}

/* The beginning of a struct lictor_history: a ring of those that are known of. */
static void take_ancestors(const char *byte, size_t length, struct lictor_alert *alert)
{
	struct lictor_history history = { 0 };
	uint32_t count;

	if (length != LICTOR_HISTORY_TOLD)
		return;
	memcpy(&history, byte, length);
	count = history.ancestors < LICTOR_ANCESTORS ? history.ancestors : LICTOR_ANCESTORS;
	alert->ancestors_cut = history.ancestors > count;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = history.ancestors - 1 - i;
		const struct lictor_ancestor *from = &history.ancestor[number % LICTOR_ANCESTORS];

		if (!from->pid)	/* nothing was known of it */
			continue;
		alert->ancestor[alert->ancestors++] = (struct lictor_alert_ancestor){
			.pid = from->pid,
			.user = from->user,
			.start_ns = from->start_ns,
			.program = from->program,
			.inferred = number < history.inferred,
		};
	}
}

/* Joined by blanks, as rules mean them; the last one's NUL is no part of that. */
static void take_args(struct lictor_decoded *decoded)
{
	struct lictor_alert *alert = &decoded->alert;
	struct lictor_bytes *text = &alert->text[LICTOR_FIELD_PROCESS_ARGS];

	alert->args = *text;
	if (text->length > sizeof(decoded->args))
		text->length = sizeof(decoded->args);
	for (size_t i = 0; i < text->length; i++)
		decoded->args[i] = text->byte[i] ? text->byte[i] : ' ';
	if (text->length && !text->cut && !text->byte[text->length - 1])
		text->length--;
	text->byte = text->byte ? decoded->args : NULL;
}

static void take_text(const struct lictor_text *head, const char *byte, struct lictor_alert *alert)
{
	struct lictor_bytes text = { .byte = byte,
				     .length = head->length,
				     .cut = head->flags & LICTOR_TEXT_CUT };

	if (head->field == LICTOR_FIELD_NONE || head->field >= LICTOR_FIELDS)
		return;
	if (head->field == LICTOR_FIELD_ANCESTOR_EXECUTABLE)
		take_ancestors(byte, head->length, alert);
	else if (head->view == 0)
		alert->text[head->field] = text;
	else if (head->view == 1 && (head->field == LICTOR_FIELD_FILE_PATH ||
				     head->field == LICTOR_FIELD_MODULE_PATH))
		alert->host_path = text;
	else if (head->view == 1 && head->field == LICTOR_FIELD_FILE_TARGET_PATH)
		alert->host_target_path = text;
	else if (head->view == 1 && head->field == LICTOR_FIELD_MOUNT_SOURCE)
		alert->host_source = text;
}

/* A mount point is the object of the event, and has a second field for it. */
static void take_mount_point(struct lictor_alert *alert)
{
	const struct lictor_bytes *path = &alert->text[LICTOR_FIELD_FILE_PATH];

	if ((alert->event == LICTOR_EVENT_MOUNT || alert->event == LICTOR_EVENT_UMOUNT) &&
	    !alert->text[LICTOR_FIELD_MOUNT_TARGET].byte)
		alert->text[LICTOR_FIELD_MOUNT_TARGET] = *path;
}

static int take_texts(const void *bytes, const struct lictor_record *record,
		      struct lictor_alert *alert)
{
	size_t at = sizeof(*record);

	for (uint32_t i = 0; i < record->texts; i++) {
		struct lictor_text head;
		size_t padded;

		if (record->size - at < sizeof(head))
			return -EBADMSG;
		memcpy(&head, (const char *)bytes + at, sizeof(head));
		at += sizeof(head);
		if (record->size - at < head.length)
			return -EBADMSG;
		take_text(&head, (const char *)bytes + at, alert);
		padded = (head.length + (size_t)7) & ~(size_t)7;
		at += padded < record->size - at ? padded : record->size - at;
	}
	if (record->subject_flags & LICTOR_SUBJECT_CUT)
		alert->text[LICTOR_FIELD_PROCESS_EXECUTABLE].cut = true;
	if (record->subject_flags & LICTOR_SUBJECT_PARENT_CUT)
		alert->text[LICTOR_FIELD_PARENT_EXECUTABLE].cut = true;
	take_mount_point(alert);
	return 0;
}

static int errno_of(int32_t error)
{
	if (error < -4095 || error > 4095)
		return 0;
	return error < 0 ? -error : error;
}

static void take_facts(const struct lictor_record *record, int64_t boot_offset,
		       struct lictor_alert *alert)
{
	alert->time = real_time(record->time_ns, boot_offset);
	alert->event = record->event;
	alert->verdict = record->verdict;
	alert->hook = record->hook < LICTOR_HOOKS ? hooks[record->hook] : NULL;
	alert->via = record->via < LICTOR_VIAS ? vias[record->via] : NULL;
	alert->monitor = record->monitor;
	alert->error = errno_of(record->error);
	alert->signal = record->signal;
	alert->generation = record->generation;
	alert->suppressed = record->suppressed;
	alert->reasons = record->reasons;
	alert->flags = record->flags;
	alert->matched = record->matched;
	alert->pid = record->pid;
	alert->tid = record->tid;
	alert->parent_pid = record->parent_pid;
	alert->boot_offset = boot_offset;
	alert->start_ns = record->start_ns;
	alert->parent_start_ns = record->parent_start_ns;
	alert->subject_flags = record->subject_flags;
	alert->file = record->file;
	alert->image = record->image;
	alert->file_gid = record->file_gid;
}

int lictor_decode(const void *record, size_t size, const struct lictor_labels *labels,
		  int64_t boot_offset, struct lictor_decoded *ret_decoded)
{
	struct lictor_alert *alert = &ret_decoded->alert;
	struct lictor_record head;
	int r;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, record, sizeof(head));
	r = check(&head, size);
	if (r)
		return r;
	*ret_decoded = (struct lictor_decoded){};
	take_facts(&head, boot_offset, alert);
	take_values(&head, alert);
	name_rules(&head, labels, ret_decoded);
	take_name(record, offsetof(struct lictor_record, name),
		  &alert->text[LICTOR_FIELD_PROCESS_NAME]);
	take_name(record, offsetof(struct lictor_record, parent_name),
		  &alert->text[LICTOR_FIELD_PARENT_NAME]);
	r = take_texts(record, &head, alert);
	take_args(ret_decoded);
	return r;
}
