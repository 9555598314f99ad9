/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: mounts that are made after the rules came into force. The kernel side names
 * each one within the mount itself; here these names are put right when the table of mounts has
 * changed, and what it has not seen (a tree moved by kprobes' ways, mounts between the search for
 * anchors and the installation) is looked up. May touch: the maps of late anchors and devices,
 * /proc/self/mountinfo, places of mounts that nothing else has told of.
 */
#include "daemon/loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/own.h"
#include "rules/host.h"

/* How long it takes, at most, from announcing a mount to making it. */
#define SETTLED_NS 5000000000ull
/* Names that may go before the filter is made anew. */
#define STALE 64

struct names {
	size_t count;
	bool lost;	/* there are more, or longer ones */
	int mount[LICTOR_LATE_NAMES];	/* that has it; 0: the whole that the mount is part of */
	char name[LICTOR_LATE_NAMES][LICTOR_LATE_NAME + 1];	/* padded with zeros */
};

/* What the kernel side knows, the names of an object beside each other. */
struct known {
	size_t count, room;
	struct known_name {
		struct lictor_late_key key;
		struct lictor_late late;
	} *name;
};

static void free_known(struct known *known)
{
	free(known->name);
}

static int keep_known(struct known *known, const struct known_name *name)
{
	if (known->count == known->room) {
		size_t room = known->room ? known->room * 2 : 64;
		struct known_name *grown = realloc(known->name, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		known->name = grown;
		known->room = room;
	}
	known->name[known->count++] = *name;
	return 0;
}

static bool is_of(const struct lictor_late_key *a, const struct lictor_late_key *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->igeneration == b->igeneration;
}

static int compare_keys(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct lictor_late_key));
}

static int read_known(int map, struct known *ret)
{
	struct lictor_late_key key, *at = NULL;
	size_t kept = 1;

	ret->count = 0;
	while (!bpf_map_get_next_key(map, at, &key)) {
		struct known_name name = { .key = key };

		at = &key;
		if (!bpf_map_lookup_elem(map, &key, &name.late) && keep_known(ret, &name))
			return -ENOMEM;
	}
	if (!ret->count)
		return 0;
	qsort(ret->name, ret->count, sizeof(*ret->name), compare_keys);
	/* What is written while the map is walked may be come to twice. */
	for (size_t i = 1; i < ret->count; i++)
		if (compare_keys(&ret->name[kept - 1], &ret->name[i]))
			ret->name[kept++] = ret->name[i];
	ret->count = kept;
	return 0;
}

static int read_object(int map, const struct lictor_late_key *key, struct known *ret)
{
	struct known_name name = { .key = *key };

	for (name.key.number = 0; name.key.number < LICTOR_LATE_NAMES; name.key.number++)
		if (!bpf_map_lookup_elem(map, &name.key, &name.late) && keep_known(ret, &name))
			return -ENOMEM;
	return 0;
}

/* The names of the object that number `first` is one of. */
static struct known object_at(const struct known *known, size_t first)
{
	struct known object = { .name = known->name + first };

	while (first + object.count < known->count &&
	       is_of(&object.name[object.count].key, &object.name[0].key))
		object.count++;
	return object;
}

uint64_t lictor_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void add_name(struct names *names, const char *name, int mount)
{
	size_t length = strlen(name);

	if (length < 2)
		return;
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->name[i], name))
			return;
	if (names->count == LICTOR_LATE_NAMES || length > LICTOR_LATE_NAME) {
		names->lost = true;
		return;
	}
	names->mount[names->count] = mount;
	memcpy(names->name[names->count++], name, length + 1);
}

static bool holds(const struct known_name *name)
{
	return name->late.length && name->late.length <= LICTOR_LATE_NAME;
}

static void known_names(const struct known *object, struct names *ret)
{
	*ret = (struct names){ 0 };
	for (size_t i = 0; i < object->count && ret->count < LICTOR_LATE_NAMES; i++) {
		const struct lictor_late *late = &object->name[i].late;

		if (!holds(&object->name[i]))
			continue;
		ret->mount[ret->count] = (int)late->mount;
		memcpy(ret->name[ret->count], late->name, late->length);
		ret->count++;
	}
}

/* A part is where its mount is, and has its place in the whole. If it has not all of its names, it
   has none: then the object above it counts, whose names are known. */
