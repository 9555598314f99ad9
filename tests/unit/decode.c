/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of daemon/decode.c: a record of each shape, and a million spoiled ones. Each record is
 * decoded from a piece of memory of exactly its size, so that a sanitizer sees any step beyond it.
 */
#include <errno.h>

#include "tests/unit/output_sample.h"

#include "daemon/decode.h"

static const struct lictor_rule_label label[] = {
	{ .name = "first", .severity = 5 }, { .name = "second", .severity = 3 },
	{ .name = "third", .severity = 4 },
};
static const struct lictor_labels labels = { .generation = 7, .labels = 3, .label = label };

/* A record being made, at an odd address where that is possible. */
struct maker {
	char byte[LICTOR_RECORD_MAX];
	size_t size;
};

static void begin(struct maker *maker)
{
	struct lictor_record record = {
		.version = LICTOR_ABI_VERSION, .event = LICTOR_EVENT_RENAME,
		.verdict = LICTOR_VERDICT_BLOCKED, .time_ns = 5000000007, .generation = 7,
		.hook = LICTOR_HOOK_path_rename, .via = LICTOR_VIA_LSM, .error = -1,
		.reasons = 1u << LICTOR_REASON_NO_SCRATCH, .matched = 5, .listed = 3,
		.rule = { 2, 1, 0 }, .suppressed = 4, .pid = 4242, .tid = 4243, .parent_pid = 1,
		.start_ns = 77, .parent_start_ns = 66, .file = { .ino = 9, .dev = 8 },
		.image = { .ino = 5, .dev = 4, .igeneration = 3, .changed_s = 2, .changed_ns = 1 },
		.file_gid = 33,
		.name = "sixteen-bytes-xx", .parent_name = "init",
	};

	record.values.state[LICTOR_FIELD_FILE_MODE] = LICTOR_PRESENT;
	record.values.num[LICTOR_FIELD_FILE_MODE] = 0644;
	record.values.state[LICTOR_FIELD_FILE_OWNER] = 200;
	record.values.state[LICTOR_FIELD_USER_ID] = LICTOR_PRESENT;
	record.values.num[LICTOR_FIELD_USER_ID] = 33;
	memcpy(maker->byte, &record, sizeof(record));
	maker->size = sizeof(record);
}

static void add_text(struct maker *maker, unsigned field, unsigned view, unsigned flags,
		     const char *bytes, size_t length)
{
	struct lictor_text text = { .field = (uint16_t)field, .length = (uint16_t)length,
				    .flags = (uint16_t)flags, .view = (uint16_t)view };
	struct lictor_record *record = (struct lictor_record *)(void *)maker->byte;

	memcpy(maker->byte + maker->size, &text, sizeof(text));
	memcpy(maker->byte + maker->size + sizeof(text), bytes, length);
	maker->size += sizeof(text) + ((length + 7) & ~(size_t)7);
	record->texts++;
	record->size = (uint32_t)maker->size;
}

/* Each one's pid is its number. */
static void add_history(struct maker *maker, uint32_t ancestors, uint32_t inferred)
{
	struct lictor_history history = { .ancestors = ancestors, .inferred = inferred };

	for (uint32_t i = 0; i < ancestors; i++)
		history.ancestor[i % LICTOR_ANCESTORS] = (struct lictor_ancestor){
			.pid = i + 1, .user = 33, .start_ns = 1000 + i, .program = 7 };
	add_text(maker, LICTOR_FIELD_ANCESTOR_EXECUTABLE, 0, 0, (const char *)&history,
		 LICTOR_HISTORY_TOLD);
}

