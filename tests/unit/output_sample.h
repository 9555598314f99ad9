/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of output/: a full alert of each event, a strict JSON reader, random bytes. */
#ifndef LICTOR_OUTPUT_SAMPLE_H
#define LICTOR_OUTPUT_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "output/format.h"

static const struct lictor_host sample_host = {
	.name = "web01.example.net",
	.boot_id = "1f2e3d4c-5b6a-4798-8a9b-0c1d2e3f4a5b",
	.machine_id = "9f0c5d3e7a8b4c1d9e2f3a4b5c6d7e8f",
	.version = "1.0.0",
};

static const char *const sample_tags[] = { "attack.T1059.004", "attack.TA0002",
					   "pci-dss.11.5.2" };
static const struct lictor_rule_label sample_rules[] = {
	{ .name = "no-exec-from-tmp", .ruleset = "50-site", .severity = 3,
	  .description = "Nothing runs from a world-writable directory.",
	  .action = LICTOR_ACTION_BLOCK, .tags = 3, .tag = sample_tags },
	{ .name = "tmp-watched", .ruleset = "60-more", .severity = 4,
	  .action = LICTOR_ACTION_ALERT, .tags = 1, .tag = &sample_tags[2] },
};
static const struct lictor_rule_label *const sample_rule[] = { &sample_rules[0],
							       &sample_rules[1] };

static inline struct lictor_bytes sample_text(const char *text)
{
	return (struct lictor_bytes){ .byte = text, .length = strlen(text) };
}

static inline void sample_number(struct lictor_alert *alert, enum lictor_field field,
				 uint64_t number)
{
	alert->values.state[field] = LICTOR_PRESENT;
	alert->values.num[field] = number;
}

static inline void sample_file(struct lictor_alert *alert)
{
	alert->text[LICTOR_FIELD_FILE_PATH] = sample_text("/tmp/x.sh");
	alert->text[LICTOR_FIELD_FILE_FS] = sample_text("ext4");
	alert->file_owner_name = "www-data";
	alert->file_gid = 33;
	alert->file.ino = 131842;
	alert->file.dev = 254u << 20 | 1;
	sample_number(alert, LICTOR_FIELD_FILE_TYPE, 0);
	sample_number(alert, LICTOR_FIELD_FILE_OWNER, 33);
	sample_number(alert, LICTOR_FIELD_FILE_FOREIGN, 1);
	sample_number(alert, LICTOR_FIELD_FILE_MODE, 0755);
	sample_number(alert, LICTOR_FIELD_FILE_SETUID, 0);
	sample_number(alert, LICTOR_FIELD_FILE_LINKS, 1);
	sample_number(alert, LICTOR_FIELD_FILE_OVERLAY_UPPER, 0);
	sample_number(alert, LICTOR_FIELD_FILE_MEMFD, 0);
	sample_number(alert, LICTOR_FIELD_FILE_DELETED, 0);
	sample_number(alert, LICTOR_FIELD_FILE_MAPPED, 0);
	if (alert->event == LICTOR_EVENT_WRITE)
		sample_number(alert, LICTOR_FIELD_FILE_FLAGS, 1 << 0 | 1 << 8);
	if (alert->event == LICTOR_EVENT_RENAME || alert->event == LICTOR_EVENT_LINK)
		alert->text[LICTOR_FIELD_FILE_TARGET_PATH] = sample_text("/tmp/y.sh");
}

static inline void sample_net(struct lictor_alert *alert)
{
	static const unsigned char destination[16] = { [10] = 0xff, 0xff, 203, 0, 113, 9 };
	static const unsigned char source[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 7 };

	memcpy(alert->values.address[LICTOR_ADDRESS_DESTINATION], destination, 16);
	memcpy(alert->values.address[LICTOR_ADDRESS_SOURCE], source, 16);
	sample_number(alert, LICTOR_FIELD_NETWORK_TRANSPORT, 0);
	sample_number(alert, LICTOR_FIELD_NETWORK_TYPE,
		      alert->event == LICTOR_EVENT_CONNECT ? 4 : 6);
	if (alert->event == LICTOR_EVENT_CONNECT || alert->event == LICTOR_EVENT_ACCEPT ||
	    alert->event == LICTOR_EVENT_DUP) {
		sample_number(alert, LICTOR_FIELD_DESTINATION_IP, 0);
		sample_number(alert, LICTOR_FIELD_DESTINATION_PORT, 4444);
	}
	if (alert->event != LICTOR_EVENT_CONNECT) {
		sample_number(alert, LICTOR_FIELD_SOURCE_IP, 0);
		sample_number(alert, LICTOR_FIELD_SOURCE_PORT, 8080);
	}
}

