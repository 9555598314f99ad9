/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the JSON log sink, in a directory of their own: whole lines only whatever write(2) does
 * (a full disk is played by RLIMIT_FSIZE), rotation, files that vanish, what is refused, and exact
 * counts of what is lost.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/output_sample.h"

#include "output/queue.h"
#include "output/sink.h"

static char dir[64], path[128];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/lictor-log-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/alerts.json", dir);
	return 0;
}

/* Calls with each file's name but the log's own; returns how many. */
static size_t others(void (*call)(const char *name))
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.' || !strcmp(entry->d_name, "alerts.json"))
			continue;
		count++;
		if (call)
			call(entry->d_name);
	}
	closedir(d);
	return count;
}

static void remove_other(const char *name)
{
	char other[512];

	snprintf(other, sizeof(other), "%s/%s", dir, name);
	unlink(other);
}

static int remove_dir(void **state)
{
	(void)state;
	others(remove_other);
	unlink(path);
	rmdir(path);
	return rmdir(dir);
}

static struct lictor_log_options options(size_t queue)
{
	return (struct lictor_log_options){ .path = path, .mode = 0640, .gid = (gid_t)-1,
					    .queue_bytes = queue, .host = &sample_host,
					    .rules_digest = "00ff" };
}

static struct lictor_log *open_log(size_t queue)
{
	struct lictor_log_options how = options(queue);
	struct lictor_log *log = NULL;

	assert_int_equal(lictor_log_open(&how, &log), 0);
	return log;
}

static void write_record(struct lictor_log *log, unsigned number)
{
	char text[64];
	int length = snprintf(text, sizeof(text), "{\"n\":%u,\"x\":\"%040u\"}", number, number);

	lictor_log_write(log, text, (size_t)length, number);
}

static struct lictor_sink_count count_of(const struct lictor_log *log)
{
	struct lictor_sink_count count;

	lictor_log_count(log, &count);
	return count;
}

/* ---- reading back: every file begins with a header, every line is whole ---- */

static char *slurp(const char *name, size_t *ret_length)
{
	FILE *file = fopen(name, "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(file);
	*ret_length = fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

/* The records' numbers have to follow one another from `first` on; returns how many there are. */
static unsigned check_file(const char *name, unsigned first)
{
	size_t length;
	char *text = slurp(name, &length), *line = text, *end;
	unsigned records = 0;

	for (bool header = true; *line; header = false, line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(json_is_valid(line, (size_t)(end - line)));
		if (header) {
			assert_true(end - line > 1024);
			assert_non_null(strstr(line, "\"lictor.header\""));
			continue;
		}
		assert_int_equal(strtoul(line + 5, NULL, 10), first + records);
		records++;
	}
	assert_int_equal(line - text, length);
	free(text);
	return records;
}

static void header_member(const char *name, const char *member, char *ret_value, size_t room)
{
	size_t length;
	char *text = slurp(name, &length), *at = strstr(text, member);

	assert_non_null(at);
	at += strlen(member);
	snprintf(ret_value, room, "%.*s", (int)strcspn(at, "\","), at);
	free(text);
}

static void test_plain(void **state)
{
	struct lictor_log *log = open_log(4096);
	struct stat st;

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		write_record(log, i);
	assert_int_equal(count_of(log).written, 100);
	assert_int_equal(count_of(log).error, 0);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 1), 100);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);

	/* goes on in the same file, without a second header */
	log = open_log(4096);
	write_record(log, 101);
	assert_false(lictor_log_tick(log, time(NULL)));
	lictor_log_close(log);
	assert_int_equal(check_file(path, 1), 101);
	assert_int_equal(others(NULL), 0);
}

static void put_file(const char *name, const char *text, size_t length)
{
	FILE *file = fopen(name, "we");

	fwrite(text, 1, length, file);
	fclose(file);
}

static void test_torn_by_a_crash(void **state)
{
	struct lictor_log *log = open_log(4096);
	size_t length;
	char *text;

	(void)state;
	for (unsigned i = 1; i <= 200; i++)
		write_record(log, i);
	lictor_log_close(log);
	text = slurp(path, &length);
	put_file(path, text, length - 7);
	log = open_log(4096);
	write_record(log, 200);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 1), 200);

	put_file(path, text, 300);	/* of the header only a part */
	log = open_log(4096);
	write_record(log, 7);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 7), 1);
	assert_int_equal(others(NULL), 0);

	put_file(path, "somebody's notes\nwithout a header", 33);
	log = open_log(4096);
	write_record(log, 8);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 8), 1);
	assert_int_equal(others(NULL), 1);	/* kept, aside */
	free(text);
}

