/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a process is accounted for: its control group (of the unified hierarchy), the systemd unit
 * and the container that the group's path tells of. A path is walked once for each group and
 * generation of rules.
 *
 * A name on the path counts only if root gave it: whoever owns a directory makes groups below it
 * as he likes, and could pass for another unit, or for a container.
 */
#ifndef LICTOR_CGROUP_BPF_H
#define LICTOR_CGROUP_BPF_H

#include "bpf/process.bpf.h"
#include "bpf/cgroup.h"

#define LICTOR_CGROUP_DEPTH 257	/* levels, and the root */

/* What the name in `part` says, which begins at the cursor: of several, the uppermost counts. */
__noinline int lictor_cgroup_name(struct lictor_scratch *s, u32 length)
{
	struct lictor_cgroup *g;
	u32 from = 0, count;

	if (!s)
		return 0;
	g = &s->cgroup;
	count = lictor_container_part(&g->part, length, g->supervised, &from);
	if (count) {
		g->container = g->cursor + from;
		g->container_length = count;
		/* What is below it, its own root may have named. */
		g->unit_length = 0;
	}
	if (lictor_is_unit(&g->part, length)) {
		g->unit = g->cursor;
		g->unit_length = length;
	}
	g->supervised = lictor_is_supervisor(&g->part, length);
	return 0;
}

static __always_inline int lictor_cgroup_above(u64 node, u64 *ret_parent)
{
	if (bpf_core_field_exists(struct kernfs_node, parent))
		return LICTOR_PEEK(*ret_parent, node, struct kernfs_node, parent);
	return LICTOR_PEEK(*ret_parent, node, struct kernfs_node___later, __parent);
}

/* One group, from the process's own up. */
static long lictor_cgroup_step(u32 index, struct lictor_climb *c)
{
	struct lictor_scratch *s = c->s;
	struct lictor_cgroup *g = &s->cgroup;
	u64 parent = 0, name = 0, attributes = 0;
	u32 owner = 0, cursor;
	umode_t mode = 0;
	long length;

	g->problem = LICTOR_REASON_CGROUP_UNREADABLE;
	if (lictor_cgroup_above(g->node, &parent))
		return 1;
	if (!parent) {
		g->problem = 0;
		return 1;
	}
	if (LICTOR_PEEK(attributes, g->node, struct kernfs_node, iattr) ||
	    (attributes && LICTOR_PEEK(owner, attributes, struct kernfs_iattrs, ia_uid)) ||
	    LICTOR_PEEK(mode, g->node, struct kernfs_node, mode) ||
	    LICTOR_PEEK(name, g->node, struct kernfs_node, name))
		return 1;
	if (owner || mode & 022) {
		g->unit_length = 0;
		g->container_length = 0;
		g->supervised = 0;
	}
	length = bpf_probe_read_kernel_str(g->part.byte, sizeof(g->part.byte), (const void *)name);
	cursor = g->cursor;
	if (length < 2 || length > 256 || cursor > LICTOR_PATH_MAX || cursor <= length)
		return 1;
	length--;
	cursor -= length;
	bpf_probe_read_kernel(&s->text[lictor_region_at(LICTOR_REGION_SHORT, cursor)],
			      LICTOR_MASK((u32)length, 255), g->part.byte);
	g->cursor = cursor;
	lictor_cgroup_name(s, length);
	g->cursor = cursor - 1;
	s->text[lictor_region_at(LICTOR_REGION_SHORT, cursor - 1)] = '/';
	g->node = parent;
	return 0;
}

/* The path of the group into region SHORT. Returns why that cannot be had, or 0. */
__noinline int lictor_cgroup_path(struct lictor_scratch *s, u64 node)
{
	struct lictor_climb climb = { .s = s };
	struct lictor_cgroup *g;

	if (!s)
		return 0;
	g = &s->cgroup;
	g->node = node;
	g->cursor = LICTOR_PATH_MAX;
	g->unit_length = 0;
	g->container_length = 0;
	g->supervised = 0;
	/* Each step says that it could not be read, until one has come to the root. */
	bpf_loop(LICTOR_CGROUP_DEPTH, lictor_cgroup_step, &climb, 0);
	if (!g->problem && g->cursor == LICTOR_PATH_MAX) {
		g->cursor--;
		s->text[lictor_region_at(LICTOR_REGION_SHORT, g->cursor)] = '/';
	}
	return g->problem;
}

static __always_inline void lictor_cgroup_classify(struct lictor_scratch *s, u32 at, u32 length,
						   u32 string)
{
	lictor_classify_text(s, s->generation, LICTOR_SPACE_CGROUP,
			     lictor_region_at(LICTOR_REGION_SHORT, at) | length << 16, string);
	lictor_hits_same(&s->facts.hits[string]);
}

