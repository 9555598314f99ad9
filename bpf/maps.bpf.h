/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every map of the kernel side. Above each: key, value, who writes, who reads, lifetime, and what
 * happens when it is full.
 */
#ifndef LICTOR_MAPS_H
#define LICTOR_MAPS_H

#include "bpf/kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "bpf/abi.h"

/*
 * Slot (generation & 1) -> the image of that generation, an array of pages. Written by the daemon
 * before the flip, read by every decision; an image lives until its slot is used again or emptied.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(map_flags, BPF_F_INNER_MAP);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(u32));
		__uint(value_size, LICTOR_PAGE_SIZE);
	});
} images SEC(".maps");

/*
 * Slot -> counters of that generation's rules: entry (CPU * rules + rule) is that CPU's. (A per-CPU
 * array cannot vary in size inside a map of maps on every kernel.) Written by decisions, read by the
 * daemon.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_ARRAY);
		__uint(map_flags, BPF_F_INNER_MAP);
		__uint(max_entries, 1);
		__uint(key_size, sizeof(u32));
		__uint(value_size, sizeof(struct lictor_rule_count));
	});
} rule_counts SEC(".maps");

/* 0 -> what is in force. Written by the daemon: `active` in one store, the flip. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lictor_control);
} control SEC(".maps");

/* 0 -> counters that no rule has. Written by decisions, read by the daemon. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lictor_stats);
} stats SEC(".maps");

/*
 * A task -> its identity, fixed at exec, inherited at fork. Written by the trackers and the task
 * iterator, read by every decision; gone with the task. No memory for it: NO_SUBJECT.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lictor_subject);
} subjects SEC(".maps");

/*
 * A process (its first task) -> what it comes from. Written by the trackers, read for records. No
 * memory for it: the record goes without.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lictor_history);
} histories SEC(".maps");

/*
 * Process -> what it was started with. Made where rules ask for that; written at exec and fork,
 * read by decisions; gone with the process. No memory for it: NO_SUBJECT, and what it was started
 * with is unknown.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lictor_start);
} starts SEC(".maps");

/*
 * The same of a process that was there before the rules: written by lictord before they come into
 * force, and at fork; two maps, so that neither writes over what the other has found.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lictor_read_start);
} read_starts SEC(".maps");

/*
 * A task that executes -> the files that it has been run through. Made where rules about exec ask
 * for what a program is started with; written when they are checked, read and deleted when the
 * program has been loaded, or emptied by the next exec if this one fails. No memory for it: they
 * are unknown.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct lictor_scripts);
} scripts SEC(".maps");

/*
 * Number of a program's path -> the path. Written when it is executed, read by the daemon for
 * records. Full: the least used one goes, and ancestors that ran it are told without it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u64);
	__type(value, struct lictor_program);
} programs SEC(".maps");

/*
 * (process, rule) -> its token bucket. Written by decisions, told and cleared by the daemon. Full:
 * the least used bucket goes, which only means that its process is reported in full again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct lictor_limit_key);
	__type(value, struct lictor_limit);
} limits SEC(".maps");

/*
 * (control group, generation) -> what its path is by the rules of that generation. Written and read
 * by decisions. Full: the least used one goes, and is worked out again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct lictor_group_key);
	__type(value, struct lictor_group);
} groups SEC(".maps");

/*
 * The root of a mount -> where the host has mounted it since the image was made. Written within the
 * mount itself (lsm/anchor.bpf.c), put right by the daemon when the table of mounts has
 * changed; read by walks, beside the image. Full: what is mounted then is known by the process's own
 * view only, until the next reload, which is counted (NO_ANCHOR).
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, struct lictor_late_key);
	__type(value, struct lictor_late);
} late_anchors SEC(".maps");

/*
 * A device of an image -> whether its file system is gone: its number, and those of its inodes, may
 * be used again by anybody. Written by the daemon before the image comes into force, and by the end
 * of a file system; read where an anchor of the image is found. Full: the rules are not loaded.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct lictor_device);
	__type(value, u32);
} devices SEC(".maps");

/*
 * Address of a struct file that was open before the rules in force came -> which file that was.
 * Written by the scan at a load, read by the hooks on writing and sending; an open of the address
 * takes it out.
 * Full: the descriptors that do not fit are not looked at again, which is counted (NO_HELD).
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, u64);
	__type(value, struct lictor_held);
} held_files SEC(".maps");

/*
 * Address of a struct file that was opened during a scan -> by which generation it was judged.
 * Written by opens during it, read by the scan. Full: the least used one goes, and the scan reports
 * that file as older than the rules.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, struct lictor_opened);
} opened_files SEC(".maps");

/*
 * pid_tgid -> address of the socket whose connecting it is to be refused, from the function that
 * prepares it until the program of the control group that is asked in it. Full: not refused, and
 * reported as let pass.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, u64);
	__type(value, u64);
} refused SEC(".maps");

/*
 * Records that say what was stopped (verdicts) or what was seen (reports), apart, so that a flood
 * of one cannot push out the other. Written by decisions, drained by the daemon. Full: the record
 * is lost, the verdict is not, and the loss is counted per rule and per ring.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 512 * 1024);
} verdicts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} reports SEC(".maps");

#endif