static void names_of_mount(const struct lictor_mounts *table, const struct lictor_mount *mount,
			   struct names *ret)
{
	char name[PATH_MAX];

	add_name(ret, mount->path, mount->id);
	for (size_t i = 0; strcmp(mount->root, "/") && i < table->count; i++)
		if (lictor_mount_within(mount, &table->mount[i], name))
			add_name(ret, name, 0);
	if (strcmp(mount->root, "/") && ret->lost)
		ret->count = 0;
}

static void names_of_part(const struct lictor_mounts *table, uint32_t dev,
			  const struct names *known, struct names *ret)
{
	for (size_t k = 0; k < known->count; k++)
		for (size_t i = 0; known->mount[k] && !ret->lost && i < table->count; i++)
			if (table->mount[i].id == known->mount[k] && table->mount[i].dev == dev)
				names_of_mount(table, &table->mount[i], ret);
}

/* What is known and holds comes first: of more names than are kept, the older ones are. */
static void names_of_whole(const struct lictor_mounts *table, uint32_t dev,
			   const struct names *known, struct names *ret)
{
	for (size_t k = 0; k <= known->count; k++)
		for (size_t i = 0; i < table->count; i++)
			if (table->mount[i].dev == dev && !strcmp(table->mount[i].root, "/") &&
			    (k == known->count || !strcmp(table->mount[i].path, known->name[k])))
				add_name(ret, table->mount[i].path, table->mount[i].id);
}

/* The kernel side adds bits to both filters; here one is in use and the other is made. */
static void mark(struct lictor_engine *engine, const struct lictor_late_key *key)
{
	uint32_t bit = lictor_anchor_bit(key->ino, key->dev);

	for (int i = 0; i < 2; i++)
		__atomic_fetch_or(&engine->control->late_filter[i][lictor_late_word(bit)],
				  1ull << (lictor_late_shift(bit) + key->number), __ATOMIC_RELEASE);
}

static bool is_name(const struct lictor_late *late, const struct names *names, size_t n)
{
	return late->length == strlen(names->name[n]) &&
	       late->mount == (uint32_t)names->mount[n] &&
	       !memcmp(late->name, names->name[n], late->length);
}

/* Returns false if no number is free. The kernel may take one at the same time: then the next. */
static bool give_name(struct lictor_engine *engine, struct lictor_late_key key, bool part,
		      const struct names *names, size_t n)
{
	int map = lictor_engine_map(engine, "late_anchors");
	struct lictor_late late = {
		.since_ns = lictor_monotonic_ns(),
		.mount = (uint32_t)names->mount[n],
		.length = (uint16_t)strlen(names->name[n]),
		.part = part,
	};

	memcpy(late.name, names->name[n], late.length);
	for (key.number = 0; key.number < LICTOR_LATE_NAMES; key.number++) {
		struct lictor_late there;

		if (!bpf_map_lookup_elem(map, &key, &there)) {
			if (is_name(&there, names, n) && !there.announced)
				return true;
			continue;
		}
		mark(engine, &key);
		if (!bpf_map_update_elem(map, &key, &late, BPF_NOEXIST))
			return true;
	}
	return false;
}

/* Unless the kernel has given the name once more since it was read. */
static void take_name(struct lictor_engine *engine, const struct known_name *name)
{
	int map = lictor_engine_map(engine, "late_anchors");
	struct lictor_late now;

	__atomic_fetch_add(&engine->control->late_turn, 1, __ATOMIC_SEQ_CST);
	if (!bpf_map_lookup_elem(map, &name->key, &now) &&
	    !memcmp(&now, &name->late, sizeof(now))) {
		bpf_map_delete_elem(map, &name->key);
		engine->stale++;
	}
	__atomic_fetch_add(&engine->control->late_turn, 1, __ATOMIC_SEQ_CST);
}

/* Has its mount been announced, may it still come, and is it not there yet? */
static bool is_awaited(const struct lictor_late *late, const struct names *names)
{
	if (!late->announced || lictor_monotonic_ns() >= late->since_ns + SETTLED_NS)
		return false;
	for (size_t n = 0; n < names->count; n++)
		if (is_name(late, names, n))
			return false;
	return true;
}

/*
 * Gives the object these names, and takes all others that are known of it; of a mount that has been
 * announced and has come, too: it is given the name anew. Returns false if this has to be looked at
 * again: such a mount may still come, or the kernel has taken what numbers there were meanwhile.
 */
