/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of daemon/hash.c, on files of its own: what is known, what has changed, what is never read,
 * how much is kept and how much may wait.
 */
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

#include "daemon/hash.h"

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static char dir[] = "/tmp/lictor-hash.XXXXXX";
static struct lictor_hashes *hashes;

static int set_up(void **state)
{
	(void)state;
	return lictor_hashes_new(&hashes);
}

static int tear_down(void **state)
{
	(void)state;
	lictor_hashes_free(hashes);
	return 0;
}

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The file as it is now, and a descriptor of it. */
static int look(const char *name, struct lictor_inode *ret_inode)
{
	int fd = open(path_of(name), O_PATH | O_CLOEXEC);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	*ret_inode = (struct lictor_inode){ .ino = st.st_ino,
					    .dev = (uint32_t)st.st_dev,
					    .size = (uint64_t)st.st_size,
					    .changed_s = st.st_ctim.tv_sec,
					    .changed_ns = (uint32_t)st.st_ctim.tv_nsec };
	return fd;
}

static enum lictor_hash_state wait_for(const struct lictor_inode *inode, char *ret_text)
{
	enum lictor_hash_state state;

	while ((state = lictor_hashes_find(hashes, inode, ret_text)) == LICTOR_HASH_WAITING)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return state;
}

static enum lictor_hash_state hash(const char *name, char *ret_text)
{
	struct lictor_inode inode;
	int fd = look(name, &inode);

	lictor_hashes_ask(hashes, &inode, fd);
	return wait_for(&inode, ret_text);
}

static void known(void **state)
{
	char text[LICTOR_SHA256_TEXT];
	struct lictor_inode inode;
	struct stat before, after;

	struct timespec day_ago[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };

	(void)state;
	put("abc", "abc");
	day_ago[0] = (struct timespec){ .tv_sec = time(NULL) - 86400 };
	assert_int_equal(utimensat(AT_FDCWD, path_of("abc"), day_ago, 0), 0);
	close(look("abc", &inode));
	assert_int_equal(lictor_hashes_find(hashes, &inode, text), LICTOR_HASH_NEW);
	stat(path_of("abc"), &before);
	assert_int_equal(hash("abc", text), LICTOR_HASH_KNOWN);
	stat(path_of("abc"), &after);
	assert_string_equal(text, ABC);
	/* Nobody can tell from the file that it was read. */
	assert_int_equal(after.st_atim.tv_sec, before.st_atim.tv_sec);
	/* It stays known when the file is gone. */
	unlink(path_of("abc"));
	assert_int_equal(lictor_hashes_find(hashes, &inode, text), LICTOR_HASH_KNOWN);
}

static void unlinked(void **state)
{
	char text[LICTOR_SHA256_TEXT];
	struct lictor_inode inode;
	struct stat st;
	int fd;

	(void)state;
	put("gone", "abc");
	fd = look("gone", &inode);
	unlink(path_of("gone"));
	fstat(fd, &st);
	inode.changed_s = st.st_ctim.tv_sec;
	inode.changed_ns = (uint32_t)st.st_ctim.tv_nsec;
	lictor_hashes_ask(hashes, &inode, fd);
	assert_int_equal(wait_for(&inode, text), LICTOR_HASH_KNOWN);
	assert_string_equal(text, ABC);
}

static void changed(void **state)
{
	char text[LICTOR_SHA256_TEXT];
	struct lictor_inode before, after;
	int fd;

	(void)state;
	put("changed", "abd");
	fd = look("changed", &before);
	do {	/* until the clock of the file system has gone on */
		put("changed", "abc");
		close(look("changed", &after));
	} while (after.changed_ns == before.changed_ns);
	lictor_hashes_ask(hashes, &before, fd);
	assert_int_equal(wait_for(&before, text), LICTOR_HASH_NONE);
	/* As it is now, it is another one. */
	assert_int_equal(lictor_hashes_find(hashes, &after, text), LICTOR_HASH_NEW);
	assert_int_equal(hash("changed", text), LICTOR_HASH_KNOWN);
	assert_string_equal(text, ABC);
}

/* Cut, while its time of change is still the old one: as ext4 does it. */
static void cut(void **state)
{
	char text[LICTOR_SHA256_TEXT];
	struct lictor_inode inode;
	int fd;

	(void)state;
	put("cut", "abc");
	fd = look("cut", &inode);
	inode.size = 300000;
	lictor_hashes_ask(hashes, &inode, fd);
	assert_int_equal(wait_for(&inode, text), LICTOR_HASH_NONE);
}