static void test_refused(void **state)
{
	struct lictor_log_options how = options(4096);
	struct lictor_log *log = NULL;
	char target[128];

	(void)state;
	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(lictor_log_open(&how, &log), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(lictor_log_open(&how, &log), -EINVAL);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(lictor_log_open(&how, &log), -EINVAL);
	rmdir(path);
	how.path = "/dev/full";
	assert_int_equal(lictor_log_open(&how, &log), -EINVAL);
	how.path = "/tmp/lictor-log-none/alerts.json";
	assert_int_equal(lictor_log_open(&how, &log), -ENOENT);
	assert_null(log);
}

/* A link put in its place while it runs is not followed either; records wait until it is gone. */
static void test_replaced_by_a_link(void **state)
{
	struct lictor_log *log = open_log(4096);
	char target[128];

	(void)state;
	write_record(log, 1);
	unlink(path);
	snprintf(target, sizeof(target), "%s/target", dir);
	put_file(target, "", 0);
	assert_int_equal(symlink(target, path), 0);
	write_record(log, 2);
	assert_int_equal(count_of(log).error, ELOOP);
	write_record(log, 3);
	lictor_log_tick(log, time(NULL));
	assert_true(count_of(log).queued > 0);
	unlink(path);
	lictor_log_tick(log, time(NULL));
	assert_int_equal(count_of(log).queued, 0);
	assert_int_equal(count_of(log).error, 0);
	assert_int_equal(count_of(log).written, 3);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 2), 2);
}

static void test_vanished(void **state)
{
	struct lictor_log *log = open_log(4096);
	char one[64], two[64], moved[160];

	(void)state;
	write_record(log, 1);
	header_member(path, "\"file\":{\"uuid\":\"", one, sizeof(one));
	unlink(path);
	write_record(log, 2);	/* noticed at once: the file has no name any more */
	assert_int_equal(check_file(path, 2), 1);
	header_member(path, "\"previous_uuid\":\"", two, sizeof(two));
	assert_string_equal(one, two);

	/* renamed, as logrotate does: seen at the tick; the new file has a header at once */
	header_member(path, "\"file\":{\"uuid\":\"", one, sizeof(one));
	snprintf(moved, sizeof(moved), "%s.1", path);
	rename(path, moved);
	write_record(log, 3);
	assert_int_equal(access(path, F_OK), -1);
	lictor_log_tick(log, time(NULL));
	assert_int_equal(check_file(path, 4), 0);
	assert_int_equal(check_file(moved, 2), 2);
	header_member(path, "\"previous_uuid\":\"", two, sizeof(two));
	assert_string_equal(one, two);
	header_member(path, "\"first_sequence\":", two, sizeof(two));
	assert_string_equal(two, "4");

	/* emptied under our hands */
	write_record(log, 4);
	assert_int_equal(truncate(path, 0), 0);
	write_record(log, 5);
	assert_int_equal(check_file(path, 5), 1);

	/* and an empty one put in its place */
	rename(path, moved);
	put_file(path, "", 0);
	lictor_log_tick(log, time(NULL));
	write_record(log, 6);
	assert_int_equal(check_file(path, 6), 1);
	assert_int_equal(count_of(log).written, 6);
	assert_int_equal(count_of(log).errors, 0);
	lictor_log_close(log);
}

/* ---- rotation ---- */

static void check_aside_name(const char *name)
{
	size_t length = strlen(name);

	assert_int_equal(strncmp(name, "alerts.json.", 12), 0);
	assert_true(strcmp(name + length - 5, ".json"));
	assert_int_equal(name[length - 1], 'Z');
}

static void test_rotation(void **state)
{
	struct lictor_log_options how = options(4096);
	struct lictor_log *log = NULL;
	char name[160], first[64], previous[64];
	unsigned rotated = 0;

	(void)state;
	how.rotate_bytes = 2000;
	how.keep = 3;
	snprintf(name, sizeof(name), "%s.1.gz", path);
	put_file(name, "logrotate's", 11);
	assert_int_equal(lictor_log_open(&how, &log), 0);
	for (unsigned i = 1; i <= 100; i++) {
		write_record(log, i);
		header_member(path, "\"file\":{\"uuid\":\"", first, sizeof(first));
		if (!lictor_log_tick(log, time(NULL)))
			continue;
		rotated++;
		header_member(path, "\"previous_uuid\":\"", previous, sizeof(previous));
		assert_string_equal(first, previous);
		assert_int_equal(check_file(path, i + 1), 0);
	}
	assert_in_range(rotated, 5, 30);
	assert_int_equal(access(name, F_OK), 0);	/* not ours: not counted, not removed */
	unlink(name);
	assert_int_equal(others(check_aside_name), 3);
	assert_int_equal(lictor_log_rotate(log), 0);
	assert_int_equal(others(check_aside_name), 3);
	assert_int_equal(count_of(log).errors, 0);
	assert_int_equal(count_of(log).written, 100);
	lictor_log_close(log);
}

