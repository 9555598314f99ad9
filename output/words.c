/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the vocabulary's numbers come in, its words go out. Everything here is made from
 * rules/vocab.tab and the tables of bpf/abi.h and output/alert.h; touches nothing.
 */
#include "output/words.h"

const struct lictor_field_name lictor_field_names[LICTOR_FIELDS] = {
#define FIELD(id, word, type, space, groups, trust, doc) \
	[LICTOR_FIELD_##id] = { word, LICTOR_SORT_##type },
#include "rules/vocab.tab"
};

static const char *const events[LICTOR_EVENTS] = {
#define EVENT(id, name, groups, deny, doc) [LICTOR_EVENT_##id] = name,
#include "rules/vocab.tab"
};

static const struct {
	unsigned field;
	uint32_t value;
	const char *name;
} values[] = {
#define NAME(field, name, value) { LICTOR_FIELD_##field, value, name },
#include "rules/vocab.tab"
};

#define X(id, name, ...) name,
static const char *const verdicts[LICTOR_VERDICTS] = { LICTOR_VERDICT_TABLE(X) };
static const char *const reasons[LICTOR_REASONS] = { NULL, LICTOR_REASON_TABLE(X) };
static const char *const notices[LICTOR_NOTICES] = { NULL, LICTOR_NOTICE_TABLE(X) };
#undef X

static const char *const severities[] = {
	NULL, NULL, "critical", "high", "warning", "notice", "info", "debug",
};

static const char *word(const char *const *words, size_t count, unsigned number)
{
	return number < count ? words[number] : NULL;
}

const char *lictor_word_event(unsigned event)
{
	return word(events, LICTOR_EVENTS, event);
}

const char *lictor_word_verdict(unsigned verdict)
{
	return word(verdicts, LICTOR_VERDICTS, verdict);
}

const char *lictor_word_reason(unsigned reason)
{
	return word(reasons, LICTOR_REASONS, reason);
}

const char *lictor_word_notice(unsigned notice)
{
	return word(notices, LICTOR_NOTICES, notice);
}

const char *lictor_word_value(unsigned field, uint64_t value)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].field == field && values[i].value == value)
			return values[i].name;
	return NULL;
}

const char *lictor_word_severity(int severity)
{
	return severities[severity < 2 ? 2 : severity > 7 ? 7 : severity];
}
