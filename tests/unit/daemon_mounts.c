/* SPDX-License-Identifier: Apache-2.0 */
/* The names that the table of mounts gives to what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/mounts.h"
#include "daemon/own.h"

static struct lictor_mount mount(uint32_t dev, const char *root, const char *path)
{
	return (struct lictor_mount){ .dev = dev, .root = strdup(root), .path = strdup(path) };
}

static void assert_name(const char *part, uint32_t dev, const char *root, const char *path,
			const char *name)
{
	struct lictor_mount one = mount(7, part, "/place"), other = mount(dev, root, path);
	char got[PATH_MAX] = "";
	bool within = lictor_mount_within(&one, &other, got);

	assert_int_equal(within, name != NULL);
	if (name)
		assert_string_equal(got, name);
	free(one.root);
	free(one.path);
	free(other.root);
	free(other.path);
}

static void a_part_has_a_name_in_the_whole(void **state)
{
	(void)state;
	assert_name("/var/data", 7, "/", "/", "/var/data");
	assert_name("/var/data", 7, "/", "/mnt", "/mnt/var/data");
	assert_name("/var/data", 7, "/var", "/", "/data");
	assert_name("/var/data", 7, "/var", "/mnt", "/mnt/data");
}

static void others_give_it_none(void **state)
{
	(void)state;
	assert_name("/var/data", 8, "/", "/mnt", NULL);
	assert_name("/var/data", 7, "/var/data", "/mnt", NULL);
	assert_name("/var/data", 7, "/va", "/mnt", NULL);
	assert_name("/var/data", 7, "/var/data/deep", "/mnt", NULL);
	assert_name("/", 7, "/", "/mnt", NULL);
}

static void a_name_that_is_too_long_is_none(void **state)
{
	char root[PATH_MAX], path[PATH_MAX];

	(void)state;
	memset(root, 'r', sizeof(root));
	memset(path, 'p', sizeof(path));
	root[0] = path[0] = '/';
	root[2048] = '\0';
	path[2047] = '\0';
	assert_int_equal(strlen(root) + strlen(path), PATH_MAX - 1);
	{
		struct lictor_mount part = { .dev = 7, .root = root, .path = path };
		struct lictor_mount whole = { .dev = 7, .root = (char[]){ "/" }, .path = path };
		char got[PATH_MAX];

		assert_true(lictor_mount_within(&part, &whole, got));
		assert_int_equal(strlen(got), PATH_MAX - 1);
		path[2047] = 'p';
		path[2048] = '\0';
		assert_false(lictor_mount_within(&part, &whole, got));
	}
}

static void what_is_covered_is_taken_out(void **state)
{
	struct lictor_mounts mounts OWN(lictor_mounts_free) = { .count = 4 };
	static const struct { int id, parent; const char *path; } line[] = {
		{ 1, 0, "/" }, { 2, 1, "/mnt" }, { 3, 2, "/mnt" }, { 4, 3, "/mnt/deep" },
	};

	(void)state;
	mounts.mount = calloc(4, sizeof(*mounts.mount));
	for (size_t i = 0; i < 4; i++) {
		mounts.mount[i] = mount(7, "/", line[i].path);
		mounts.mount[i].id = line[i].id;
		mounts.mount[i].parent = line[i].parent;
	}
	lictor_mounts_uncover(&mounts);
	assert_int_equal(mounts.count, 3);
	assert_int_equal(mounts.mount[0].id, 1);
	assert_int_equal(mounts.mount[1].id, 3);
	assert_int_equal(mounts.mount[2].id, 4);
}

static void this_machines_table_is_found_again(void **state)
{
	struct lictor_mounts mounts OWN(lictor_mounts_free) = { 0 };
	bool root = false;

	(void)state;
	assert_int_equal(lictor_mounts_read(&mounts), 0);
	assert_true(mounts.count > 0);
	for (size_t i = 0; i < mounts.count; i++) {
		struct lictor_mount other = mounts.mount[i];

		root |= !strcmp(other.path, "/");
		assert_non_null(lictor_mounts_find(&mounts, &other));
		other.path = (char[]){ "/no/such mount" };
		assert_null(lictor_mounts_find(&mounts, &other));
	}
	assert_true(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_has_a_name_in_the_whole),
		cmocka_unit_test(others_give_it_none),
		cmocka_unit_test(a_name_that_is_too_long_is_none),
		cmocka_unit_test(what_is_covered_is_taken_out),
		cmocka_unit_test(this_machines_table_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
