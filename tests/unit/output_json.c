/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the JSON record: one golden record per event and notice (tests/golden/json; run with
 * LICTOR_GOLDEN=write to write them anew), strict JSON whatever the content, and the log's header.
 */
#include <sys/stat.h>

#include "tests/unit/output_sample.h"

#include "output/ecs.h"
#include "output/words.h"

#define GOLDEN "tests/golden/json/"

static const struct lictor_counter counters[] = { { "events", 12 }, { "lost", 0 } };

static void compare(const char *name, const struct lictor_line *line)
{
	char path[256], text[8192] = "";
	FILE *file;

	assert_true(json_is_valid(line->byte, line->length));
	snprintf(path, sizeof(path), GOLDEN "%s.json", name);
	if (getenv("LICTOR_GOLDEN")) {
		file = fopen(path, "we");
		assert_non_null(file);
		fprintf(file, "%s\n", line->byte);
	} else {
		file = fopen(path, "re");
		if (!file)
			fail_msg("%s: no such file", path);
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		text[strcspn(text, "\n")] = '\0';
		assert_string_equal(line->byte, text);
	}
	fclose(file);
}

static void check_alert(const char *name, const struct lictor_alert *alert)
{
	struct lictor_line line = {};

	lictor_format_json(alert, &sample_host, &line);
	assert_false(line.failed);
	compare(name, &line);
	lictor_line_done(&line);
}

/* Each event with a verdict of its own, so that all are there. */
static void test_events(void **state)
{
	(void)state;
	for (unsigned event = 0; event < LICTOR_EVENTS; event++) {
		enum lictor_verdict verdict = event == LICTOR_EVENT_EXEC ? LICTOR_VERDICT_BLOCKED
					      : event == LICTOR_EVENT_CONNECT
						      ? LICTOR_VERDICT_KILLED
						      : event % LICTOR_VERDICTS;
		struct lictor_alert alert;

		if (event == LICTOR_EVENT_EXIT || event == LICTOR_EVENT_OPEN_FAILED ||
		    event == LICTOR_EVENT_HOSTNAME)
			verdict = LICTOR_VERDICT_ALLOWED;
		alert = sample_alert(event, verdict);
		check_alert(lictor_word_event(event), &alert);
	}
}

static void test_notices(void **state)
{
	(void)state;
	for (unsigned notice = 1; notice < LICTOR_NOTICES; notice++) {
		struct lictor_alert alert = {
			.notice = notice,
			.sequence = 7,
			.time = { .tv_sec = 1787400000 },
			.detail = notice == LICTOR_NOTICE_RULES_REJECTED
					  ? "50-site.yaml:14:7: unknown field \"file.pth\"" : NULL,
			.counters = notice == LICTOR_NOTICE_HEARTBEAT ? 2 : 0,
			.counter = counters,
		};

		check_alert(lictor_word_notice(notice), &alert);
	}
}

/* What could not be had, or only in part, is said. */
static void test_partial(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_WRITE, LICTOR_VERDICT_BLOCKED);

	(void)state;
	alert.text[LICTOR_FIELD_FILE_PATH] = sample_text("tail/of/a/long/path.d/.x\xff\n");
	alert.text[LICTOR_FIELD_FILE_PATH].cut = true;
	alert.host_path = sample_text("/var/lib/machines/a/b");
	alert.text[LICTOR_FIELD_PROCESS_EXECUTABLE].byte = NULL;
	alert.values.state[LICTOR_FIELD_PROCESS_EXECUTABLE] = LICTOR_UNKNOWN;
	alert.subject_flags = LICTOR_SUBJECT_INFERRED;
	alert.reasons = 1u << LICTOR_REASON_NO_SUBJECT | 1u << LICTOR_REASON_PATH_TOO_LONG |
			1u << 31;
	alert.suppressed = 99;
	alert.user_name = NULL;
	alert.error = 4000;
	alert.signal = 40;
	alert.rules = 0;
	check_alert("partial", &alert);
}

static void test_unix_socket(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_CONNECT, LICTOR_VERDICT_ALLOWED);

	(void)state;
	alert.values.state[LICTOR_FIELD_DESTINATION_IP] = LICTOR_ABSENT;
	alert.values.state[LICTOR_FIELD_DESTINATION_PORT] = LICTOR_ABSENT;
	alert.values.state[LICTOR_FIELD_NETWORK_TYPE] = LICTOR_ABSENT;
	sample_number(&alert, LICTOR_FIELD_NETWORK_TRANSPORT, 5);
	alert.text[LICTOR_FIELD_DESTINATION_PATH] = sample_text("@abstract");
	check_alert("connect-unix", &alert);
}