static inline void sample_process(struct lictor_alert *alert)
{
	alert->pid = 4242;
	alert->tid = 4243;
	alert->parent_pid = 880;
	alert->boot_offset = 1787390000000000000;
	alert->start_ns = 9999900000000;
	alert->parent_start_ns = 111000000;
	alert->text[LICTOR_FIELD_PROCESS_EXECUTABLE] = sample_text("/usr/bin/dash");
	alert->process_hash = "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9";
	if (alert->event == LICTOR_EVENT_EXEC)
		alert->file_hash =
			"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
	alert->text[LICTOR_FIELD_PROCESS_NAME] = sample_text("sh");
	alert->text[LICTOR_FIELD_PARENT_EXECUTABLE] = sample_text("/usr/sbin/nginx");
	alert->text[LICTOR_FIELD_PARENT_NAME] = sample_text("nginx");
	sample_number(alert, LICTOR_FIELD_PROCESS_PID, 4242);
	sample_number(alert, LICTOR_FIELD_USER_NAME, 33);
	sample_number(alert, LICTOR_FIELD_USER_ID, 33);
	sample_number(alert, LICTOR_FIELD_USER_EFFECTIVE_NAME, 0);
	sample_number(alert, LICTOR_FIELD_USER_EFFECTIVE_ID, 0);
	sample_number(alert, LICTOR_FIELD_USER_AUDIT_NAME, UINT32_MAX);
	sample_number(alert, LICTOR_FIELD_USER_AUDIT_ID, UINT32_MAX);
	sample_number(alert, LICTOR_FIELD_GROUP_NAME, 33);
	sample_number(alert, LICTOR_FIELD_GROUP_ID, 33);
	alert->user_name = alert->group_name = "www-data";
	alert->user_effective_name = "root";
	alert->text[LICTOR_FIELD_PROCESS_ARGS] = sample_text("sh -c /tmp/x.sh; id");
	alert->text[LICTOR_FIELD_PROCESS_CWD] = sample_text("/var/www");
	alert->args = (struct lictor_bytes){ .byte = "sh\0-c\0/tmp/x.sh; id", .length = 20 };
	alert->ancestors = 2;
	alert->ancestor[0] = (struct lictor_alert_ancestor){
		.pid = 880, .user = 33, .start_ns = 111000000,
		.executable = sample_text("/usr/sbin/nginx"), .user_name = "www-data" };
	alert->ancestor[1] = (struct lictor_alert_ancestor){
		.pid = 1, .start_ns = 1000000, .inferred = true, .user_name = "root" };
	alert->text[LICTOR_FIELD_CGROUP_PATH] = sample_text("/system.slice/nginx.service");
	alert->text[LICTOR_FIELD_SERVICE_NAME] = sample_text("nginx.service");
	for (unsigned field = LICTOR_FIELD_PROCESS_TTY; field <= LICTOR_FIELD_PROCESS_ELEVATED; field++)
		sample_number(alert, field, 0);
	sample_number(alert, LICTOR_FIELD_PROCESS_START_AGE, 3);
	sample_number(alert, LICTOR_FIELD_PROCESS_CAPABILITIES, 1ull << 21 | 1ull << 10);
	sample_number(alert, LICTOR_FIELD_PROCESS_ELEVATED, 1);
	for (unsigned field = LICTOR_FIELD_NAMESPACE_PID; field <= LICTOR_FIELD_NAMESPACE_UTS; field++)
		sample_number(alert, field, field == LICTOR_FIELD_NAMESPACE_MNT);
}

static inline bool sample_is_net(enum lictor_event event)
{
	return (event >= LICTOR_EVENT_CONNECT && event < LICTOR_EVENT_SOCKET) ||
	       event == LICTOR_EVENT_DUP;
}