static void test_rotation_by_age(void **state)
{
	struct lictor_log_options how = options(4096);
	struct lictor_log *log = NULL;

	(void)state;
	how.rotate_seconds = 3600;
	assert_int_equal(lictor_log_open(&how, &log), 0);
	write_record(log, 1);
	assert_false(lictor_log_tick(log, time(NULL) + 3500));
	lictor_log_close(log);
	assert_int_equal(lictor_log_open(&how, &log), 0);	/* the age is the file's */
	assert_true(lictor_log_tick(log, time(NULL) + 3700));
	assert_false(lictor_log_tick(log, time(NULL) + 7400));	/* nothing in it yet */
	write_record(log, 2);
	assert_true(lictor_log_tick(log, time(NULL) + 7400));
	lictor_log_close(log);
	assert_int_equal(others(check_aside_name), 2);
}

/* ---- a disk that is full ---- */

static void limit(rlim_t bytes)
{
	struct rlimit limit = { .rlim_cur = bytes, .rlim_max = RLIM_INFINITY };

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* At every possible byte of a record: never a torn line that others follow, nothing lost. */
static void test_full(void **state)
{
	(void)state;
	for (rlim_t at = 1; at < 1500; at += 7) {
		struct lictor_log *log;
		struct stat st;

		unlink(path);
		log = open_log(65536);
		limit(at);
		for (unsigned i = 1; i <= 20; i++)
			write_record(log, i);
		lictor_log_tick(log, time(NULL));
		assert_true(count_of(log).error == EFBIG || count_of(log).error == ENOSPC);
		assert_int_equal(count_of(log).lost, 0);
		assert_int_equal(stat(path, &st), 0);
		if (st.st_size)
			assert_int_equal(check_file(path, 1), count_of(log).written);
		limit(RLIM_INFINITY);
		write_record(log, 21);	/* in order: behind those that wait */
		lictor_log_tick(log, time(NULL));
		assert_int_equal(count_of(log).error, 0);
		assert_int_equal(count_of(log).queued, 0);
		lictor_log_close(log);
		assert_int_equal(check_file(path, 1), 21);
	}
}

static void test_overflow(void **state)
{
	struct lictor_log *log = open_log(1000);
	struct lictor_sink_count count;
	size_t size = strlen("{\"n\":10,\"x\":\"\"}") + 40 + 16;	/* 16: the queue's own */

	(void)state;
	write_record(log, 1);
	limit(1200);
	for (unsigned i = 2; i <= 100; i++)
		write_record(log, i);
	count = count_of(log);
	assert_int_equal(count.written + count.lost + 1000 / size, 100);
	assert_true(count.queued <= 1000);
	assert_true(count.error == EFBIG || count.error == ENOSPC);
	limit(RLIM_INFINITY);
	lictor_log_tick(log, time(NULL));
	assert_int_equal(count_of(log).written, 100 - count.lost);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 1), 100 - count.lost);
}

/* A limit that comes and goes: what is there at the end are whole lines, in order. */
static void test_limited_again_and_again(void **state)
{
	struct lictor_log *log = open_log(65536);
	uint64_t seed = 42;

	(void)state;
	for (unsigned i = 1; i <= 3000; i++) {
		struct stat st;

		if (random_next(&seed) % 5 == 0 && !stat(path, &st))
			limit((rlim_t)st.st_size + random_next(&seed) % 100);
		write_record(log, i);
		if (random_next(&seed) % 3 == 0)
			limit(RLIM_INFINITY);
		if (random_next(&seed) % 2 == 0)
			lictor_log_tick(log, time(NULL));
	}
	limit(RLIM_INFINITY);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 1), 3000);
}

static void test_close_writes_what_waits(void **state)
{
	struct lictor_log *log = open_log(4096);

	(void)state;
	limit(10);
	write_record(log, 1);
	limit(RLIM_INFINITY);
	lictor_log_close(log);
	assert_int_equal(check_file(path, 1), 1);
}

static void test_queue(void **state)
{
	struct lictor_queue queue = { .room = 1000 };
	uint64_t seed = 7, in = 0, out = 0;
	char bytes[300];

	(void)state;
	for (int i = 0; i < 100000; i++) {
		size_t length = random_next(&seed) % sizeof(bytes);
		struct lictor_queued first;

		memset(bytes, (int)(in & 0xff), length);
		if (random_next(&seed) % 2 && lictor_queue_push(&queue, bytes, length, in))
			in++;
		first = lictor_queue_first(&queue);
		assert_int_equal(!first.byte, in == out);
		if (random_next(&seed) % 2 || !first.byte)
			continue;
		assert_int_equal(first.sequence, out);
		for (size_t j = 0; j < first.length; j++)
			assert_int_equal((unsigned char)first.byte[j], out & 0xff);
		lictor_queue_pop(&queue);
		out++;
	}
	assert_true(out > 10000);
	lictor_queue_done(&queue);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain), TEST(test_torn_by_a_crash), TEST(test_refused),
		TEST(test_replaced_by_a_link), TEST(test_vanished), TEST(test_rotation),
		TEST(test_rotation_by_age), TEST(test_full), TEST(test_overflow),
		TEST(test_limited_again_and_again), TEST(test_close_writes_what_waits),
		cmocka_unit_test(test_queue),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