/* How it came about is said only where there is something to say. */
static void test_flags(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_WRITE, LICTOR_VERDICT_BLOCKED);
	struct lictor_line line = {};

	(void)state;
	lictor_format_json(&alert, &sample_host, &line);
	assert_null(strstr(line.byte, "preexisting"));
	assert_null(strstr(line.byte, "received"));
	assert_null(strstr(line.byte, "held"));
	assert_null(strstr(line.byte, "uncertain"));
	lictor_line_done(&line);
	alert.flags = LICTOR_RECORD_PREEXISTING | LICTOR_RECORD_RECEIVED | LICTOR_RECORD_HELD;
	alert.via = "scan";
	alert.file_hash_uncertain = alert.process_hash_uncertain = true;
	check_alert("flags", &alert);
}

/* A mount that is moved has a source with two names; a module, an operation that ends it. */
static void test_views(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_MOUNT, LICTOR_VERDICT_WOULD_BLOCK);

	(void)state;
	sample_number(&alert, LICTOR_FIELD_MOUNT_OPERATION, 3);
	alert.text[LICTOR_FIELD_MOUNT_SOURCE] = sample_text("/inner");
	alert.host_source = sample_text("/srv/containers/a/inner");
	alert.host_source.cut = true;
	check_alert("mount-move", &alert);
	alert = sample_alert(LICTOR_EVENT_MODULE, LICTOR_VERDICT_ALLOWED);
	sample_number(&alert, LICTOR_FIELD_MODULE_OPERATION, 1);
	alert.text[LICTOR_FIELD_MODULE_PATH].byte = NULL;
	alert.text[LICTOR_FIELD_MODULE_NAME].byte = NULL;
	alert.values.state[LICTOR_FIELD_MODULE_NAME] = LICTOR_UNKNOWN;
	check_alert("module-unload", &alert);
}

/* What ECS 9.4 lets stand in event.type beside each event.category. */
static const struct {
	const char *category;
	const char *types;
} ecs_types[] = {
	{ "configuration", " access change creation deletion info " },
	{ "driver", " change end info start " },
	{ "file", " access change creation deletion info " },
	{ "host", " access change end info start " },
	{ "intrusion_detection", " allowed denied info " },
	{ "network", " access allowed connection denied end info protocol start " },
	{ "process", " access change end info start " },
};

static bool ecs_allows(const char *category, const char *type)
{
	char word[32];

	snprintf(word, sizeof(word), " %s ", type);
	for (size_t i = 0; i < sizeof(ecs_types) / sizeof(ecs_types[0]); i++)
		if (!strcmp(ecs_types[i].category, category))
			return strstr(ecs_types[i].types, word);
	return false;
}

static void test_ecs(void **state)
{
	(void)state;
	for (unsigned event = 0; event < LICTOR_EVENTS; event++) {
		const struct lictor_ecs_event *ecs = &lictor_ecs_event[event];

		assert_non_null(ecs->category);
		assert_true(ecs_allows(ecs->category, ecs->type[0]));
		assert_true(!ecs->type[1] || ecs_allows(ecs->category, ecs->type[1]));
	}
	for (unsigned notice = 1; notice < LICTOR_NOTICES; notice++)
		assert_true(ecs_allows(lictor_ecs_notice[notice].category,
				       lictor_ecs_notice[notice].type));
	for (unsigned verdict = 0; verdict < LICTOR_VERDICTS; verdict++)
		assert_true(ecs_allows("intrusion_detection", lictor_ecs_verdict[verdict].type));
}

/* ---- whatever the content ---- */

static void scramble(uint64_t *seed, struct lictor_alert *alert, char *room, size_t size)
{
	random_bytes(seed, room, size);
	for (unsigned field = 1; field < LICTOR_FIELDS; field++) {
		size_t at = random_next(seed) % size;
		uint64_t dice = random_next(seed);

		alert->text[field] = (struct lictor_bytes){};
		alert->values.state[field] = dice % 3;
		alert->values.num[field] = random_next(seed) >> (dice >> 48) % 64;
		if (!(dice & 1 << 8))
			continue;
		alert->text[field].byte = room + at;
		alert->text[field].length = random_next(seed) % (size - at + 1);
		alert->text[field].cut = dice & 1 << 9;
	}
	alert->host_path = (struct lictor_bytes){ .byte = room, .length = size / 2, .cut = true };
	alert->host_source = alert->host_path;
	alert->args = alert->text[LICTOR_FIELD_PROCESS_NAME];
	alert->ancestors = random_next(seed) % (LICTOR_ANCESTORS + 1);
	for (size_t i = 0; i < alert->ancestors; i++)
		alert->ancestor[i] = (struct lictor_alert_ancestor){
			.pid = (uint32_t)random_next(seed),
			.user = (uint32_t)random_next(seed),
			.start_ns = random_next(seed),
			.inferred = i & 1,
			.executable = alert->text[1 + i],
		};
	alert->flags = (uint32_t)random_next(seed);
	random_bytes(seed, (char *)alert->values.address, sizeof(alert->values.address));
	alert->event = random_next(seed) % LICTOR_EVENTS;
	alert->verdict = random_next(seed) % LICTOR_VERDICTS;
	alert->error = (int)random_next(seed);
	alert->signal = (int)random_next(seed);
	alert->severity = (int)random_next(seed);
	alert->reasons = (uint32_t)random_next(seed);
	alert->subject_flags = (uint32_t)random_next(seed);
	alert->boot_offset = (int64_t)random_next(seed);
	alert->start_ns = random_next(seed);
	alert->parent_start_ns = random_next(seed);
	alert->time.tv_sec = (time_t)(random_next(seed) >> random_next(seed) % 64);
	alert->rules = random_next(seed) % 3;
}

