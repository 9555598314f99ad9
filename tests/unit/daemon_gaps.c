/* SPDX-License-Identifier: Apache-2.0 */
/* Which parts of events, and which fields, escape a kernel that has only some of the hooks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/ways.h"

#define B(bit) (1ull << (bit))

const struct lictor_hook_entry lictor_hooks[LICTOR_HOOKS] = {
#define X(id, via, set) [LICTOR_HOOK_##id] = { #id, #id, LICTOR_VIA_##via, set },
	LICTOR_HOOK_TABLE(X)
#undef X
};

/* A kernel whose hooks of the LSM table are reached by `way`, and with or without trampolines. */
static struct lictor_engine kernel(enum lictor_via way, bool trampolines)
{
	struct lictor_engine engine = { .way = way, .perf_attr = 1 };

	for (int i = 0; i < LICTOR_HOOKS; i++) {
		struct lictor_hook_state *hook = &engine.hook[i];

		hook->way = lictor_hooks[i].way == LICTOR_VIA_LSM ? way : lictor_hooks[i].way;
		hook->loaded = hook->way != LICTOR_VIA_CGROUP &&
			       (trampolines || hook->way != LICTOR_VIA_FENTRY);
		hook->error = hook->loaded ? 0 : EOPNOTSUPP;
	}
	return engine;
}

static const struct lictor_gap *find(const struct lictor_gap *gap, size_t gaps, const char *what)
{
	for (size_t i = 0; i < gaps; i++)
		if (strstr(gap[i].what, what))
			return &gap[i];
	return NULL;
}

static void nothing_is_missed(void **state)
{
	struct lictor_engine engine = kernel(LICTOR_VIA_LSM, true);
	struct lictor_gap gap[LICTOR_GAPS_MAX];

	(void)state;
	assert_int_equal(lictor_engine_gaps(&engine, gap), 0);
	/* Of two functions one is enough. */
	engine.hook[LICTOR_HOOK_vfs_open_tree].loaded = false;
	assert_int_equal(lictor_engine_gaps(&engine, gap), 0);
}

static void without_trampolines(void **state)
{
	struct lictor_engine engine = kernel(LICTOR_VIA_KPROBE, false);
	struct lictor_gap gap[LICTOR_GAPS_MAX];
	size_t gaps = lictor_engine_gaps(&engine, gap);
	const struct lictor_gap *found;

	(void)state;
	found = find(gap, gaps, "mount_setattr");
	assert_non_null(found);
	assert_int_equal(found->field, LICTOR_FIELD_MOUNT_OPERATION);
	assert_true(found->lost == B(lictor_value_find(found->field, "attributes")));
	found = find(gap, gaps, "open_tree");
	assert_non_null(found);
	assert_true(found->lost == B(lictor_value_find(found->field, "clone")));
	found = find(gap, gaps, "adjtimex");
	assert_non_null(found);
	assert_true(found->lost == B(lictor_value_find(found->field, "adjust")));
	/* Other hooks tell of such namespaces, and of connections. */
	found = find(gap, gaps, "setns(2) of other");
	assert_non_null(found);
	assert_true(found->values == ~B(lictor_value_find(found->field, "user")));
	assert_true(found->lost == 0);
	found = find(gap, gaps, "kernel makes for itself");
	assert_non_null(found);
	assert_true(found->lost == 0);
	assert_non_null(strstr(found->why, "trampolines"));
	assert_null(find(gap, gaps, "mounting"));
	assert_non_null(lictor_ways_unwatched(&engine, LICTOR_EVENT_OPEN_FAILED));
	assert_null(lictor_ways_unwatched(&engine, LICTOR_EVENT_MOUNT));
}

static void a_function_that_is_not_there(void **state)
{
	struct lictor_engine engine = kernel(LICTOR_VIA_LSM, true);
	struct lictor_gap gap[LICTOR_GAPS_MAX];

	(void)state;
	engine.hook[LICTOR_HOOK_do_adjtimex].loaded = false;
	engine.hook[LICTOR_HOOK_do_adjtimex].error = ENOENT;
	assert_int_equal(lictor_engine_gaps(&engine, gap), 1);
	assert_non_null(strstr(gap[0].why, "has no function"));
}

static void fields(void **state)
{
	struct lictor_engine probes = kernel(LICTOR_VIA_KPROBE, false);
	struct lictor_engine lsm = kernel(LICTOR_VIA_LSM, true);
	const char *why = NULL;
	bool doubt = true;

	(void)state;
	assert_true(lictor_engine_knows(&lsm, LICTOR_EVENT_SIGNAL, LICTOR_FIELD_TARGET_EXECUTABLE,
					&doubt, &why));
	assert_true(lictor_engine_knows(&probes, LICTOR_EVENT_SIGNAL, LICTOR_FIELD_TARGET_NAME,
					&doubt, &why));
	assert_false(lictor_engine_knows(&probes, LICTOR_EVENT_SIGNAL,
					 LICTOR_FIELD_TARGET_EXECUTABLE, &doubt, &why));
	assert_false(doubt);
	assert_non_null(why);
	/* A member of the inode will do; else only hooks may ask; else there is none. */
	assert_false(lictor_engine_knows(&lsm, LICTOR_EVENT_EXEC, LICTOR_FIELD_FILE_FSVERITY, &doubt,
					 &why));
	assert_false(doubt);
	lsm.asks_verity = probes.asks_verity = 1;
	assert_true(lictor_engine_knows(&lsm, LICTOR_EVENT_EXEC, LICTOR_FIELD_FILE_FSVERITY, &doubt,
					&why));
	assert_false(lictor_engine_knows(&probes, LICTOR_EVENT_EXEC, LICTOR_FIELD_FILE_FSVERITY,
					 &doubt, &why));
	probes.reads_verity = true;
	assert_true(lictor_engine_knows(&probes, LICTOR_EVENT_EXEC, LICTOR_FIELD_FILE_FSVERITY,
					&doubt, &why));
	assert_true(lictor_engine_knows(&lsm, LICTOR_EVENT_PERF, LICTOR_FIELD_PERF_TYPE, &doubt,
					&why));
	lsm.perf_attr = 0;
	assert_false(lictor_engine_knows(&lsm, LICTOR_EVENT_PERF, LICTOR_FIELD_PERF_TYPE, &doubt,
					 &why));
	assert_true(doubt);
}

/* Where only control groups decide about connections, who connects is not known. */
static void control_groups(void **state)
{
	struct lictor_engine engine = kernel(LICTOR_VIA_LSM, false);
	const char *why = NULL;
	bool doubt = false;

	(void)state;
	for (int i = 0; i < LICTOR_HOOKS; i++)
		engine.hook[i].loaded = engine.hook[i].way == LICTOR_VIA_CGROUP;
	assert_false(lictor_engine_knows(&engine, LICTOR_EVENT_CONNECT,
					 LICTOR_FIELD_PROCESS_EXECUTABLE, &doubt, &why));
	assert_true(doubt);
	assert_true(lictor_engine_knows(&engine, LICTOR_EVENT_CONNECT, LICTOR_FIELD_PROCESS_NAME,
					&doubt, &why));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_missed),
		cmocka_unit_test(without_trampolines),
		cmocka_unit_test(a_function_that_is_not_there),
		cmocka_unit_test(fields),
		cmocka_unit_test(control_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