static inline bool sample_is_file(enum lictor_event event)
{
	return event == LICTOR_EVENT_EXEC || event == LICTOR_EVENT_OPEN_FAILED ||
	       event == LICTOR_EVENT_KEXEC || event == LICTOR_EVENT_MOUNT ||
	       event == LICTOR_EVENT_UMOUNT ||
	       (event >= LICTOR_EVENT_READ && event <= LICTOR_EVENT_STAT);
}

static inline void sample_target(struct lictor_alert *alert)
{
	alert->text[LICTOR_FIELD_TARGET_EXECUTABLE] = sample_text("/usr/sbin/sshd");
	alert->text[LICTOR_FIELD_TARGET_NAME] = sample_text("sshd");
	alert->target_user_name = "root";
	sample_number(alert, LICTOR_FIELD_TARGET_PID, 811);
	sample_number(alert, LICTOR_FIELD_TARGET_USER, 0);
}

static inline void sample_mount(struct lictor_alert *alert)
{
	alert->text[LICTOR_FIELD_FILE_PATH] = sample_text("/mnt");
	alert->text[LICTOR_FIELD_MOUNT_TARGET] = alert->text[LICTOR_FIELD_FILE_PATH];
	alert->text[LICTOR_FIELD_MOUNT_TYPE] = sample_text("tmpfs");
	if (alert->event == LICTOR_EVENT_MOUNT)
		alert->text[LICTOR_FIELD_MOUNT_SOURCE] = sample_text("none");
	sample_number(alert, LICTOR_FIELD_FILE_TYPE, 1);
	sample_number(alert, LICTOR_FIELD_MOUNT_OPERATION,
		      alert->event == LICTOR_EVENT_MOUNT ? 0 : 8);
	sample_number(alert, LICTOR_FIELD_MOUNT_FLAGS,
		      alert->event == LICTOR_EVENT_MOUNT ? 1 << 1 | 1 << 3 : 1 << 12);
}

/* What is about no file and no peer. */
static inline void sample_other(struct lictor_alert *alert)
{
	switch ((int)alert->event) {
	case LICTOR_EVENT_EXIT:
		sample_number(alert, LICTOR_FIELD_EXIT_CODE, 3);
		sample_number(alert, LICTOR_FIELD_EXIT_CPU_TIME, 1250);
		sample_number(alert, LICTOR_FIELD_EXIT_MEMORY_PEAK, 5120);
		break;
	case LICTOR_EVENT_SOCKET:
		sample_number(alert, LICTOR_FIELD_SOCKET_FAMILY, 2);
		sample_number(alert, LICTOR_FIELD_SOCKET_TYPE, 3);
		sample_number(alert, LICTOR_FIELD_SOCKET_PROTOCOL, 1);
		sample_number(alert, LICTOR_FIELD_NETWORK_TRANSPORT, 4);
		sample_number(alert, LICTOR_FIELD_NETWORK_TYPE, 4);
		break;
	case LICTOR_EVENT_PTRACE:
		sample_target(alert);
		sample_number(alert, LICTOR_FIELD_PTRACE_MODE, 1);
		break;
	case LICTOR_EVENT_SIGNAL:
		sample_target(alert);
		sample_number(alert, LICTOR_FIELD_SIGNAL_NAME, 9);
		break;
	case LICTOR_EVENT_SETUID:
		alert->user_target_name = "root";
		sample_number(alert, LICTOR_FIELD_USER_TARGET_NAME, 0);
		sample_number(alert, LICTOR_FIELD_USER_TARGET_ID, 0);
		break;
	case LICTOR_EVENT_SETGID:
		alert->group_target_name = "shadow";
		sample_number(alert, LICTOR_FIELD_GROUP_TARGET_NAME, 42);
		sample_number(alert, LICTOR_FIELD_GROUP_TARGET_ID, 42);
		break;
	case LICTOR_EVENT_CAPSET:
		sample_number(alert, LICTOR_FIELD_CAPABILITY_RAISED, 1ull << 40 | 1ull << 63 | 1);
		sample_number(alert, LICTOR_FIELD_CAPABILITY_OPERATION, 0);
		break;
	case LICTOR_EVENT_NAMESPACE:
		sample_number(alert, LICTOR_FIELD_NAMESPACE_TYPES, 1 << 2 | 1 << 3);
		break;
	case LICTOR_EVENT_MODULE:
		alert->text[LICTOR_FIELD_MODULE_NAME] = sample_text("nf_tables");
		alert->text[LICTOR_FIELD_MODULE_PATH] = sample_text("/lib/modules/nf_tables.ko");
		sample_number(alert, LICTOR_FIELD_MODULE_OPERATION, 0);
		break;
	case LICTOR_EVENT_BPF:
		sample_number(alert, LICTOR_FIELD_BPF_COMMAND, 5);
		sample_number(alert, LICTOR_FIELD_BPF_PROGRAM_TYPE, 29);
		break;
	case LICTOR_EVENT_PERF:
		sample_number(alert, LICTOR_FIELD_PERF_TYPE, 6);
		break;
	case LICTOR_EVENT_SETTIME:
		sample_number(alert, LICTOR_FIELD_CLOCK_OPERATION, 0);
		break;
	case LICTOR_EVENT_HOSTNAME:
		alert->text[LICTOR_FIELD_HOST_HOSTNAME] = sample_text("evil");
		break;
	case LICTOR_EVENT_SYSCTL:
		alert->text[LICTOR_FIELD_SYSCTL_NAME] = sample_text("kernel.core_pattern");
		break;
	case LICTOR_EVENT_DUP:
		sample_number(alert, LICTOR_FIELD_DUP_DESCRIPTOR, 0);
		break;
	case LICTOR_EVENT_IO_URING:
		sample_number(alert, LICTOR_FIELD_IO_URING_OPERATION, 1);
		break;
	default:
		break;
	}
}

