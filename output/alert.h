/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to tell, once: a decision of the kernel's or a word of the daemon's own. decode
 * and enrich fill it, formatters read it, sinks never see it. Every byte string in it may have
 * been chosen by an attacker; formatters escape, nobody else does.
 */
#ifndef LICTOR_ALERT_H
#define LICTOR_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "bpf/abi.h"

/* X(ID, name in `event.action`, text) of what the daemon says of itself. */
#define LICTOR_NOTICE_TABLE(X) \
	X(START, "lictor.start", "Lictor has started") \
	X(STOP, "lictor.stop", "Lictor is stopping") \
	X(RULES_LOADED, "lictor.rules-loaded", "rules are in force") \
	X(RULES_REJECTED, "lictor.rules-rejected", "rules were refused; those in force stay") \
	X(HEARTBEAT, "lictor.heartbeat", "Lictor is running") \
	X(LOST, "lictor.lost", "records were lost") \
	X(LIMITED, "lictor.limited", "reports were left out by a rule's limit") \
	X(DEGRADED, "lictor.degraded", "something cannot be enforced or observed") \
	X(ROTATED, "lictor.rotated", "the log file was rotated") \
	X(SILENCED, "lictor.silenced", "enforcement has stopped: the kernel runs no program any more") \
	X(RECOVERED, "lictor.recovered", "the kernel runs Lictor's programs again") \
	X(TAMPERING, "lictor.tampering", "somebody tried to stop enforcement, and was refused")

enum lictor_notice {
	LICTOR_NOTICE_NONE,	/* a decision */
#define X(id, name, text) LICTOR_NOTICE_##id,
	LICTOR_NOTICE_TABLE(X)
#undef X
	LICTOR_NOTICES
};

struct lictor_bytes {
	const char *byte;	/* NULL: no such value */
	size_t length;
	bool cut;		/* its beginning is missing */
};

/* A process when it made another one. */
struct lictor_alert_ancestor {
	uint32_t pid;
	uint32_t user;
	uint64_t start_ns;		/* since boot */
	uint64_t program;		/* by which the kernel side knows its path */
	bool inferred;			/* Lictor came later */
	struct lictor_bytes executable;	/* found out in user space */
	const char *user_name;		/* the same; or NULL */
};

/* A rule as the outputs name it. */
struct lictor_rule_label {
	const char *name;
	const char *ruleset;
	const char *description;	/* or NULL */
	const char *message;		/* the rule's `message`, or NULL */
	int severity;			/* journal priority */
	int action;			/* enum lictor_action */
	size_t tags;
	const char *const *tag;
};

/* A counter that a notice carries, e.g. {"events", 12} -> lictor.counters.events. */
struct lictor_counter {
	const char *name;
	uint64_t value;
};

struct lictor_alert {
	enum lictor_notice notice;
	uint64_t sequence;		/* of everything that is told; a gap is a loss */
	struct timespec time;		/* CLOCK_REALTIME */
	int severity;			/* journal priority: the gravest of its rules' */

	/* a decision */
	enum lictor_event event;
	enum lictor_verdict verdict;
	const char *hook;		/* the kernel's name of the hook */
	const char *via;
	bool monitor;			/* the deciding rule only monitors */
	int error;			/* errno the system call failed with, or 0 */
	int signal;			/* sent, or 0 */
	uint64_t generation;
	uint32_t suppressed;
	uint32_t reasons;		/* bit per enum lictor_reason */
	uint32_t flags;			/* LICTOR_RECORD_* */
	uint32_t matched;		/* rules that matched, of which `rules` are listed */
	size_t rules;			/* the deciding one first */
	const struct lictor_rule_label *const *rule;

	uint32_t pid;
	uint32_t tid;
	uint32_t parent_pid;
	int64_t boot_offset;		/* CLOCK_REALTIME minus CLOCK_BOOTTIME, ns; 0: not known */
	uint64_t start_ns;		/* since boot */
	uint64_t parent_start_ns;
	uint32_t subject_flags;		/* LICTOR_SUBJECT_* */
	struct lictor_inode file;	/* that the event is about */
	struct lictor_inode image;	/* of the program that the process runs */
	uint32_t file_gid;
	struct lictor_values values;	/* numbers of all fields, with their states */
	struct lictor_bytes text[LICTOR_FIELDS_MAX];	/* strings of all fields */
	/* the same as the host sees them, where that differs */
	struct lictor_bytes host_path;		/* file.path or module.path */
	struct lictor_bytes host_target_path;
	struct lictor_bytes host_source;	/* mount.source of a move */

	size_t ancestors;		/* the nearest first */
	struct lictor_alert_ancestor ancestor[LICTOR_ANCESTORS];
	bool ancestors_cut;		/* there are more */
	struct lictor_bytes args;	/* each ends with a NUL, but where their end is missing */

	/* found out in user space; NULL where unknown */
	const char *user_name;
	const char *user_effective_name;
	const char *user_audit_name;
	const char *user_target_name;
	const char *target_user_name;
	const char *group_name;
	const char *group_target_name;
	const char *file_owner_name;
	const char *file_hash;		/* SHA-256 in hexadecimal digits; of exec */
	const char *process_hash;
	/* too young for a change since to show: that one may be of what the file became */
	bool file_hash_uncertain;
	bool process_hash_uncertain;

	/* a notice */
	const char *detail;		/* or NULL */
	size_t counters;
	const struct lictor_counter *counter;
};

/* What is the same in every record. */
struct lictor_host {
	char name[256];
	char boot_id[40];
	char machine_id[40];
	const char *version;		/* Lictor's */
};

#endif