static bool put_right(struct lictor_engine *engine, const struct known *object,
		      const struct lictor_late_key *key, bool part, const struct names *names)
{
	bool there[LICTOR_LATE_NAMES] = { false }, stays[LICTOR_LATE_NAMES] = { false };
	bool settled = true;
	size_t go = 0;

	for (size_t i = 0; i < object->count; i++) {
		const struct lictor_late *late = &object->name[i].late;

		if (!holds(&object->name[i]))
			continue;
		if (is_awaited(late, names)) {
			stays[i] = true;
			settled = false;
		}
		for (size_t n = 0; n < names->count && !late->announced && !stays[i]; n++)
			if (!there[n] && is_name(late, names, n))
				there[n] = stays[i] = true;
	}
	for (size_t n = 0; n < names->count; n++)
		while (!there[n] && !give_name(engine, *key, part, names, n)) {
			while (go < object->count && stays[go])
				go++;
			if (go == object->count) {
				settled = false;
				break;
			}
			take_name(engine, &object->name[go++]);
		}
	for (; go < object->count; go++)
		if (!stays[go])
			take_name(engine, &object->name[go]);
	return settled;
}

/*
 * Puts the names of an object right, by a table that was read after what is known of it: what the
 * kernel named before is in it, since it is read under the lock that the kernel mounts under.
 * Returns what put_right() does.
 */
static bool name_root(struct lictor_engine *engine, const struct lictor_mounts *table,
		      const struct known *object)
{
	const struct lictor_late_key *key = &object->name[0].key;
	struct names known, names = { 0 };
	bool part = false;

	for (size_t i = 0; i < object->count; i++)
		part |= object->name[i].late.part;
	known_names(object, &known);
	if (part)
		names_of_part(table, key->dev, &known, &names);
	else if (known.count)
		names_of_whole(table, key->dev, &known, &names);
	return put_right(engine, object, key, part, &names);
}

static bool is_named(const struct known *known, const struct lictor_mount *mount)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->name[i].key.dev == mount->dev && holds(&known->name[i]) &&
		    known->name[i].late.mount == (uint32_t)mount->id)
			return true;
	return false;
}

/* What nobody has told of is opened: only that, since a descriptor keeps others from unmounting. */
static bool look_up(struct lictor_engine *engine, const struct lictor_mounts *table,
		    const struct lictor_mount *mount)
{
	struct known known OWN(free_known) = { 0 };
	struct lictor_late_key key = { 0 };
	struct lictor_root_file object;
	struct names names;
	int error = lictor_engine_object(engine, mount, &object);

	/* Below what only a server can tell, it is not looked for again. */
	if (error)
		return error == -EAGAIN;
	key.ino = object.ino;
	key.dev = object.dev;
	key.igeneration = object.igeneration;
	if (read_object(lictor_engine_map(engine, "late_anchors"), &key, &known))
		return false;
	known_names(&known, &names);
	names_of_mount(table, mount, &names);
	return put_right(engine, &known, &key, strcmp(mount->root, "/") != 0, &names);
}

static void look_up_untold(struct lictor_engine *engine, const struct known *known,
			   struct lictor_mounts *table)
{
	bool *told = calloc(table->count + 1, sizeof(*told));

	for (size_t i = 0; told && i < table->count; i++)
		told[i] = lictor_mounts_find(&engine->table, &table->mount[i]) ||
			  is_named(known, &table->mount[i]) ||
			  look_up(engine, table, &table->mount[i]);
	/* What is covered, say, has its turn when it is not. */
	if (told)
		lictor_mounts_keep(table, told);
	free(told);
	lictor_mounts_free(&engine->table);
	engine->table = *table;
	*table = (struct lictor_mounts){ 0 };
}

/*
 * Of an object that is no more, the bit stays; so from time to time the filter that is not in use
 * is emptied, and when no program runs that set bits before that, filled from what there is.
 */
static int make_filter(struct lictor_engine *engine)
{
	struct known known OWN(free_known) = { 0 };
	uint32_t other = engine->control->late_slot ^ 1;
	int error;

	/* Nobody reads it any more who began when it was in use. */
	lictor_engine_wait(engine);
	memset(engine->control->late_filter[other], 0, sizeof(engine->control->late_filter[other]));
	lictor_engine_wait(engine);
	error = read_known(lictor_engine_map(engine, "late_anchors"), &known);
	if (error)
		return error;
	for (size_t i = 0; i < known.count; i++)
		mark(engine, &known.name[i].key);
	__atomic_store_n(&engine->control->late_slot, other, __ATOMIC_RELEASE);
	engine->stale = 0;
	return 0;
}