static void make(struct maker *maker)
{
	memset(maker, 0, sizeof(*maker));
	begin(maker);
	add_text(maker, LICTOR_FIELD_FILE_PATH, 0, 0, "/a\0b", 4);
	add_text(maker, LICTOR_FIELD_FILE_PATH, 1, LICTOR_TEXT_CUT, "/host/a", 7);
	add_text(maker, LICTOR_FIELD_FILE_TARGET_PATH, 0, LICTOR_TEXT_CUT, "", 0);
	add_text(maker, LICTOR_FIELD_PROCESS_EXECUTABLE, 0, 0, "/usr/bin/mv", 11);
	add_text(maker, 60000, 0, 0, "unknown", 7);
	add_text(maker, LICTOR_FIELD_FILE_FS, 9, 0, "view", 4);
	add_text(maker, LICTOR_FIELD_PROCESS_ARGS, 0, 0, "mv\0-f\0", 6);
	add_history(maker, 3, 1);
}

static int decode(const struct maker *maker, size_t size, const struct lictor_labels *which,
		  struct lictor_decoded *ret_decoded, char *ret_room)
{
	memcpy(ret_room, maker->byte, size);
	return lictor_decode(ret_room, size, which, 1000000000, ret_decoded);
}

static void test_record(void **state)
{
	static struct maker maker;
	struct lictor_decoded decoded;
	const struct lictor_alert *alert = &decoded.alert;
	char *room;

	(void)state;
	make(&maker);
	room = malloc(maker.size);
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(alert->notice, LICTOR_NOTICE_NONE);
	assert_int_equal(alert->event, LICTOR_EVENT_RENAME);
	assert_int_equal(alert->verdict, LICTOR_VERDICT_BLOCKED);
	assert_int_equal(alert->time.tv_sec, 6);
	assert_int_equal(alert->time.tv_nsec, 7);
	assert_string_equal(alert->hook, "path_rename");
	assert_string_equal(alert->via, "lsm");
	assert_int_equal(alert->error, 1);
	assert_int_equal(alert->matched, 5);
	assert_int_equal(alert->rules, 3);
	assert_string_equal(alert->rule[0]->name, "third");
	assert_string_equal(alert->rule[2]->name, "first");
	assert_int_equal(alert->severity, 3);
	assert_int_equal(alert->boot_offset, 1000000000);
	assert_int_equal(alert->file.ino, 9);
	assert_int_equal(alert->image.changed_ns, 1);
	assert_int_equal(alert->values.num[LICTOR_FIELD_FILE_MODE], 0644);
	assert_int_equal(alert->values.state[LICTOR_FIELD_FILE_OWNER], LICTOR_UNKNOWN);
	assert_int_equal(alert->values.state[LICTOR_FIELD_USER_NAME], LICTOR_PRESENT);
	assert_int_equal(alert->values.num[LICTOR_FIELD_USER_NAME], 33);
	assert_int_equal(alert->values.num[LICTOR_FIELD_PROCESS_PID], 4242);
	assert_int_equal(alert->text[LICTOR_FIELD_FILE_PATH].length, 4);
	assert_memory_equal(alert->text[LICTOR_FIELD_FILE_PATH].byte, "/a\0b", 4);
	assert_false(alert->text[LICTOR_FIELD_FILE_PATH].cut);
	assert_int_equal(alert->host_path.length, 7);
	assert_true(alert->host_path.cut);
	assert_true(alert->text[LICTOR_FIELD_FILE_TARGET_PATH].cut);
	assert_int_equal(alert->text[LICTOR_FIELD_FILE_TARGET_PATH].length, 0);
	assert_int_equal(alert->text[LICTOR_FIELD_PROCESS_NAME].length, 16);
	assert_int_equal(alert->text[LICTOR_FIELD_PARENT_NAME].length, 4);
	assert_null(alert->text[LICTOR_FIELD_FILE_FS].byte);
	assert_int_equal(lictor_decode_generation(room, maker.size), 7);
	assert_int_equal(lictor_decode_generation(room, 16), 0);
	free(room);
}