static inline struct lictor_alert sample_alert(enum lictor_event event,
					       enum lictor_verdict verdict)
{
	struct lictor_alert alert = {
		.sequence = 18231,
		.time = { .tv_sec = 1787400000, .tv_nsec = 123456789 },
		.severity = 3,
		.event = event,
		.verdict = verdict,
		.hook = "bprm_check_security",
		.via = "lsm",
		.monitor = verdict >= LICTOR_VERDICT_WOULD_SIGNAL,
		.error = verdict == LICTOR_VERDICT_BLOCKED || verdict == LICTOR_VERDICT_KILLED
				 ? 1 : 0,
		.signal = verdict == LICTOR_VERDICT_KILLED ? 9 : 0,
		.generation = 7,
		.matched = 2,
		.rules = 2,
		.rule = sample_rule,
	};

	sample_process(&alert);
	if (sample_is_net(event))
		sample_net(&alert);
	if (sample_is_file(event))
		sample_file(&alert);
	if (event == LICTOR_EVENT_MOUNT || event == LICTOR_EVENT_UMOUNT)
		sample_mount(&alert);
	if (event == LICTOR_EVENT_OPEN_FAILED)
		alert.error = 13;
	sample_other(&alert);
	return alert;
}

/* ---- JSON, strictly: RFC 8259, valid UTF-8, no name twice in one object ---- */

struct reader {
	const unsigned char *at;
	const unsigned char *end;
	int depth;
};

static inline bool read_value(struct reader *r);

static inline bool read_byte(struct reader *r, unsigned char byte)
{
	if (r->at == r->end || *r->at != byte)
		return false;
	r->at++;
	return true;
}

static inline bool read_hex(struct reader *r, unsigned *ret_point)
{
	char text[5] = "", *end;

	if (r->end - r->at < 4)
		return false;
	memcpy(text, r->at, 4);
	if (strspn(text, "0123456789abcdefABCDEF") != 4)
		return false;
	*ret_point = (unsigned)strtoul(text, &end, 16);
	r->at += 4;
	return true;
}

static inline bool read_utf8(struct reader *r)
{
	/* Written unlike the formatter's: by the table of RFC 3629, section 4. */
	static const unsigned char row[][8] = {
		{ 0x20, 0x7f }, { 0xc2, 0xdf, 0x80, 0xbf },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf }, { 0xe1, 0xec, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf }, { 0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, 0x80, 0xbf },
		{ 0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, 0x80, 0xbf },
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		size_t n = 0;

		while (n < 4 && row[i][2 * n + 1] && r->at + n < r->end &&
		       r->at[n] >= row[i][2 * n] && r->at[n] <= row[i][2 * n + 1])
			n++;
		if (n && (n == 4 || !row[i][2 * n + 1])) {
			r->at += n;
			return true;
		}
	}
	return false;
}