static void never_read(void **state)
{
	char text[LICTOR_SHA256_TEXT];
	struct lictor_inode inode;

	(void)state;
	mkfifo(path_of("fifo"), 0600);
	assert_int_equal(hash("fifo", text), LICTOR_HASH_NONE);
	assert_int_equal(hash(".", text), LICTOR_HASH_NONE);
	put("large", "");
	assert_int_equal(truncate(path_of("large"), LICTOR_HASH_FILE_MAX + 1), 0);
	assert_int_equal(hash("large", text), LICTOR_HASH_NONE);
	put("served", "abc");
	close(look("served", &inode));
	lictor_hashes_ask(hashes, &inode, -EREMOTE);
	assert_int_equal(lictor_hashes_find(hashes, &inode, text), LICTOR_HASH_NONE);
}

/* What does not fit is forgotten: what was asked for longest ago. */
static void room(void **state)
{
	char text[LICTOR_SHA256_TEXT];
	struct lictor_inode inode = { .dev = 1, .changed_s = 1 }, first = inode;
	unsigned kept = 0;

	(void)state;
	first.ino = 1;
	for (inode.ino = 1; inode.ino <= 10 * LICTOR_HASH_KEPT; inode.ino++) {
		lictor_hashes_ask(hashes, &inode, -EREMOTE);
		assert_int_equal(lictor_hashes_find(hashes, &first, text), LICTOR_HASH_NONE);
	}
	for (inode.ino = 1; inode.ino <= 10 * LICTOR_HASH_KEPT; inode.ino++)
		kept += lictor_hashes_find(hashes, &inode, text) == LICTOR_HASH_NONE;
	assert_true(kept <= LICTOR_HASH_KEPT);
	assert_true(kept > LICTOR_HASH_KEPT / 2);
}

/* As large as may be read: it takes a while. */
static void put_large(const char *name)
{
	struct lictor_inode inode;

	put(name, "");
	assert_int_equal(truncate(path_of(name), LICTOR_HASH_FILE_MAX), 0);
	lictor_hashes_ask(hashes, &inode, look(name, &inode));
}

/* More at once than may wait: those that were taken are all found, the others were not asked for. */
static void queue(void **state)
{
	struct lictor_inode inode[2 * LICTOR_HASH_QUEUE];
	char text[LICTOR_SHA256_TEXT], name[32];
	unsigned taken = 0, known_ones = 0;

	(void)state;
	put_large("first");
	/* Till it is being read. */
	nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	for (unsigned i = 0; i < 2 * LICTOR_HASH_QUEUE; i++) {
		int fd;

		snprintf(name, sizeof(name), "q%u", i);
		put(name, "abc");
		fd = look(name, &inode[i]);
		taken += !lictor_hashes_full(hashes);
		lictor_hashes_ask(hashes, &inode[i], fd);
	}
	assert_true(lictor_hashes_full(hashes));
	assert_in_range(taken, LICTOR_HASH_QUEUE - 1, LICTOR_HASH_QUEUE + 1);
	for (unsigned i = 0; i < 2 * LICTOR_HASH_QUEUE; i++) {
		enum lictor_hash_state found = wait_for(&inode[i], text);

		assert_true(found == (i < taken ? LICTOR_HASH_KNOWN : LICTOR_HASH_NEW));
		known_ones += found == LICTOR_HASH_KNOWN;
		if (found == LICTOR_HASH_KNOWN)
			assert_string_equal(text, ABC);
	}
	assert_int_equal(known_ones, taken);
	assert_false(lictor_hashes_full(hashes));
}

/* A change while it is read. */
static void changing(void **state)
{
	struct lictor_inode inode;
	char text[LICTOR_SHA256_TEXT];
	int fd;

	(void)state;
	put("changing", "");
	assert_int_equal(truncate(path_of("changing"), LICTOR_HASH_FILE_MAX), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	lictor_hashes_ask(hashes, &inode, look("changing", &inode));
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	fd = open(path_of("changing"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(wait_for(&inode, text), LICTOR_HASH_NONE);
}

/* With files that still wait: neither the one that is read nor those behind it are waited for. */
static int free_with_files(void **state)
{
	struct timespec begin, now;
	struct lictor_inode inode;

	(void)state;
	put_large("last");
	put("behind", "abc");
	lictor_hashes_ask(hashes, &inode, look("behind", &inode));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	lictor_hashes_free(hashes);
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 >= 900;
}

static void end(void **state)
{
	(void)state;
	assert_int_equal(free_with_files(state), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unlinked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(queue, set_up, tear_down),
		cmocka_unit_test_setup_teardown(changing, set_up, tear_down),
		cmocka_unit_test_setup(end, set_up),
	};
	char command[64];
	int failed;

	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || failed;
}