/* ABI 2: sets of 64 bits, flags, pairs of the target's, the mount point's second field. */
static void test_second_version(void **state)
{
	static struct maker maker;
	struct lictor_record *record = (struct lictor_record *)(void *)maker.byte;
	struct lictor_decoded decoded;
	const struct lictor_alert *alert = &decoded.alert;
	char *room;

	(void)state;
	memset(&maker, 0, sizeof(maker));
	begin(&maker);
	record->event = LICTOR_EVENT_MOUNT;
	record->via = LICTOR_VIA_SCAN;
	record->flags = LICTOR_RECORD_PREEXISTING | LICTOR_RECORD_HELD;
	record->values.state[LICTOR_FIELD_CAPABILITY_RAISED] = LICTOR_PRESENT;
	record->values.num[LICTOR_FIELD_CAPABILITY_RAISED] = 1ull << 40 | 1ull << 63;
	record->values.state[LICTOR_FIELD_USER_TARGET_NAME] = LICTOR_PRESENT;
	record->values.num[LICTOR_FIELD_USER_TARGET_NAME] = 7;
	record->values.state[LICTOR_FIELD_GROUP_TARGET_ID] = LICTOR_PRESENT;
	record->values.num[LICTOR_FIELD_GROUP_TARGET_ID] = 8;
	add_text(&maker, LICTOR_FIELD_FILE_PATH, 0, LICTOR_TEXT_CUT, "/mnt", 4);
	add_text(&maker, LICTOR_FIELD_MOUNT_SOURCE, 0, 0, "/a", 2);
	add_text(&maker, LICTOR_FIELD_MOUNT_SOURCE, 1, 0, "/srv/a", 6);
	room = malloc(maker.size);
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_string_equal(alert->via, "scan");
	assert_int_equal(alert->flags, LICTOR_RECORD_PREEXISTING | LICTOR_RECORD_HELD);
	assert_true(alert->values.num[LICTOR_FIELD_CAPABILITY_RAISED] == (1ull << 40 | 1ull << 63));
	assert_int_equal(alert->values.num[LICTOR_FIELD_USER_TARGET_ID], 7);
	assert_int_equal(alert->values.num[LICTOR_FIELD_GROUP_TARGET_NAME], 8);
	assert_int_equal(alert->values.state[LICTOR_FIELD_GROUP_TARGET_NAME], LICTOR_PRESENT);
	assert_int_equal(alert->text[LICTOR_FIELD_MOUNT_TARGET].length, 4);
	assert_true(alert->text[LICTOR_FIELD_MOUNT_TARGET].cut);
	assert_int_equal(alert->text[LICTOR_FIELD_MOUNT_SOURCE].length, 2);
	assert_int_equal(alert->host_source.length, 6);
	record->event = LICTOR_EVENT_MODULE;
	record->texts = 0;
	maker.size = sizeof(*record);
	add_text(&maker, LICTOR_FIELD_MODULE_PATH, 0, 0, "/x.ko", 5);
	add_text(&maker, LICTOR_FIELD_MODULE_PATH, 1, 0, "/srv/x.ko", 9);
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(alert->text[LICTOR_FIELD_MODULE_PATH].length, 5);
	assert_int_equal(alert->host_path.length, 9);
	assert_null(alert->text[LICTOR_FIELD_MOUNT_TARGET].byte);
	free(room);
}

static struct lictor_record *head(struct maker *maker)
{
	return (struct lictor_record *)(void *)maker->byte;
}

static void expect_history(uint32_t ancestors, uint32_t inferred)
{
	static struct maker maker;
	static struct lictor_decoded decoded;
	const struct lictor_alert *alert = &decoded.alert;
	char *room = malloc(LICTOR_RECORD_MAX);
	uint32_t kept = ancestors < LICTOR_ANCESTORS ? ancestors : LICTOR_ANCESTORS;

	memset(&maker, 0, sizeof(maker));
	begin(&maker);
	add_history(&maker, ancestors, inferred);
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(alert->ancestors, kept);
	assert_int_equal(alert->ancestors_cut, ancestors > kept);
	for (uint32_t i = 0; i < kept; i++) {
		assert_int_equal(alert->ancestor[i].pid, ancestors - i);
		assert_int_equal(alert->ancestor[i].start_ns, 1000 + ancestors - i - 1);
		assert_int_equal(alert->ancestor[i].inferred, ancestors - i <= inferred);
		assert_null(alert->ancestor[i].executable.byte);
	}
	free(room);
}

