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

static const char by[] = " by /usr/bin/dash (pid 4242, user www-data)";

/* The default sentence and the short line of an event, both without who did it. */
static void expect_event(const struct lictor_alert *alert, const char *sentence, const char *object)
{
	char message[512], line[512];

	snprintf(message, sizeof(message), "Blocked %s%s: rule no-exec-from-tmp", sentence, by);
	snprintf(line, sizeof(line), "blocked %s%s%s rule no-exec-from-tmp +1",
		 lictor_word_event(alert->event), object, by);
	expect_message(alert, message);
	expect_short(alert, line);
}

static struct lictor_alert blocked(enum lictor_event event)
{
	return sample_alert(event, LICTOR_VERDICT_BLOCKED);
}

static void test_events(void **state)
{
	static const struct { enum lictor_event event; const char *sentence, *object; } told[] = {
		{ LICTOR_EVENT_ACCEPT,
		  "connection from 203.0.113.9:4444/tcp to 2001:db8::7 port 8080/tcp",
		  " 203.0.113.9:4444/tcp -> 2001:db8::7 port 8080/tcp" },
		{ LICTOR_EVENT_SOCKET, "making of a socket (family ipv4, type raw, protocol 1)",
		  " ipv4 raw 1" },
		{ LICTOR_EVENT_PTRACE, "tracing of /usr/sbin/sshd (pid 811)",
		  " attach /usr/sbin/sshd (pid 811)" },
		{ LICTOR_EVENT_SIGNAL, "sending of SIGKILL to /usr/sbin/sshd (pid 811)",
		  " SIGKILL /usr/sbin/sshd (pid 811)" },
		{ LICTOR_EVENT_SETUID, "becoming user root", " root" },
		{ LICTOR_EVENT_SETGID, "becoming a member of group shadow", " shadow" },
		{ LICTOR_EVENT_CAPSET,
		  "change of capabilities (raised: CAP_CHOWN,CAP_CHECKPOINT_RESTORE,63)",
		  " capset CAP_CHOWN,CAP_CHECKPOINT_RESTORE,63" },
		{ LICTOR_EVENT_NAMESPACE, "making or entering of namespaces mnt,net", " mnt,net" },
		{ LICTOR_EVENT_MOUNT, "mounting of tmpfs none on /mnt", " tmpfs none -> /mnt" },
		{ LICTOR_EVENT_UMOUNT, "unmounting of /mnt", " /mnt" },
		{ LICTOR_EVENT_MODULE,
		  "loading of module nf_tables from /lib/modules/nf_tables.ko",
		  " load nf_tables /lib/modules/nf_tables.ko" },
		{ LICTOR_EVENT_BPF, "bpf(2) prog_load of type lsm", " prog_load lsm" },
		{ LICTOR_EVENT_PERF, "opening of a perf event of type dynamic", " dynamic" },
		{ LICTOR_EVENT_KEXEC, "loading of kernel /tmp/x.sh", " /tmp/x.sh" },
		{ LICTOR_EVENT_SETTIME, "setting of the clock", " set" },
		{ LICTOR_EVENT_HOSTNAME, "change of host name to evil", " evil" },
		{ LICTOR_EVENT_SYSCTL, "writing to kernel parameter kernel.core_pattern",
		  " kernel.core_pattern" },
		{ LICTOR_EVENT_IO_URING, "polling of io_uring by a kernel thread", " sqpoll" },
		{ LICTOR_EVENT_USERFAULTFD, "use of userfaultfd", "" },
		{ LICTOR_EVENT_DUP, "use of a connection with 203.0.113.9:4444/tcp as stdin",
		  " stdin 203.0.113.9:4444/tcp" },
		{ LICTOR_EVENT_OPEN_FAILED, "refused opening of /tmp/x.sh", " /tmp/x.sh" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++) {
		struct lictor_alert alert = blocked(told[i].event);

		expect_event(&alert, told[i].sentence, told[i].object);
	}
}

/* Each event has a phrase of its own, and none that misses what the event has. */
static void test_every_event(void **state)
{
	(void)state;
	for (unsigned event = 0; event < LICTOR_EVENTS; event++) {
		struct lictor_alert alert = blocked(event);
		struct lictor_line line = {};

		assert_string_not_equal(lictor_phrase(&alert).sentence, "{event}");
		lictor_line_fill(&line, &alert, lictor_phrase(&alert).sentence);
		lictor_line_fill(&line, &alert, lictor_phrase(&alert).object);
		assert_null(memchr(line.byte, '{', line.length));
		assert_null(memmem(line.byte, line.length, " - ", 3));
		lictor_line_done(&line);
	}
}

/* By what is done, and by what is known. */
static void test_operations(void **state)
{
	static const char *const mounts[] = {
		[1] = "binding of none to /mnt", [2] = "remounting of /mnt (nosuid,noexec)",
		[3] = "moving of mount none to /mnt",
		[4] = "change of mount propagation of /mnt (nosuid,noexec)",
		[5] = "change of root to none, the old one to /mnt", [6] = "cloning of mounts at /mnt",
		[7] = "change of mount attributes of /mnt", [9] = "mounting on /mnt",
	};
	struct lictor_alert alert = blocked(LICTOR_EVENT_MOUNT);

	(void)state;
	for (unsigned operation = 0; operation < 10; operation++) {
		char text[256];

		if (!mounts[operation])
			continue;
		sample_number(&alert, LICTOR_FIELD_MOUNT_OPERATION, operation);
		snprintf(text, sizeof(text), "Blocked %s%s: rule no-exec-from-tmp",
			 mounts[operation], by);
		expect_message(&alert, text);
	}
	/* by move_mount(2), what is mounted has no name */
	alert.text[LICTOR_FIELD_MOUNT_SOURCE].byte = NULL;
	sample_number(&alert, LICTOR_FIELD_MOUNT_OPERATION, 0);
	expect_event(&alert, "mounting of tmpfs on /mnt", " tmpfs -> /mnt");
	sample_number(&alert, LICTOR_FIELD_MOUNT_OPERATION, 1);
	expect_event(&alert, "binding to /mnt", " bind /mnt");
	alert = blocked(LICTOR_EVENT_MODULE);
	alert.text[LICTOR_FIELD_MODULE_NAME].byte = NULL;
	expect_event(&alert, "loading of a module from /lib/modules/nf_tables.ko",
		     " load /lib/modules/nf_tables.ko");
	alert.text[LICTOR_FIELD_MODULE_PATH].byte = NULL;
	alert.values.state[LICTOR_FIELD_MODULE_NAME] = LICTOR_UNKNOWN;
	expect_event(&alert, "loading of module ?", " load ?");
	sample_number(&alert, LICTOR_FIELD_MODULE_OPERATION, 1);
	expect_event(&alert, "removal of module ?", " unload ?");
	alert = blocked(LICTOR_EVENT_CAPSET);
	sample_number(&alert, LICTOR_FIELD_CAPABILITY_RAISED, 0);
	expect_event(&alert, "change of capabilities (raised: none)", " capset none");
	sample_number(&alert, LICTOR_FIELD_CAPABILITY_OPERATION, 2);
	expect_event(&alert, "change of securebits", " securebits");
	alert = blocked(LICTOR_EVENT_HOSTNAME);
	alert.text[LICTOR_FIELD_HOST_DOMAIN] = sample_text("example.net");
	alert.text[LICTOR_FIELD_HOST_HOSTNAME].byte = NULL;
	expect_event(&alert, "change of domain name to example.net", " domain example.net");
	alert = blocked(LICTOR_EVENT_KEXEC);
	alert.text[LICTOR_FIELD_FILE_PATH].byte = NULL;
	expect_event(&alert, "loading of a kernel", "");
	alert = blocked(LICTOR_EVENT_BPF);
	sample_number(&alert, LICTOR_FIELD_BPF_COMMAND, 99);
	alert.values.state[LICTOR_FIELD_BPF_PROGRAM_TYPE] = LICTOR_ABSENT;
	expect_event(&alert, "bpf(2) 99", " 99");
	alert = blocked(LICTOR_EVENT_ACCEPT);
	alert.values.state[LICTOR_FIELD_DESTINATION_IP] = LICTOR_ABSENT;
	expect_event(&alert, "accepting of connections on 2001:db8::7 port 8080/tcp",
		     " 2001:db8::7 port 8080/tcp");
	alert.values.state[LICTOR_FIELD_SOURCE_IP] = LICTOR_ABSENT;
	sample_number(&alert, LICTOR_FIELD_NETWORK_TRANSPORT, 5);
	expect_event(&alert, "accepting of connections by unix", " unix");
	alert = blocked(LICTOR_EVENT_SIGNAL);
	alert.text[LICTOR_FIELD_TARGET_EXECUTABLE].byte = NULL;
	expect_event(&alert, "sending of SIGKILL to sshd (pid 811)", " SIGKILL sshd (pid 811)");
	alert.target_user_name = NULL;
	expect_filled(&alert, "{target.user} {target.pid} {signal.name}", "0 811 SIGKILL");
}

static void test_flags(void **state)
{
	struct lictor_alert alert = blocked(LICTOR_EVENT_WRITE);

	(void)state;
	alert.flags = LICTOR_RECORD_HELD;
	expect_event(&alert, "writing to /tmp/x.sh (by a descriptor older than the rules)",
		     " /tmp/x.sh (by a descriptor older than the rules)");
	alert.flags = LICTOR_RECORD_RECEIVED;
	expect_event(&alert, "writing to /tmp/x.sh (by a descriptor that it was given)",
		     " /tmp/x.sh (by a descriptor that it was given)");
	alert.flags = LICTOR_RECORD_PREEXISTING;
	expect_event(&alert, "writing to /tmp/x.sh (since before the rules)",
		     " /tmp/x.sh (since before the rules)");
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
	/* a thread of the kernel, of a user without a name */
	alert = sample_alert(LICTOR_EVENT_USERFAULTFD, LICTOR_VERDICT_ALLOWED);
	alert.text[LICTOR_FIELD_PROCESS_EXECUTABLE].byte = NULL;
	alert.text[LICTOR_FIELD_PROCESS_NAME] = sample_text("kworker/0:1");
	alert.user_name = NULL;
	expect_message(&alert, "Seen: use of userfaultfd by kworker/0:1 (pid 4242, user 33): rule"
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
		cmocka_unit_test(test_short),	     cmocka_unit_test(test_events),
		cmocka_unit_test(test_every_event),  cmocka_unit_test(test_operations),
		cmocka_unit_test(test_flags),	     cmocka_unit_test(test_notice),
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_placeholders),
		cmocka_unit_test(test_severity),     cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
