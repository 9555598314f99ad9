/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the sentences for people: output/message.c, short.c and value.c. */
#include "tests/unit/output_sample.h"

#include "output/words.h"

static void expect_message(const struct lictor_alert *alert, const char *expected)
{
	struct lictor_line line = {};

	lictor_format_message(alert, &line);
	lictor_line_text(&line, "");
	assert_string_equal(line.byte, expected);
	lictor_line_done(&line);
}

static void expect_short(const struct lictor_alert *alert, const char *expected)
{
	struct lictor_line line = {};

	lictor_format_short(alert, &line);
	assert_string_equal(line.byte, expected);
	lictor_line_done(&line);
}

static void expect_filled(const struct lictor_alert *alert, const char *pattern,
			  const char *expected)
{
	struct lictor_rule_label label = { .name = "a-rule", .message = pattern };
	const struct lictor_rule_label *rule = &label;
	struct lictor_alert own = *alert;

	own.rules = 1;
	own.rule = &rule;
	expect_message(&own, expected);
}

static void test_short(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXEC, LICTOR_VERDICT_BLOCKED);

	(void)state;
	expect_short(&alert, "blocked exec /tmp/x.sh by /usr/bin/dash (pid 4242, user www-data)"
			     " rule no-exec-from-tmp +1");
	alert.matched = 1;
	alert.suppressed = 31;
	alert.text[LICTOR_FIELD_FILE_PATH] = sample_text("/tmp/\n\x1b[31mx");
	expect_short(&alert, "blocked exec /tmp/\\x0a\\x1b[31mx by /usr/bin/dash (pid 4242, user"
			     " www-data) rule no-exec-from-tmp (31 more not reported)");
	alert = sample_alert(LICTOR_EVENT_RENAME, LICTOR_VERDICT_WOULD_KILL);
	alert.matched = 1;
	expect_short(&alert, "would_kill rename /tmp/x.sh -> /tmp/y.sh by /usr/bin/dash (pid 4242,"
			     " user www-data) rule no-exec-from-tmp");
	alert = sample_alert(LICTOR_EVENT_CONNECT, LICTOR_VERDICT_KILLED);
	alert.matched = 1;
	alert.rules = 0;
	expect_short(&alert, "killed connect 203.0.113.9:4444/tcp by /usr/bin/dash (pid 4242, user"
			     " www-data) rule ?");
	alert = sample_alert(LICTOR_EVENT_BIND, LICTOR_VERDICT_ALLOWED);
	alert.matched = 1;
	expect_short(&alert, "allowed bind 2001:db8::7 port 8080/tcp by /usr/bin/dash (pid 4242,"
			     " user www-data) rule no-exec-from-tmp");
}

static void test_notice(void **state)
{
	static const struct lictor_counter counter[] = { { "events", 12 }, { "lost", 3 } };
	struct lictor_alert alert = { .notice = LICTOR_NOTICE_HEARTBEAT, .counters = 2,
				      .counter = counter };

	(void)state;
	expect_short(&alert, "lictor.heartbeat Lictor is running (events=12 lost=3)");
	alert = (struct lictor_alert){ .notice = LICTOR_NOTICE_STOP, .detail = "SIGTERM\n" };
	expect_short(&alert, "lictor.stop Lictor is stopping: SIGTERM\\x0a");
}

static void test_defaults(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_WRITE, LICTOR_VERDICT_WOULD_BLOCK);

	(void)state;
	expect_message(&alert, "Would have blocked writing to /tmp/x.sh by /usr/bin/dash (pid 4242,"
			       " user www-data): rule no-exec-from-tmp");
	/* an event without a phrase of its own; a thread of the kernel, of a user without a name */
	alert = sample_alert(LICTOR_EVENT_KEXEC, LICTOR_VERDICT_ALLOWED);
	alert.text[LICTOR_FIELD_PROCESS_EXECUTABLE].byte = NULL;
	alert.text[LICTOR_FIELD_PROCESS_NAME] = sample_text("kworker/0:1");
	alert.user_name = NULL;
	expect_message(&alert, "Seen: kexec by kworker/0:1 (pid 4242, user 33): rule"
			       " no-exec-from-tmp");
}

static void test_placeholders(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_WRITE, LICTOR_VERDICT_BLOCKED);

	(void)state;
	expect_filled(&alert, "", "");
	expect_filled(&alert, "plain", "plain");
	expect_filled(&alert, "{file.path}{process.pid}", "/tmp/x.sh4242");
	expect_filled(&alert, "{file.mode} {file.type} {file.foreign} {file.flags} {file.owner}",
		      "0755 regular true append,truncate www-data");
	expect_filled(&alert, "{verdict} {event} {rule.name}", "blocked write a-rule");
	expect_filled(&alert, "{{file.path}}", "{file.path}");
	expect_filled(&alert, "{{{file.path}}}", "{/tmp/x.sh}");
	expect_filled(&alert, "{no.such} {file.path", "{no.such} {file.path");
	expect_filled(&alert, "} { {} {", "} { {} {");
	expect_filled(&alert, "{destination.ip} {process.ancestor.name}", "- -");
	expect_filled(&alert, "%s%n\n\\", "%s%n\\x0a\\\\");
	expect_filled(&alert, "{file.pat} {file.pathx} {{", "{file.pat} {file.pathx} {");
	alert.values.state[LICTOR_FIELD_FILE_TARGET_PATH] = LICTOR_UNKNOWN;
	expect_filled(&alert, "{file.target_path}", "?");
	/* what a value says is not a pattern itself */
	alert.text[LICTOR_FIELD_FILE_PATH] = sample_text("/{process.pid}{{");
	expect_filled(&alert, "{file.path}", "/{process.pid}{{");
	alert.text[LICTOR_FIELD_FILE_PATH].cut = true;
	expect_filled(&alert, "{file.path}", ".../{process.pid}{{");
}

static void test_severity(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_WRITE, LICTOR_VERDICT_BLOCKED);

	(void)state;
	assert_int_equal(lictor_alert_severity(&alert), 3);
	alert.severity = 0;
	assert_int_equal(lictor_alert_severity(&alert), 4);
	alert.notice = LICTOR_NOTICE_LOST;
	assert_int_equal(lictor_alert_severity(&alert), 3);
	assert_string_equal(lictor_word_severity(-7), "critical");
	assert_string_equal(lictor_word_severity(99), "debug");
}

static void test_time(void **state)
{
	struct lictor_line line = {};

	(void)state;
	lictor_line_time(&line, (struct timespec){ .tv_sec = 1787400000, .tv_nsec = 1 });
	assert_string_equal(line.byte, "2026-08-22T12:00:00.000000001Z");
	lictor_line_reset(&line);
	lictor_line_time(&line, (struct timespec){ .tv_sec = INT64_MAX });
	assert_string_equal(line.byte, "1970-01-01T00:00:00.000000000Z");
	lictor_line_done(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short),	     cmocka_unit_test(test_notice),
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_severity),     cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