static void test_history(void **state)
{
	static struct maker maker;
	static struct lictor_decoded decoded;
	const struct lictor_alert *alert = &decoded.alert;
	char room[sizeof(maker.byte)];

	(void)state;
	for (uint32_t ancestors = 0; ancestors < 2 * LICTOR_ANCESTORS + 2; ancestors++)
		expect_history(ancestors, ancestors / 2);
	make(&maker);
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(alert->args.length, 6);
	assert_int_equal(alert->text[LICTOR_FIELD_PROCESS_ARGS].length, 5);
	assert_memory_equal(alert->text[LICTOR_FIELD_PROCESS_ARGS].byte, "mv -f", 5);
	/* of some other size: none */
	memset(&maker, 0, sizeof(maker));
	begin(&maker);
	add_text(&maker, LICTOR_FIELD_ANCESTOR_EXECUTABLE, 0, 0, "/usr/bin/x", 10);
	add_text(&maker, LICTOR_FIELD_PROCESS_ARGS, 0, LICTOR_TEXT_CUT, "mv\0", 3);
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(alert->ancestors, 0);
	assert_null(alert->text[LICTOR_FIELD_ANCESTOR_EXECUTABLE].byte);
	assert_int_equal(alert->text[LICTOR_FIELD_PROCESS_ARGS].length, 3);
	assert_true(alert->text[LICTOR_FIELD_PROCESS_ARGS].cut);
}

static void test_rules(void **state)
{
	static struct maker maker;
	struct lictor_labels other = labels;
	struct lictor_decoded decoded;
	char *room;

	(void)state;
	make(&maker);
	room = malloc(maker.size);
	assert_int_equal(decode(&maker, maker.size, NULL, &decoded, room), 0);
	assert_int_equal(decoded.alert.rules, 0);
	assert_int_equal(decoded.alert.severity, 4);
	other.generation = 8;
	assert_int_equal(decode(&maker, maker.size, &other, &decoded, room), 0);
	assert_int_equal(decoded.alert.rules, 0);
	head(&maker)->rule[1] = 3;	/* one beyond: not named, the others are */
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(decoded.alert.rules, 2);
	head(&maker)->rule[0] = 65535;	/* without the deciding one, none */
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(decoded.alert.rules, 0);
	free(room);
}

#define REFUSED(change) \
	do { \
		make(&maker); \
		change; \
		assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), -EBADMSG); \
	} while (0)

static void test_refused(void **state)
{
	static struct maker maker;
	struct lictor_decoded decoded;
	char *room = malloc(LICTOR_RECORD_MAX), *exact;

	(void)state;
	REFUSED(head(&maker)->version++);
	REFUSED(head(&maker)->event = LICTOR_EVENTS);
	REFUSED(head(&maker)->verdict = LICTOR_VERDICTS);
	REFUSED(head(&maker)->listed = LICTOR_RECORD_RULES + 1);
	REFUSED(head(&maker)->size++);
	REFUSED(head(&maker)->size = 0);
	REFUSED(head(&maker)->size = sizeof(struct lictor_record) - 1);
	REFUSED(head(&maker)->texts = UINT32_MAX);
	make(&maker);
	for (size_t size = 0; size < maker.size; size++) {	/* cut short anywhere */
		exact = malloc(size);
		assert_int_equal(decode(&maker, size, &labels, &decoded, exact), -EBADMSG);
		free(exact);
	}
	free(room);
}

static void test_odd_address(void **state)
{
	static struct maker maker;
	struct lictor_decoded decoded;
	char *room = malloc(LICTOR_RECORD_MAX + 1);

	(void)state;
	make(&maker);
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room + 1), 0);
	free(room);
}

