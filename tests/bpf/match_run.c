/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The BPF build of the matcher, run by this machine's kernel through BPF_PROG_TEST_RUN, against the
 * host's build (which tests/unit/match_random.c holds against the referee): the same outcomes of
 * the same texts, the same rules of the same events. LICTOR_SEED repeats a run, LICTOR_ITERATIONS
 * sets its length. Touches bpf(2); attaches nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/unit/match_sample.h"
#include "tests/bpf/request.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual"
#include "match.skel.h"
#pragma GCC diagnostic pop

#define PAIRS 150000
#define BUCKETS 3
#define POOL 16u	/* LICTOR_POOL of bpf/scratch.bpf.h */

static const size_t bucket_most[BUCKETS] = { 9, 99, SIZE_MAX };
static const char *const bucket_name[BUCKETS] = { "1-9 rules", "10-99 rules", "100 rules and more" };

struct run {
	struct match_bpf *skeleton;
	struct match_request *request;
	struct sample_host host;
	struct sample_event event;
	int image;
	uint64_t generation;
	uint64_t pairs, matched, second, overflows;
	uint64_t count[BUCKETS], classify_ns[BUCKETS], match_ns[BUCKETS];
};

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

static int install(struct run *run, const struct lictor_compiled *compiled)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
	int images = bpf_map__fd(run->skeleton->maps.images), r = 0;
	uint32_t slot = ++run->generation & 1;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", sizeof(uint32_t), LICTOR_PAGE_SIZE,
				compiled->pages, &options);

	if (fd < 0)
		return fd;
	for (uint32_t page = 0; r == 0 && page < compiled->pages; page++)
		r = bpf_map_update_elem(fd, &page, compiled->image + (size_t)page * LICTOR_PAGE_SIZE,
					BPF_ANY);
	if (r == 0)
		r = bpf_map_update_elem(images, &slot, &fd, BPF_ANY);
	if (run->image >= 0)
		close(run->image);
	run->image = fd;
	return r;
}

/* ---- one event ---- */

static uint32_t put_text(struct match_request *request, uint32_t *at, const char *text)
{
	uint32_t length = (uint32_t)strlen(text), where = *at;

	if (where + length > LICTOR_TEXT_SIZE)
		where = LICTOR_TEXT_SIZE - length; /* over another one's end: both sides see it */
	memcpy(request->text + where, text, length);
	*at = where + length;
	return where | length << 16;
}

/* False if the texts do not fit. */
static bool put_string(struct match_request *request, int slot, enum lictor_space space,
		       const struct lictor_given *given, uint32_t *at)
{
	struct match_string *string = &request->string[slot];
	const struct lictor_seen *seen = given->string;
	bool two;

	*string = (struct match_string){ .state = given->state, .space = space };
	if (given->state != LICTOR_PRESENT)
		return true;
	if (slot == LICTOR_STRING_ARGS || slot == LICTOR_STRING_ENV) {
		string->views = 1;
		return true;
	}
	string->same = seen->hosts && seen->host[0] == seen->own;
	two = seen->hosts && !string->same;
	if (*at + strlen(seen->own) + (two ? strlen(seen->host[0]) : 0) > LICTOR_TEXT_SIZE)
		return false;
	string->views = 1 + two;
	string->where[0] = put_text(request, at, seen->own);
	if (two)
		string->where[1] = put_text(request, at, seen->host[0]);
	return true;
}

/* What was asked, before the host's side makes unknown what overflows: BPF has to find that. */
static bool ask(struct run *run, lictor_field_set wanted)
{
	const struct lictor_instance *instance = &run->event.instance;
	uint32_t at = 0;

	run->request->generation = run->generation;
	run->request->event = (uint32_t)instance->event;
	run->request->judgings = 1 + lictor_instance_has_second(instance);
	memset(run->request->string, 0, sizeof(run->request->string));
	if (lictor_instance_has_second(instance))
		wanted |= LICTOR_FIELD_BIT(LICTOR_FIELD_FILE_TARGET_PATH);
	/* A slot may be several fields', of which the event has one. */
	for (int f = 1; f < LICTOR_FIELDS; f++)
		if ((wanted >> f & 1) && sample_slot(f) < LICTOR_STRINGS &&
		    (f == LICTOR_FIELD_FILE_TARGET_PATH ||
		     lictor_event_has_field(instance->event, f)) &&
		    !put_string(run->request, sample_slot(f), lictor_field_words[f].space,
				&instance->field[f], &at))
			return false;
	return true;
}