static __always_inline void lictor_cgroup_states(struct lictor_scratch *s, u32 state)
{
	s->facts.hits[LICTOR_STRING_CGROUP].state = state;
	s->facts.hits[LICTOR_STRING_UNIT].state = state;
	s->facts.hits[LICTOR_STRING_CONTAINER].state = state;
	s->facts.v.state[LICTOR_FIELD_CGROUP_PATH] = state;
	s->facts.v.state[LICTOR_FIELD_SERVICE_NAME] = state;
	s->facts.v.state[LICTOR_FIELD_CONTAINER_ID] = state;
}

static __always_inline void lictor_cgroup_found(struct lictor_scratch *s)
{
	lictor_cgroup_states(s, LICTOR_ABSENT);
	s->facts.hits[LICTOR_STRING_CGROUP] = s->cgroup.found.path;
	s->facts.hits[LICTOR_STRING_UNIT] = s->cgroup.found.unit;
	s->facts.hits[LICTOR_STRING_CONTAINER] = s->cgroup.found.container;
}

/* What rules ask of the group. */
static __noinline int lictor_gather_cgroup(struct lictor_scratch *s, u64 node)
{
	struct lictor_group_key *key;
	struct lictor_cgroup *g;
	const struct lictor_control *c;
	struct lictor_group *known;

	if (!s)
		return 0;
	g = &s->cgroup;
	key = &g->key;
	lictor_cgroup_states(s, LICTOR_UNKNOWN);
	c = lictor_in_force();
	if (!c || !c->unified) {
		lictor_reason(s, LICTOR_REASON_CGROUP_UNREADABLE);
		return 0;
	}
	key->generation = s->generation;
	if (LICTOR_PEEK(key->id, node, struct kernfs_node, id)) {
		lictor_reason(s, LICTOR_REASON_CGROUP_UNREADABLE);
		return 0;
	}
	known = bpf_map_lookup_elem(&groups, key);
	if (known) {
		g->found = *known;
		barrier();
		/* Still its own, and not another group's that has got its room? */
		if (known->key.id == key->id && known->key.generation == key->generation) {
			lictor_cgroup_found(s);
			return 0;
		}
	}
	if (lictor_cgroup_path(s, node)) {
		lictor_reason(s, g->problem);
		return 0;
	}
	lictor_cgroup_states(s, LICTOR_ABSENT);
	lictor_cgroup_classify(s, g->cursor, LICTOR_PATH_MAX - g->cursor, LICTOR_STRING_CGROUP);
	/* On the host, the container is the empty text. */
	lictor_cgroup_classify(s, g->container, g->container_length, LICTOR_STRING_CONTAINER);
	if (g->unit_length)
		lictor_cgroup_classify(s, g->unit, g->unit_length, LICTOR_STRING_UNIT);
	g->found.key = *key;
	g->found.path = s->facts.hits[LICTOR_STRING_CGROUP];
	g->found.unit = s->facts.hits[LICTOR_STRING_UNIT];
	g->found.container = s->facts.hits[LICTOR_STRING_CONTAINER];
	bpf_map_update_elem(&groups, key, &g->found, BPF_ANY);
	return 0;
}

/* For the record. */
__noinline int lictor_record_cgroup(struct lictor_scratch *s, u64 node)
{
	struct lictor_cgroup *g;
	u32 length, at;

	if (!s || lictor_cgroup_path(s, node))
		return 0;
	g = &s->cgroup;
	at = g->cursor;
	length = LICTOR_PATH_MAX - at;
	if (length > LICTOR_CGROUP_TEXT) {
		at += length - LICTOR_CGROUP_TEXT;
		length = LICTOR_CGROUP_TEXT;
	}
	lictor_record_text(s, LICTOR_FIELD_CGROUP_PATH, at == g->cursor ? 0 : LICTOR_TEXT_CUT,
			   &s->text[lictor_region_at(LICTOR_REGION_SHORT, at)], length);
	if (g->unit_length)
		lictor_record_text(s, LICTOR_FIELD_SERVICE_NAME, 0,
				   &s->text[lictor_region_at(LICTOR_REGION_SHORT, g->unit)],
				   g->unit_length);
	if (g->container_length)
		lictor_record_text(s, LICTOR_FIELD_CONTAINER_ID, 0,
				   &s->text[lictor_region_at(LICTOR_REGION_SHORT, g->container)],
				   g->container_length);
	return 0;
}

static __always_inline u64 lictor_cgroup_of(struct task_struct *task)
{
	return (u64)BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
}

#endif