static void test_extremes(void **state)
{
	static struct maker maker;
	struct lictor_decoded decoded;
	char *room = malloc(LICTOR_RECORD_MAX);

	(void)state;
	make(&maker);
	head(&maker)->time_ns = UINT64_MAX;
	head(&maker)->error = INT32_MIN;
	head(&maker)->hook = 255;
	head(&maker)->via = 255;
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_int_equal(decoded.alert.time.tv_sec, 0);
	assert_int_equal(decoded.alert.error, 0);
	assert_null(decoded.alert.hook);
	assert_null(decoded.alert.via);
	head(&maker)->subject_flags = LICTOR_SUBJECT_CUT;
	assert_int_equal(decode(&maker, maker.size, &labels, &decoded, room), 0);
	assert_true(decoded.alert.text[LICTOR_FIELD_PROCESS_EXECUTABLE].cut);
	free(room);
}

/* Everything that the alert points to lies within the record. */
static uint64_t touch(const struct lictor_alert *alert, const char *room, size_t size)
{
	uint64_t sum = 0;

	for (unsigned field = 0; field < LICTOR_FIELDS_MAX; field++) {
		/* The arguments are joined elsewhere. */
		const struct lictor_bytes *text = field == LICTOR_FIELD_PROCESS_ARGS ?
			&alert->args : &alert->text[field];

		if (!text->byte)
			continue;
		assert_true(text->byte >= room && text->byte + text->length <= room + size);
		for (size_t i = 0; i < text->length; i++)
			sum += (unsigned char)text->byte[i];
	}
	assert_true(alert->text[LICTOR_FIELD_PROCESS_ARGS].length <= LICTOR_ARGS_KEPT);
	assert_true(alert->ancestors <= LICTOR_ANCESTORS);
	for (size_t i = 0; i < alert->rules; i++)
		sum += (uint64_t)alert->rule[i]->name[0];
	return sum;
}

static void test_spoiled(void **state)
{
	static struct maker good, bad;
	uint64_t seed = 0x2545f4914f6cdd1d, sum = 0, taken = 0;
	struct lictor_decoded decoded;
	struct lictor_line line = {};
	char *room;

	(void)state;
	make(&good);
	room = malloc(good.size);	/* exactly: one byte beyond is seen */
	bad = good;
	for (int i = 0; i < 1000000; i++) {
		size_t at[4], changes = 1 + random_next(&seed) % 4;
		uint64_t dice = random_next(&seed);
		size_t size = dice % 16 ? good.size : dice % (good.size + 1);

		for (size_t j = 0; j < changes; j++) {
			dice = random_next(&seed);
			/* half of them where the texts are, or in the first words */
			at[j] = dice & 1 ? dice % good.size
				: dice & 2 ? dice % 64
				: sizeof(struct lictor_record) +
					  dice % (good.size - sizeof(struct lictor_record));
			if (dice & 4)
				bad.byte[at[j]] = (char)(dice >> 32);
			else
				bad.byte[at[j]] ^= (char)(1 << (dice >> 40) % 8);
		}
		memcpy(room + good.size - size, bad.byte, size);
		if (!lictor_decode(room + good.size - size, size, &labels, (int64_t)dice,
				   &decoded)) {
			sum += touch(&decoded.alert, room, good.size);
			if (taken++ % 64 == 0) {
				lictor_line_reset(&line);
				lictor_format_json(&decoded.alert, &sample_host, &line);
				assert_true(json_is_valid(line.byte, line.length));
			}
		}
		for (size_t j = 0; j < changes; j++)
			bad.byte[at[j]] = good.byte[at[j]];
	}
	assert_true(taken > 100000 && sum > 0);
	lictor_line_done(&line);
	free(room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record), cmocka_unit_test(test_second_version),
		cmocka_unit_test(test_rules), cmocka_unit_test(test_history),
		cmocka_unit_test(test_refused),	 cmocka_unit_test(test_odd_address),
		cmocka_unit_test(test_extremes), cmocka_unit_test(test_spoiled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
