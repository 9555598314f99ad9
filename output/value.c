/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: an alert and the number of a field come in, the field's value goes out the way a rule
 * would say it, escaped. Touches nothing.
 */
#include <arpa/inet.h>
#include <string.h>

#include "output/words.h"

/* Of notices that leave the severity open; a record must never claim to be an emergency. */
static const int notice_severity[LICTOR_NOTICES] = {
	[LICTOR_NOTICE_START] = 5,	   [LICTOR_NOTICE_STOP] = 5,
	[LICTOR_NOTICE_RULES_LOADED] = 5,  [LICTOR_NOTICE_RULES_REJECTED] = 3,
	[LICTOR_NOTICE_HEARTBEAT] = 6,	   [LICTOR_NOTICE_LOST] = 3,
	[LICTOR_NOTICE_LIMITED] = 5,	   [LICTOR_NOTICE_DEGRADED] = 4,
	[LICTOR_NOTICE_ROTATED] = 6,	   [LICTOR_NOTICE_SILENCED] = 2,
	[LICTOR_NOTICE_RECOVERED] = 5,	   [LICTOR_NOTICE_TAMPERING] = 2,
};

int lictor_alert_severity(const struct lictor_alert *alert)
{
	if (alert->severity >= 2 && alert->severity <= 7)
		return alert->severity;
	if (alert->notice > LICTOR_NOTICE_NONE && alert->notice < LICTOR_NOTICES)
		return notice_severity[alert->notice];
	return 4;
}

bool lictor_field_is_text(unsigned field)
{
	enum lictor_sort sort = lictor_field_names[field].sort;

	return sort == LICTOR_SORT_PATH || sort == LICTOR_SORT_TEXT;
}

bool lictor_alert_has(const struct lictor_alert *alert, unsigned field)
{
	if (lictor_field_is_text(field))
		return alert->text[field].byte;
	if (field == LICTOR_FIELD_PROCESS_PID)
		return alert->pid;
	return alert->values.state[field] == LICTOR_PRESENT;
}

uint64_t lictor_alert_number(const struct lictor_alert *alert, unsigned field)
{
	return field == LICTOR_FIELD_PROCESS_PID ? alert->pid : alert->values.num[field];
}

const char *lictor_alert_name(const struct lictor_alert *alert, unsigned field)
{
	const char *const name[LICTOR_FIELDS] = {
		[LICTOR_FIELD_USER_NAME] = alert->user_name,
		[LICTOR_FIELD_USER_EFFECTIVE_NAME] = alert->user_effective_name,
		[LICTOR_FIELD_USER_AUDIT_NAME] = alert->user_audit_name,
		[LICTOR_FIELD_USER_TARGET_NAME] = alert->user_target_name,
		[LICTOR_FIELD_TARGET_USER] = alert->target_user_name,
		[LICTOR_FIELD_GROUP_NAME] = alert->group_name,
		[LICTOR_FIELD_GROUP_TARGET_NAME] = alert->group_target_name,
		[LICTOR_FIELD_FILE_OWNER] = alert->file_owner_name,
	};

	return name[field];
}

static void put_text(struct lictor_line *line, const struct lictor_bytes *text)
{
	if (text->cut)
		lictor_line_text(line, "...");
	lictor_line_escaped(line, text->byte, text->length);
}

static void put_address(struct lictor_line *line, const unsigned char *address)
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN];
	bool v4 = !memcmp(address, mapped, sizeof(mapped));

	if (inet_ntop(v4 ? AF_INET : AF_INET6, address + (v4 ? 12 : 0), text, sizeof(text)))
		lictor_line_text(line, text);
}

static void put_number(struct lictor_line *line, uint64_t number)
{
	lictor_line_printf(line, "%llu", (unsigned long long)number);
}

static void put_name(struct lictor_line *line, const char *name, uint64_t number)
{
	if (name)
		lictor_line_escaped(line, name, strlen(name));
	else
		put_number(line, number);
}

/* "none" is no name of any set's: an empty one says so. */
static void put_set(struct lictor_line *line, unsigned field, uint64_t bits)
{
	const char *comma = "";

	if (!bits)
		lictor_line_text(line, "none");
	for (uint32_t bit = 0; bit < 64; bit++) {
		if (!(bits >> bit & 1))
			continue;
		lictor_line_text(line, comma);
		put_name(line, lictor_word_value(field, bit), bit);
		comma = ",";
	}
}

static void put_value(struct lictor_line *line, const struct lictor_alert *alert, unsigned field)
{
	uint64_t number = lictor_alert_number(alert, field);

	switch (lictor_field_names[field].sort) {
	case LICTOR_SORT_PATH:
	case LICTOR_SORT_TEXT:
		put_text(line, &alert->text[field]);
		break;
	case LICTOR_SORT_ADDRESS:
		put_address(line, alert->values.address[field == LICTOR_FIELD_SOURCE_IP
								? LICTOR_ADDRESS_SOURCE
								: LICTOR_ADDRESS_DESTINATION]);
		break;
	case LICTOR_SORT_USER:
	case LICTOR_SORT_GROUP:
		put_name(line, lictor_alert_name(alert, field), number);
		break;
	case LICTOR_SORT_FLAG:
		lictor_line_text(line, number ? "true" : "false");
		break;
	case LICTOR_SORT_ENUM:
		put_name(line, lictor_word_value(field, number), number);
		break;
	case LICTOR_SORT_SET:
		put_set(line, field, number);
		break;
	case LICTOR_SORT_MODE:
		lictor_line_printf(line, "%04llo", (unsigned long long)number);
		break;
	case LICTOR_SORT_NUMBER:
	case LICTOR_SORT_PORT:
		put_number(line, number);
		break;
	}
}

void lictor_line_field(struct lictor_line *line, const struct lictor_alert *alert, unsigned field)
{
	if (lictor_alert_has(alert, field))
		put_value(line, alert, field);
	else
		lictor_line_text(line, alert->values.state[field] == LICTOR_UNKNOWN ? "?" : "-");
}

void lictor_line_time(struct lictor_line *line, struct timespec time)
{
	struct tm tm;
	char text[32];

	if (!gmtime_r(&time.tv_sec, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
		lictor_line_text(line, "1970-01-01T00:00:00.000000000Z");
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	lictor_line_printf(line, "%s.%09ldZ", text, time.tv_nsec);
}