static bool has_all(uint8_t count, const uint16_t *a, const uint16_t *b)
{
	for (uint8_t i = 0; i < count; i++) {
		uint8_t k = 0;

		while (k < count && b[k] != a[i])
			k++;
		if (k == count)
			return false;
	}
	return true;
}

/* Of a text in pieces, the order in which outcomes are found depends on where it is cut. */
static bool same_outs(bool pieces, uint8_t count, const uint16_t *a, const uint16_t *b)
{
	return pieces ? has_all(count, a, b) && has_all(count, b, a) :
			!memcmp(a, b, count * sizeof(*a));
}

static bool same_hits(int slot, const struct lictor_hits *a, const struct lictor_hits *b)
{
	bool pieces = slot == LICTOR_STRING_ARGS || slot == LICTOR_STRING_ENV;

	if (a->state != b->state)
		return false;
	if (a->state != LICTOR_PRESENT)
		return true;
	return a->any == b->any && a->sure == b->sure &&
	       same_outs(pieces, a->any, a->any_out, b->any_out) &&
	       same_outs(pieces, a->sure, a->sure_out, b->sure_out);
}

static bool agree(struct run *run, const uint64_t host[2][LICTOR_RULES_MAX / 64])
{
	const struct match_request *request = run->request;

	for (int slot = 0; slot < LICTOR_STRINGS; slot++)
		if (request->string[slot].views &&
		    !same_hits(slot, &request->hits[slot], &run->host.facts.hits[slot])) {
			fprintf(stderr, "string %d is classified otherwise\n", slot);
			return false;
		}
	for (uint32_t j = 0; j < request->judgings; j++)
		if (memcmp(request->matched[j], host[j], sizeof(request->matched[j]))) {
			fprintf(stderr, "judging %u found other rules\n", j);
			return false;
		}
	return !request->twice;
}

static int judge(struct run *run, const struct sample_set *set,
		 const struct lictor_compiled *compiled, int about)
{
	uint64_t matched[2][LICTOR_RULES_MAX / 64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options);
	int fd = bpf_program__fd(run->skeleton->progs.match_request), r;
	bool once;

	if (!ask(run, compiled->fields[about]))
		return 0;
	host_facts(&run->host, compiled->fields[about], &run->event);
	run->request->piece = 1 + below(percent(50) ? 40 : LICTOR_PATH_MAX - 1);
	for (int i = 0; i < 2; i++) {
		run->request->start_length[i] = (uint32_t)run->host.start_length[i];
		memcpy(run->request->start[i], run->host.start[i], run->host.start_length[i]);
	}
	run->request->values = run->host.facts.v;
	memcpy(run->request->ancestors, run->host.facts.ancestors, sizeof(run->request->ancestors));
	once = host_match(&run->host, about, 0, matched[0]);
	if (run->request->judgings == 2)
		once &= host_match(&run->host, about, 1, matched[1]);
	r = bpf_prog_test_run_opts(fd, &options);
	if (r < 0 || options.retval)
		return r < 0 ? r : -EBUSY;
	if (!once || !agree(run, matched)) {
		(void)lictor_rules_print(&set->rules, stderr);
		tell_event(&run->event);
		return -EINVAL;
	}
	run->pairs++;
	run->second += run->request->judgings == 2;
	for (size_t w = 0; w < LICTOR_RULES_MAX / 64; w++)
		if (matched[0][w] | matched[1][w]) {
			run->matched++;
			break;
		}
	return 0;
}

/* ---- one rule set ---- */