int lictor_engine_follow_mounts(struct lictor_engine *engine)
{
	int map = lictor_engine_map(engine, "late_anchors");
	struct lictor_mounts table OWN(lictor_mounts_free) = { 0 };
	struct known known OWN(free_known) = { 0 };
	int error = read_known(map, &known), left = 0;

	/* Without rules nobody asks for names, and nobody tells of mounts: each would be opened, and
	   of none it would be known when it goes. */
	if (!error && !engine->rules[engine->generation & 1]) {
		for (size_t i = 0; i < known.count; i++)
			take_name(engine, &known.name[i]);
		return engine->stale ? make_filter(engine) : 0;
	}
	if (!error)
		error = lictor_mounts_read(&table);
	for (size_t i = 0; !error && i < known.count;) {
		struct known object = object_at(&known, i);

		left |= !name_root(engine, &table, &object);
		i += object.count;
	}
	if (!error)
		error = read_known(map, &known);
	if (!error)
		look_up_untold(engine, &known, &table);
	if (!error && engine->stale >= STALE)
		error = make_filter(engine);
	return error ? error : left;
}

/* ---- with a new image ---- */

int lictor_engine_note_devices(struct lictor_engine *engine, uint32_t slot)
{
	struct lictor_mounts table OWN(lictor_mounts_free) = { 0 };
	int map = lictor_engine_map(engine, "devices"), error;
	struct lictor_device key, next;
	bool more = !bpf_map_get_next_key(map, NULL, &key);

	while (more) {
		more = !bpf_map_get_next_key(map, &key, &next);
		if (key.slot == slot)
			bpf_map_delete_elem(map, &key);
		key = next;
	}
	for (size_t i = 0; i < engine->devices; i++) {
		uint32_t there = 0;

		key = (struct lictor_device){ engine->device[i], slot };
		error = bpf_map_update_elem(map, &key, &there, BPF_ANY);
		if (error)
			return error;
	}
	/* What has gone between the search and the note, has gone unseen. */
	error = lictor_mounts_read(&table);
	for (size_t i = 0; !error && i < engine->devices; i++) {
		uint32_t gone = 1;
		size_t k = 0;

		while (k < table.count && table.mount[k].dev != engine->device[i])
			k++;
		key = (struct lictor_device){ engine->device[i], slot };
		if (k == table.count) {
			error = bpf_map_update_elem(map, &key, &gone, BPF_ANY);
			engine->control->gone = 1;
		}
	}
	return error;
}

/* Is every place of the object one that the image has, and was before they were looked for? */
static bool is_sought(const struct lictor_engine *engine, const struct known *object)
{
	struct names names;
	size_t found = 0;
	bool part = false;

	for (size_t i = 0; i < object->count; i++) {
		if (object->name[i].late.since_ns >= engine->sought_ns)
			return false;
		part |= object->name[i].late.part;
	}
	known_names(object, &names);
	for (size_t k = 0; k < names.count; k++)
		for (size_t i = 0; i < engine->sought.count; i++)
			if (engine->sought.mount[i].dev == object->name[0].key.dev &&
			    !strcmp(engine->sought.mount[i].path, names.name[k])) {
				found++;
				break;
			}
	return part && names.count ? found > 0 : found == names.count;
}

/* The image knows what was mounted, and not covered, when its anchors were looked for. */
int lictor_engine_adopt_mounts(struct lictor_engine *engine)
{
	struct known known OWN(free_known) = { 0 };
	int error = read_known(lictor_engine_map(engine, "late_anchors"), &known);

	for (size_t i = 0; !error && i < known.count;) {
		struct known object = object_at(&known, i);
		bool sought = is_sought(engine, &object);

		for (size_t n = 0; sought && n < object.count; n++)
			take_name(engine, &object.name[n]);
		i += object.count;
	}
	lictor_mounts_free(&engine->table);
	engine->table = engine->sought;
	engine->sought = (struct lictor_mounts){ 0 };
	if (!error && engine->stale)
		error = make_filter(engine);
	if (!error)
		error = lictor_engine_follow_mounts(engine);
	return error < 0 ? error : 0;
}
