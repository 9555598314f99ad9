/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of daemon/hashing.c: which files an alert is about, where they are sought, what is told. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/hashing.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char path[] = "/tmp/lictor-hashing.XXXXXX";
static struct lictor_hashing *hashing;

/* ---- an engine that finds the file, or not, and keeps what it was asked ---- */

static int found;	/* 0: the file */
static unsigned asked;
static struct lictor_whereabouts where;

int lictor_engine_find(struct lictor_engine *engine, const struct lictor_inode *inode,
		       const struct lictor_whereabouts *places)
{
	(void)engine;
	(void)inode;
	asked++;
	where = *places;
	return found ? found : open(path, O_PATH | O_CLOEXEC);
}

static int set_up(void **state)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	(void)state;
	found = 0;
	asked = 0;
	if (write(fd, "abc", 3) != 3)
		return -1;
	close(fd);
	return lictor_hashing_new(NULL, &hashing);
}

static int tear_down(void **state)
{
	(void)state;
	lictor_hashing_free(hashing);
	return 0;
}

/* The file as it is, in an alert of this event, so long after its change. */
static struct lictor_alert alert_of(enum lictor_event event, long age_ns)
{
	struct lictor_alert alert = { .event = event, .pid = 7 };
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	alert.file = (struct lictor_inode){ .ino = st.st_ino, .dev = (uint32_t)st.st_dev,
					    .size = (uint64_t)st.st_size,
					    .changed_s = st.st_ctim.tv_sec,
					    .changed_ns = (uint32_t)st.st_ctim.tv_nsec };
	alert.image = alert.file;
	alert.time = st.st_ctim;
	alert.time.tv_sec += (st.st_ctim.tv_nsec + age_ns) / 1000000000;
	alert.time.tv_nsec = (st.st_ctim.tv_nsec + age_ns) % 1000000000;
	return alert;
}

static void wait_for(struct lictor_alert *alert)
{
	while (lictor_hashing_alert(hashing, alert))
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

static void both(void **state)
{
	struct lictor_alert alert = alert_of(LICTOR_EVENT_EXEC, 30000000);

	(void)state;
	wait_for(&alert);
	assert_string_equal(alert.process_hash, ABC);
	assert_string_equal(alert.file_hash, ABC);
	assert_false(alert.file_hash_uncertain);
	assert_false(alert.process_hash_uncertain);
	/* Once for both, and for all that follows. */
	assert_int_equal(asked, 1);
}

static void young(void **state)
{
	struct lictor_alert alert = alert_of(LICTOR_EVENT_EXEC, 19000000);

	(void)state;
	alert.image.changed_s--;
	alert.image.ino++;
	found = -ENOENT;
	assert_false(lictor_hashing_alert(hashing, &alert));
	assert_false(alert.file_hash_uncertain);
	found = 0;
	alert.image = alert.file;
	wait_for(&alert);
	assert_true(alert.file_hash_uncertain);
	assert_true(alert.process_hash_uncertain);
}

/* Of what is read, written and so on, there is no hash. */
static void program_only(void **state)
{
	struct lictor_alert alert = alert_of(LICTOR_EVENT_WRITE, 30000000);

	(void)state;
	wait_for(&alert);
	assert_string_equal(alert.process_hash, ABC);
	assert_null(alert.file_hash);
	alert.image.changed_s = 0;
	assert_false(lictor_hashing_alert(hashing, &alert));
	assert_null(alert.process_hash);
}

static void places(void **state)
{
	struct lictor_alert alert = alert_of(LICTOR_EVENT_EXEC, 30000000);

	(void)state;
	alert.image.changed_s = 0;
	found = -ENOENT;
	alert.text[LICTOR_FIELD_FILE_PATH] = (struct lictor_bytes){ .byte = "/a", .length = 2 };
	alert.host_path = (struct lictor_bytes){ .byte = "/host/a", .length = 7 };
	assert_false(lictor_hashing_alert(hashing, &alert));
	assert_int_equal(where.pids, 1);
	assert_int_equal(where.pid[0], 7);
	assert_int_equal(where.paths, 2);
	assert_memory_equal(where.path[1].byte, "/host/a", 7);
	alert.text[LICTOR_FIELD_FILE_PATH].cut = true;
	assert_false(lictor_hashing_alert(hashing, &alert));
	assert_int_equal(where.paths, 1);
	alert.ancestors = 1;
	alert.ancestor[0].pid = 6;
	assert_false(lictor_hashing_alert(hashing, &alert));
	assert_int_equal(where.pids, 2);
	assert_int_equal(where.pid[1], 6);
	assert_int_equal(asked, 3);
	/* It is not looked for again where nobody may read it. */
	found = -EREMOTE;
	assert_false(lictor_hashing_alert(hashing, &alert));
	assert_false(lictor_hashing_alert(hashing, &alert));
	assert_int_equal(asked, 4);
	assert_null(alert.file_hash);
}

/* However many records there are of files that are gone. */
static void flood(void **state)
{
	struct lictor_alert alert = alert_of(LICTOR_EVENT_EXEC, 30000000);
	struct timespec begin, now;

	(void)state;
	found = -ENOENT;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (unsigned i = 0; i < 5000; i++) {
		alert.file.ino++;
		assert_false(lictor_hashing_alert(hashing, &alert));
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_true(asked <= 64 * (now.tv_sec - begin.tv_sec + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both, set_up, tear_down),
		cmocka_unit_test_setup_teardown(young, set_up, tear_down),
		cmocka_unit_test_setup_teardown(program_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(places, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flood, set_up, tear_down),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