static int try_compiled(struct run *run, struct sample_set *set,
			const struct lictor_compiled *compiled, uint32_t events)
{
	size_t bucket = 0;
	uint64_t judged;
	int r = install(run, compiled);

	while (compiled->rules > bucket_most[bucket])
		bucket++;
	run->host.image = (struct lictor_host_image){ compiled->image, compiled->pages };
	run->request->classify_ns = run->request->match_ns = 0;
	judged = run->request->judged;
	for (uint32_t i = 0; r == 0 && i < events; i++) {
		int about = (int)set->event[below((uint32_t)set->event_count)];

		sample_event_make(set, about, compiled->fields[about], &run->event);
		r = judge(run, set, compiled, about);
	}
	run->count[bucket] += run->request->judged - judged;
	run->classify_ns[bucket] += run->request->classify_ns;
	run->match_ns[bucket] += run->request->match_ns;
	return r;
}

static int try_set(struct run *run)
{
	bool large = below(60) == 0, many = below(40) == 0;
	size_t rules = large ? 200 + below(1800) : percent(50) ? 1 + below(9) : 1 + below(60);
	struct sample_set *set = sample_set_new(rules, large ? 2 : 3, false, many);
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_compiled *compiled = NULL;
	int r = lictor_compile(&set->rules, 0, NULL, false, run->generation + 1, sample_random(),
			       NULL, diags, &compiled);

	if (r == -E2BIG)
		r = 0;
	else if (r == 0)
		r = try_compiled(run, set, compiled, 400);
	lictor_compiled_free(compiled);
	lictor_diags_free(diags);
	sample_set_free(set);
	return r;
}

/* ---- the run ---- */

static void tell(const struct run *run)
{
	printf("%lu pairs, %.1f %% matched, %lu judged twice\n", (unsigned long)run->pairs,
	       100.0 * (double)run->matched / (double)run->pairs, (unsigned long)run->second);
	for (size_t b = 0; b < BUCKETS; b++)
		if (run->count[b])
			printf("%s: %.0f ns to classify, %.0f ns to match, per decision\n",
			       bucket_name[b],
			       (double)run->classify_ns[b] / (double)run->count[b],
			       (double)run->match_ns[b] / (double)run->count[b]);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_WARN)
		return 0;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	return vfprintf(stderr, format, arguments);
#pragma GCC diagnostic pop
}

static struct match_bpf *load(void)
{
	struct match_bpf *skeleton = match_bpf__open();
	long cpus = sysconf(_SC_NPROCESSORS_CONF);

	if (!skeleton)
		return NULL;
	skeleton->rodata->lictor_cpus = (uint32_t)cpus;
	if (!bpf_map__set_max_entries(skeleton->maps.scratch, (uint32_t)cpus + POOL) &&
	    !match_bpf__load(skeleton))
		return skeleton;
	match_bpf__destroy(skeleton);
	return NULL;
}

static int test(struct run *run, uint64_t pairs)
{
	int r = 0;

	run->image = -1;
	run->request = &run->skeleton->bss->request;
	sample_event_init(&run->event);
	while (r == 0 && run->pairs < pairs)
		r = try_set(run);
	tell(run);
	free(run->event.text);
	if (run->image >= 0)
		close(run->image);
	return r;
}

int main(void)
{
	struct run *run = calloc(1, sizeof(*run));
	int r;

	sample_state = number_from("LICTOR_SEED", (uint64_t)time(NULL));
	printf("LICTOR_SEED=%lu\n", (unsigned long)sample_state);
	sample_state = (sample_state + 1) * 0x9e3779b97f4a7c15ull | 1;
	libbpf_set_print(quiet);
	if (!run)
		return 1;
	run->skeleton = load();
	if (!run->skeleton) {
		r = errno;
		printf("%s match-bpf: it cannot be loaded: %s\n",
		       r == EPERM || r == ENOSYS ? "skip" : "not ok", strerror(r));
		free(run);
		return r != EPERM && r != ENOSYS;
	}
	r = test(run, number_from("LICTOR_ITERATIONS", PAIRS));
	if (r < 0)
		printf("not ok match-bpf: %s\n", strerror(-r));
	else
		printf("ok match-bpf: the BPF build agrees with the host's\n");
	match_bpf__destroy(run->skeleton);
	free(run);
	return r < 0;
}