static void test_hostile(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;
	struct lictor_line line = {};
	char room[300], name[40];
	struct lictor_rule_label label = { .name = name, .ruleset = name, .description = name,
					   .message = name };
	const struct lictor_rule_label *rule[] = { &label, &sample_rules[0] };
	struct lictor_host host = sample_host;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct lictor_alert alert = sample_alert(0, 0);

		scramble(&seed, &alert, room, sizeof(room));
		random_bytes(&seed, name, sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		random_bytes(&seed, host.name, sizeof(host.name) - 1);
		alert.rule = rule;
		alert.user_name = alert.group_name = name;
		alert.target_user_name = alert.user_target_name = alert.group_target_name = name;
		alert.notice = i % 10 ? LICTOR_NOTICE_NONE : random_next(&seed) % LICTOR_NOTICES;
		alert.detail = name;
		lictor_line_reset(&line);
		lictor_format_json(&alert, &host, &line);
		assert_false(line.failed);
		if (!json_is_valid(line.byte, line.length))
			fail_msg("round %d: not JSON: %s", i, line.byte);
		assert_null(memchr(line.byte, '\n', line.length));
	}
	lictor_line_done(&line);
}

/* The largest record there can be: two views of two paths of PATH_MAX bytes, each to be escaped. */
static void test_largest(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_RENAME, LICTOR_VERDICT_BLOCKED);
	struct lictor_line line = {};
	char path[4095];

	(void)state;
	memset(path, 0xff, sizeof(path));
	path[0] = '/';
	alert.text[LICTOR_FIELD_FILE_PATH] = (struct lictor_bytes){ path, sizeof(path), false };
	alert.text[LICTOR_FIELD_FILE_TARGET_PATH] = alert.text[LICTOR_FIELD_FILE_PATH];
	alert.host_path = alert.host_target_path = alert.text[LICTOR_FIELD_FILE_PATH];
	lictor_format_json(&alert, &sample_host, &line);
	assert_true(json_is_valid(line.byte, line.length));
	assert_in_range(line.length, 4 * 4095 * 5, 200000);
	lictor_line_done(&line);
}

static void test_no_injection(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXEC, LICTOR_VERDICT_BLOCKED);
	struct lictor_line line = {};

	(void)state;
	alert.text[LICTOR_FIELD_FILE_PATH] = sample_text("/tmp/\",\"verdict\":\"allow\",\"x\":\"");
	lictor_format_json(&alert, &sample_host, &line);
	assert_non_null(strstr(line.byte, "\"path\":\"/tmp/\\\",\\\"verdict\\\":\\\"allow"));
	assert_non_null(strstr(line.byte, "\"verdict\":\"blocked\""));
	assert_null(strstr(line.byte, "\"verdict\":\"allow\""));
	lictor_line_done(&line);
}

static void test_header(void **state)
{
	struct lictor_host host = sample_host;
	struct lictor_log_header header = { .uuid = "11111111-2222-4333-8444-555555555555",
					    .rules_digest = "00ff", .first_sequence = 18231 };
	struct timespec time = { .tv_sec = 1787400000, .tv_nsec = 5 };
	struct lictor_line line = {};

	(void)state;
	lictor_format_header(&header, &host, time, &line);
	assert_in_range(line.length, 1025, 1300);
	compare("lictor.header", &line);
	lictor_line_reset(&line);
	memset(host.name, 0xff, sizeof(host.name) - 1);
	header.previous_uuid = header.uuid;
	lictor_format_header(&header, &host, time, &line);
	assert_true(json_is_valid(line.byte, line.length));
	/* the tailer's fingerprint has the uuid in it */
	assert_non_null(memmem(line.byte, 1024, header.uuid, strlen(header.uuid)));
	assert_true(line.length < 8192);
	lictor_line_done(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),	cmocka_unit_test(test_notices),
		cmocka_unit_test(test_partial), cmocka_unit_test(test_unix_socket),
		cmocka_unit_test(test_flags),	cmocka_unit_test(test_views),
		cmocka_unit_test(test_ecs),
		cmocka_unit_test(test_hostile), cmocka_unit_test(test_largest),
		cmocka_unit_test(test_header),	cmocka_unit_test(test_no_injection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