static inline bool read_string(struct reader *r)
{
	unsigned point;

	if (!read_byte(r, '"'))
		return false;
	while (r->at < r->end && *r->at != '"') {
		if (*r->at != '\\') {
			if (!read_utf8(r))
				return false;
			continue;
		}
		r->at++;
		if (r->at == r->end || !strchr("\"\\/bfnrtu", *r->at) || !*r->at)
			return false;
		if (*r->at++ == 'u' && !read_hex(r, &point))
			return false;
	}
	return read_byte(r, '"');
}

static inline bool read_number(struct reader *r)
{
	const unsigned char *start = r->at;

	if (r->at < r->end && *r->at == '-')
		r->at++;
	if (r->at < r->end && *r->at == '0') {
		r->at++;
		return r->at == r->end || !strchr("0123456789", *r->at);
	}
	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return r->at > start && r->at[-1] != '-';	/* we write integers only */
}

static inline bool read_object(struct reader *r)
{
	struct { const unsigned char *at; size_t length; } name[256];
	size_t names = 0;

	if (read_byte(r, '}'))
		return true;
	do {
		const unsigned char *at = r->at;

		if (names == 256 || !read_string(r))
			return false;
		name[names].at = at;
		name[names].length = (size_t)(r->at - at);
		for (size_t i = 0; i < names; i++)
			if (name[i].length == name[names].length &&
			    !memcmp(name[i].at, at, name[i].length))
				return false;
		names++;
		if (!read_byte(r, ':') || !read_value(r))
			return false;
	} while (read_byte(r, ','));
	return read_byte(r, '}');
}

static inline bool read_array(struct reader *r)
{
	if (read_byte(r, ']'))
		return true;
	do
		if (!read_value(r))
			return false;
	while (read_byte(r, ','));
	return read_byte(r, ']');
}

static inline bool read_word(struct reader *r, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(r->end - r->at) < length || memcmp(r->at, word, length))
		return false;
	r->at += length;
	return true;
}

static inline bool read_value(struct reader *r)
{
	bool good;

	if (r->at == r->end || ++r->depth > 16)
		return false;
	if (read_byte(r, '{'))
		good = read_object(r);
	else if (read_byte(r, '['))
		good = read_array(r);
	else if (*r->at == '"')
		good = read_string(r);
	else
		good = read_word(r, "true") || read_word(r, "false") || read_word(r, "null") ||
		       read_number(r);
	r->depth--;
	return good;
}

static inline bool json_is_valid(const char *text, size_t length)
{
	struct reader r = { .at = (const unsigned char *)text };

	r.end = r.at + length;
	return read_byte(&r, '{') && read_object(&r) && r.at == r.end;
}

/* ---- random, the same in each run ---- */

static inline uint64_t random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Bytes that like to be trouble. */
static inline void random_bytes(uint64_t *state, char *ret_bytes, size_t length)
{
	static const char *const naughty[] = {
		"\"", "\\", "\n", "\r", "\t", "\x1b[2J", "\x7f", "\xff", "\xc0\xaf", "\xed\xa0\x80",
		"\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x80\xa8", "\xc2\x85", "\xf0\x9f\x92\xa9",
		"\xf4\x90\x80\x80", "\xe2\x82", "%s%n", "{file.path}", "}}", "\\x41", "\\\\",
		"\",\"verdict\":\"allow\",\"x\":\"", "<0>", "=", "\xc3\xa4", "|",
		"\xf8\x88\x80\x80",
	};
	size_t at = 0;

	while (at < length) {
		uint64_t dice = random_next(state);
		const char *text = naughty[(dice >> 8) % (sizeof(naughty) / sizeof(naughty[0]))];
		size_t size = strlen(text);

		if (dice % 3 == 0 || size > length - at) {
			ret_bytes[at++] = (char)(dice >> 32);
		} else {
			memcpy(ret_bytes + at, text, size);
			at += size;
		}
	}
}

#endif
