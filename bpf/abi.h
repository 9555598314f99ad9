/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The whole contract between the kernel side and user space: the image that a rule set is compiled
 * into, what the kernel keeps about a process, and the record that a decision leaves. Fixed widths,
 * host byte order, no pointers; offsets inside the image are bytes from its start, 0 means "none".
 * Whoever changes a shape here raises LICTOR_ABI_VERSION.
 */
#ifndef LICTOR_ABI_H
#define LICTOR_ABI_H

#ifndef __BPF__
#include <linux/types.h>
#endif

#define LICTOR_ABI_VERSION 6

/* ---- the vocabulary's numbers, from rules/vocab.tab ---- */

enum lictor_event {
#define EVENT(id, name, groups, deny, doc) LICTOR_EVENT_##id,
#include "rules/vocab.tab"
	LICTOR_EVENTS
};

enum lictor_field {
	LICTOR_FIELD_NONE,
#define FIELD(id, name, type, space, groups, trust, doc) LICTOR_FIELD_##id,
#include "rules/vocab.tab"
	LICTOR_FIELDS
};

#define LICTOR_FIELDS_MAX 96

/* A pattern space: the strings of one sort, classified by one set of automata. */
enum lictor_space {
	LICTOR_SPACE_NONE,
	LICTOR_SPACE_OBJECT, /* file.path, file.target_path */
	LICTOR_SPACE_IMAGE,  /* process.executable and its parent's and ancestors' */
	LICTOR_SPACE_NAME,   /* process.name and its parent's and ancestors' */
	LICTOR_SPACE_FS,     /* file.fs */
	LICTOR_SPACE_SOCKET, /* destination.path */
	LICTOR_SPACE_ARGS,
	LICTOR_SPACE_ENV,
	LICTOR_SPACE_CGROUP,
	LICTOR_SPACE_ARGUMENT, /* texts that calls are given: mount.source, module.name ... */
	LICTOR_SPACE_VERITY,   /* file.fsverity */
	LICTOR_SPACES
};

/* What a rule asks for, weakest first: the strongest of all that match is carried out. */
enum lictor_action {
	LICTOR_ACTION_NONE,
	LICTOR_ACTION_ALERT,
	LICTOR_ACTION_SIGNAL,
	LICTOR_ACTION_BLOCK,
	LICTOR_ACTION_KILL,
	LICTOR_ACTIONS
};

/* What was done. X(ID, name in every output) */
#define LICTOR_VERDICT_TABLE(X) \
	X(ALLOWED, "allowed")            /* reported, let pass */ \
	X(SIGNALED, "signaled") \
	X(BLOCKED, "blocked") \
	X(KILLED, "killed") \
	X(WOULD_SIGNAL, "would_signal")  /* monitor mode: what enforcing would have done */ \
	X(WOULD_BLOCK, "would_block") \
	X(WOULD_KILL, "would_kill")

enum lictor_verdict {
#define X(id, name) LICTOR_VERDICT_##id,
	LICTOR_VERDICT_TABLE(X)
#undef X
	LICTOR_VERDICTS
};

/* The ways into the kernel. */
#define LICTOR_VIA_TABLE(X) \
	X(LSM, "lsm") \
	X(FMOD_RET, "fmod_ret")	/* on security_*, where bpf is not among the LSMs: denies too */ \
	X(KPROBE, "kprobe")	/* on the same, where there are no trampolines: cannot deny */ \
	X(TP_BTF, "tp_btf") \
	X(FENTRY, "fentry")	/* on a function, where no hook is: cannot deny */ \
	X(CGROUP, "cgroup") \
	X(SCAN, "scan")		/* what was there before the rules */

enum lictor_via {
#define X(id, name) LICTOR_VIA_##id,
	LICTOR_VIA_TABLE(X)
#undef X
	LICTOR_VIAS
};

/*
 * The hooks, one program each. X(id, way, events that it decides)
 * The program for (id, LSM) is lsm_<id>, for TP_BTF tp_<id>, for FENTRY fe_<id>, for CGROUP
 * cg_<id>. Those of way LSM are also run as FMOD_RET and as KPROBE; those of FENTRY whose
 * section is LICTOR_ENTRY (ENTERED in daemon/ways.c), as KPROBE.
 */
#define E(id) (1ULL << LICTOR_EVENT_##id)
#define LICTOR_HOOK_TABLE(X) \
	X(bprm_check_security, LSM, E(EXEC)) \
	X(mmap_file, LSM, E(EXEC)) \
	X(file_mprotect, LSM, E(EXEC)) \
	X(file_open, LSM, E(READ) | E(WRITE)) \
	X(file_permission, LSM, E(WRITE)) \
	X(held_mmap, LSM, E(WRITE)) \
	X(held_send, LSM, E(CONNECT)) \
	X(socket_receive, LSM, E(CONNECT)) \
	X(sysctl_open, LSM, E(SYSCTL)) \
	X(sysctl_permission, LSM, E(SYSCTL)) \
	X(file_receive, LSM, E(READ) | E(WRITE)) \
	X(path_truncate, LSM, E(WRITE)) \
	X(file_truncate, LSM, E(WRITE)) \
	X(path_mknod, LSM, E(CREATE) | E(MKNOD)) \
	X(path_unlink, LSM, E(DELETE)) \
	X(path_rename, LSM, E(RENAME)) \
	X(path_link, LSM, E(LINK)) \
	X(path_symlink, LSM, E(SYMLINK)) \
	X(path_mkdir, LSM, E(MKDIR)) \
	X(path_rmdir, LSM, E(RMDIR)) \
	X(path_chmod, LSM, E(CHMOD)) \
	X(path_chown, LSM, E(CHOWN)) \
	X(inode_setxattr, LSM, E(XATTR)) \
	X(inode_removexattr, LSM, E(XATTR)) \
	X(inode_set_acl, LSM, E(XATTR)) \
	X(inode_remove_acl, LSM, E(XATTR)) \
	X(inode_getattr, LSM, E(STAT)) \
	X(socket_connect, LSM, E(CONNECT)) \
	X(socket_sendmsg, LSM, E(CONNECT)) \
	X(unix_stream_connect, LSM, E(CONNECT)) \
	X(unix_may_send, LSM, E(CONNECT)) \
	X(sctp_bind_connect, LSM, E(CONNECT) | E(BIND)) \
	X(socket_bind, LSM, E(BIND)) \
	X(socket_listen, LSM, E(LISTEN)) \
	X(socket_accept, LSM, E(ACCEPT)) \
	X(sock_graft, LSM, E(ACCEPT)) \
	X(socket_create, LSM, E(SOCKET)) \
	X(ptrace_access_check, LSM, E(PTRACE)) \
	X(ptrace_traceme, LSM, E(PTRACE)) \
	X(task_kill, LSM, E(SIGNAL)) \
	X(file_send_sigiotask, LSM, E(SIGNAL)) \
	X(task_fix_setuid, LSM, E(SETUID)) \
	X(task_fix_setgid, LSM, E(SETGID)) \
	X(task_fix_setgroups, LSM, E(SETGID)) \
	X(capset, LSM, E(CAPSET)) \
	X(task_prctl, LSM, E(CAPSET)) \
	X(userns_create, LSM, E(NAMESPACE)) \
	X(sb_mount, LSM, E(MOUNT)) \
	X(anchor_move, LSM, 0)	/* attached first, it is called last: if nothing denies */ \
	X(move_mount, LSM, E(MOUNT)) \
	X(sb_pivotroot, LSM, E(MOUNT)) \
	X(sb_remount, LSM, E(MOUNT)) \
	X(sb_umount, LSM, E(UMOUNT)) \
	X(kernel_post_read_file, LSM, E(MODULE)) \
	X(kernel_post_load_data, LSM, E(MODULE)) \
	X(kernel_read_file, LSM, E(KEXEC)) \
	X(kernel_load_data, LSM, E(KEXEC)) \
	X(bpf, LSM, E(BPF)) \
	X(perf_event_open, LSM, E(PERF)) \
	X(settime, LSM, E(SETTIME)) \
	X(uring_override_creds, LSM, E(IO_URING)) \
	X(uring_sqpoll, LSM, E(IO_URING)) \
	X(uring_cmd, LSM, E(IO_URING)) \
	X(inode_init_security_anon, LSM, E(IO_URING) | E(USERFAULTFD)) \
	X(task_getsid, LSM, 0)	/* the canary */ \
	X(sb_delete, LSM, 0)	/* anchors of what is no more */ \
	X(sched_process_exec, TP_BTF, E(EXEC)) \
	X(sched_process_exit, TP_BTF, E(EXIT)) \
	X(task_newtask, TP_BTF, E(NAMESPACE)) \
	X(module_free, TP_BTF, E(MODULE)) \
	X(switch_task_namespaces, FENTRY, E(NAMESPACE)) \
	X(userns_install, FENTRY, E(NAMESPACE)) \
	X(open_detached_copy, FENTRY, E(MOUNT)) \
	X(vfs_open_tree, FENTRY, E(MOUNT))	/* where there is no open_detached_copy */ \
	X(open_tree_attr, FENTRY, E(MOUNT)) \
	X(open_tree_attr_compat, FENTRY, E(MOUNT)) \
	X(mount_setattr, FENTRY, E(MOUNT)) \
	X(mount_setattr_compat, FENTRY, E(MOUNT)) \
	X(do_adjtimex, FENTRY, E(SETTIME)) \
	X(do_dup2, FENTRY, E(DUP)) \
	X(fd_install, FENTRY, E(DUP)) \
	X(uts_proc_notify, FENTRY, E(HOSTNAME)) \
	X(proc_do_uts_string, FENTRY, E(HOSTNAME)) \
	X(graft_tree, FENTRY, 0)	/* anchors, see anchor_move */ \
	X(mnt_set_mountpoint, FENTRY, 0) \
	X(path_mount, FENTRY, 0) \
	X(begin_new_exec, FENTRY, 0)	/* what a process was, and where it comes from */ \
	X(may_open, FENTRY, E(OPEN_FAILED)) \
	X(vfs_truncate, FENTRY, E(OPEN_FAILED)) \
	X(tcp_v4_pre_connect, FENTRY, E(CONNECT))	/* the kernel's own connections; */ \
	X(tcp_v6_pre_connect, FENTRY, E(CONNECT)) \
	X(udp_pre_connect, FENTRY, E(CONNECT)) \
	X(udpv6_pre_connect, FENTRY, E(CONNECT)) \
	X(refuse4, CGROUP, 0)	/* these deny them */ \
	X(refuse6, CGROUP, 0) \
	X(connect4, CGROUP, E(CONNECT)) \
	X(connect6, CGROUP, E(CONNECT)) \
	X(sendmsg4, CGROUP, E(CONNECT)) \
	X(sendmsg6, CGROUP, E(CONNECT)) \
	X(bind4, CGROUP, E(BIND)) \
	X(bind6, CGROUP, E(BIND))

enum lictor_hook {
#define X(id, way, events) LICTOR_HOOK_##id,
	LICTOR_HOOK_TABLE(X)
#undef X
	LICTOR_HOOKS
};

/*
 * Why the kernel side could not decide from the facts. Each is counted, travels in the record, and
 * counts as a match for rules that fail closed. X(ID, name in every output, what happened)
 */
#define LICTOR_REASON_TABLE(X) \
	X(PATH_TOO_LONG, "path_too_long", "the object's path is longer than PATH_MAX") \
	X(PATH_DISCONNECTED, "path_disconnected", "the object has no way up to a mount (file handle, NFS)") \
	X(PATH_UNREADABLE, "path_unreadable", "kernel memory on the way up could not be read") \
	X(NO_SUBJECT, "no_subject", "nothing is known about the process (no memory for its storage)") \
	X(NO_SCRATCH, "no_scratch", "every scratch buffer of this CPU and of the pool was in use") \
	X(NO_TABLES, "no_tables", "the rule image was not in place") \
	X(TOO_MANY_HITS, "too_many_hits", "a value matched more distinct patterns than are kept") \
	X(ADDRESS_UNREADABLE, "address_unreadable", "the socket address could not be read") \
	X(ADDRESS_FAMILY, "address_family", "the address family is not modelled") \
	X(ARGUMENT_UNREADABLE, "argument_unreadable", "a text that the call was given could not be read") \
	X(PROCESS_UNREADABLE, "process_unreadable", "what the process is like could not be read, or it has changed what it says of its program") \
	X(START_UNREADABLE, "start_unreadable", "what the process was started with could not be read, or is too long") \
	X(SCRIPT_UNKNOWN, "script_unknown", "what the script was is not known any more: there was no memory to keep it, or rules were replaced while it was executed") \
	X(VERITY_UNREADABLE, "verity_unreadable", "the file has an fs-verity digest, which could not be read, or kept until a script's program is loaded") \
	X(CGROUP_UNREADABLE, "cgroup_unreadable", "the process's control group could not be read, or is too deep") \
	X(NO_HELD, "no_held", "more descriptors older than the rules than are kept") \
	X(NO_ANCHOR, "no_anchor", "more, or longer, names of mounts made since the rules came than are kept") \
	X(MODULE_UNREADABLE, "module_unreadable", "the module's name could not be read (compressed, or no module)")

enum lictor_reason {
	LICTOR_REASON_NONE,
#define X(id, name, doc) LICTOR_REASON_##id,
	LICTOR_REASON_TABLE(X)
#undef X
	LICTOR_REASONS
};

/* ---- limits ---- */

#define LICTOR_PAGE_SHIFT	20u
#define LICTOR_PAGE_SIZE	(1u << LICTOR_PAGE_SHIFT)
#define LICTOR_PATH_MAX		4096u	/* with the terminating NUL, as in the kernel */
#define LICTOR_WORDS_MAX	64u	/* 64-bit words of a clause vector */
#define LICTOR_CLAUSES_MAX	(LICTOR_WORDS_MAX * 64)
#define LICTOR_RULES_MAX	16384u
#define LICTOR_EVENT_FIELDS_MAX	64u	/* distinct fields that the rules of one event may use */
#define LICTOR_AUTOMATA_MAX	24u	/* per pattern space */
#define LICTOR_OUTS_MAX		65535u	/* distinct outcomes of one pattern space */
#define LICTOR_HITS_MAX		8u	/* outcomes of one value that are kept */
#define LICTOR_ATOMS_MAX	256u	/* distinct predicates on ancestors, and on their names */
#define LICTOR_PROBES_MAX	32u	/* steps in a hash table of the image */
#define LICTOR_ANCHOR_NAMES	8u	/* names of one object */
#define LICTOR_LATE_NAMES	8u	/* more of it, since the rules came */
#define LICTOR_OBJECT_NAMES	(LICTOR_ANCHOR_NAMES + LICTOR_LATE_NAMES)
#define LICTOR_FILTER		64u	/* words of a filter of objects, 4,096 bits */
#define LICTOR_POOL		16u	/* scratch buffers beyond one a CPU */

/* ---- the image: what a rule set is compiled into ---- */

/*
 * An image is a run of pages of LICTOR_PAGE_SIZE. No table but the bulk ones (exact entries and
 * their text, interval arrays) crosses a page border, and no element of those does. The head and
 * the event heads are in page 0.
 */
#define LICTOR_IMAGE_MAGIC 0x4c494354u

/*
 * A set of atoms. An atom is one predicate on ancestors; its number outlives reloads as long as
 * a rule has that predicate, so that what a dead ancestor was is not forgotten.
 */
struct lictor_atoms {
	__u64 bit[LICTOR_ATOMS_MAX / 64];
};

struct lictor_table_hash {	/* open addressing, linear probing; slots is a power of two */
	__u32 off;
	__u32 slots;
};

struct lictor_space_head {
	struct lictor_table_hash exact;		/* of struct lictor_exact */
	__u32 automata;
	__u32 automaton[LICTOR_AUTOMATA_MAX];	/* offsets of struct lictor_automaton */
	__u32 outs;				/* outcomes are 1 .. outs */
	__u32 atoms;				/* struct lictor_atoms[outs + 1], or 0 */
};

#define LICTOR_VARIABLES_MAX	16u	/* that all rules together may name */
#define LICTOR_STARTS_ASKED	(1u << 0)	/* some rule asks for arguments, environment */
#define LICTOR_STARTS_EXEC	(1u << 1)	/* some rule about exec does */

struct lictor_image {
	__u32 magic;
	__u32 version;
	__u32 generation;
	__u32 pages;
	__u64 seed;				/* of every hash in the image */
	__u32 rules;
	__u32 rule_off;				/* struct lictor_rule_entry[rules] */
	struct lictor_table_hash anchors;	/* of struct lictor_anchor */
	__u64 anchor_filter[LICTOR_FILTER];	/* bit (ino mixed with dev): maybe an anchor */
	__u32 event[LICTOR_EVENTS];		/* offsets of struct lictor_event_head */
	__u32 starts;				/* LICTOR_STARTS_* */
	__u64 variable[LICTOR_VARIABLES_MAX];	/* hashes of the names in process.env, 0: none */
	struct lictor_atoms carried[2];		/* atoms that the generation before had too:
						   [0] of images, [1] of names */
	struct lictor_space_head space[LICTOR_SPACES];
};

/* How a field's value becomes outcomes. */
enum lictor_kind {
	LICTOR_KIND_NUMBER,	/* facts.num through an interval table */
	LICTOR_KIND_SET,	/* facts.num is a bit mask: each bit through an interval table */
	LICTOR_KIND_ADDRESS,	/* facts.address through an interval table of its family */
	LICTOR_KIND_STRING,	/* already classified: facts.hits[slot] */
	LICTOR_KIND_ANCESTOR,	/* facts.ancestors[slot]: atoms are the outcomes */
};

/*
 * One field as one event uses it. Vectors (struct lictor_vector) have a bit per clause:
 *	hit[out]   the clauses whose predicate on this field the outcome fulfils, `not` ignored
 *	flip       clauses that say `not` here, or do not mention the field
 *	absent     clauses that hold where the event has no such value
 *	unknown    clauses that hold where the value cannot be had
 *	generous   clauses for which one of two views of an object is enough
 */
struct lictor_field_head {
	__u16 field;
	__u8 kind;
	__u8 slot;
	__u32 table;	/* struct lictor_intervals (NUMBER, SET: numbers; ADDRESS: IPv4) */
	__u32 table6;	/* struct lictor_intervals of IPv6 addresses */
	__u32 outs;
	__u32 hit;	/* __u32 offset of a vector [outs + 1] */
	__u32 flip;
	__u32 absent;
	__u32 unknown;
	__u32 generous;
	__u32 pad;
};

/* What a hook has to find out before the event can be matched. */
#define LICTOR_NEED_PATH	(1u << 0)
#define LICTOR_NEED_TARGET	(1u << 1)
#define LICTOR_NEED_NAME	(1u << 2)
#define LICTOR_NEED_FS		(1u << 3)
#define LICTOR_NEED_SOCKET	(1u << 4)
#define LICTOR_NEED_SUBJECT	(1u << 5)
#define LICTOR_NEED_PROCESS	(1u << 6)
#define LICTOR_NEED_CGROUP	(1u << 7)
#define LICTOR_NEED_START	(1u << 8)
#define LICTOR_NEED_CWD		(1u << 9)
#define LICTOR_NEED_VERITY	(1u << 10)

struct lictor_event_head {
	__u32 fields;
	__u32 needs;
	__u64 match;		/* summary: words that hold match clauses */
	__u64 words;		/* summary: words in use */
	__u32 owner;		/* __u16[clauses]: of a match clause its rule, of an `unless`
				   clause the match clause that it clears */
	__u32 closed;		/* 1: a rule of it denies, and does so where it cannot decide */
	__u32 pathless;		/* match clauses that do not ask for one of the object's paths */
	__u32 pad;
	struct lictor_field_head field[LICTOR_EVENT_FIELDS_MAX];
};

/* Bit w of summary: word w is not zero; the words that are not zero follow in order. */
struct lictor_vector {
	__u64 summary;
	__u64 word[];
};

#define LICTOR_RULE_MONITOR	(1u << 0)	/* decide and report, let pass */
#define LICTOR_RULE_PEER	(1u << 2)	/* accept: asks for the peer, known only when accepted */
#define LICTOR_RULE_START	(1u << 3)	/* asks for arguments or environment: of exec,
						   known when the program has been loaded */
#define LICTOR_RULE_CREATES	(1u << 1)	/* is about create too, by the same facts: an open that
						   creates has been judged when it did */

#define LICTOR_RULE_VERITY	(1u << 4)	/* asks for file.fsverity */

struct lictor_rule_entry {
	__u8 action;	/* enum lictor_action */
	__u8 signal;
	__u8 flags;
	__u8 severity;	/* journal priority: 7 debug .. 2 critical */
	__u32 limit_count;	/* 0 = no limit */
	__u64 limit_period_ns;
};

/* Sorted, disjoint: the value v has outcome out[i] of the last start[i] <= v, 0 before the first. */
struct lictor_intervals {
	__u32 count;
	__u32 start;	/* __u32[count], or for IPv6 struct { __u64 high, low; }[count], host order */
	__u32 out;	/* __u16[count] */
	__u32 pad;
};

struct lictor_exact {
	__u64 tag;	/* hash of the text; 0 = free slot */
	__u32 text;	/* its bytes, within one page */
	__u16 length;
	__u16 out;
};

/*
 * A deterministic automaton, comb-compressed: next(s, c) is transition[state[s].base + class[c]]
 * if that one's check is s, else state[s].fallback. State 0 is dead. States from first_emit on
 * have an outcome as soon as they are entered; any state may have one at the end of the text.
 */
struct lictor_automaton {
	__u32 state;		/* struct lictor_state[] */
	__u32 out;		/* struct lictor_state_out[] */
	__u32 transition;	/* struct lictor_transition[] */
	__u32 states;
	__u32 transitions;
	__u32 first_emit;
	__u32 start;
	__u32 reversed;		/* reads the text from its last byte to its first */
	__u8 class[256];
};

struct lictor_state {
	__u32 base;
	__u32 fallback;
};

struct lictor_state_out {
	__u16 emit;
	__u16 accept;
};

struct lictor_transition {
	__u32 check;
	__u32 next;
};

/*
 * An object whose name on the host is known: a mount's root, the directory in front of a pattern,
 * a file that a rule names. One entry a name; several entries may have the same object.
 */
struct lictor_anchor {
	__u64 ino;
	__u32 dev;		/* the kernel's s_dev */
	__u32 igeneration;
	__u32 name;		/* text; "/" is the empty text */
	__u16 length;
	__u16 names;		/* that this object has; 0: a free slot */
};

/* ---- facts: one event, gathered ---- */

enum lictor_state_of_fact {
	LICTOR_ABSENT,		/* the event has no such value */
	LICTOR_PRESENT,
	LICTOR_UNKNOWN,		/* it has one, but it cannot be had */
};

/* The outcomes of one string: in any view, and in every view. */
struct lictor_hits {
	__u8 state;
	__u8 any;
	__u8 sure;
	__u8 own;	/* so many of any_out, the first, are the process's own view's */
	__u16 any_out[LICTOR_HITS_MAX];
	__u16 sure_out[LICTOR_HITS_MAX];
};

struct lictor_ancestors {
	struct lictor_atoms any;
	struct lictor_atoms sure;
};

enum lictor_string_slot {
	LICTOR_STRING_PATH,
	LICTOR_STRING_TARGET,
	LICTOR_STRING_IMAGE,
	LICTOR_STRING_PARENT,
	LICTOR_STRING_NAME,
	LICTOR_STRING_PARENT_NAME,
	LICTOR_STRING_FS,
	LICTOR_STRING_SOCKET,
	LICTOR_STRING_TARGET_IMAGE,	/* of the process acted on */
	LICTOR_STRING_TARGET_NAME,
	LICTOR_STRING_ARGUMENT,		/* texts that the call was given */
	LICTOR_STRING_ARGUMENT2,
	LICTOR_STRING_CGROUP,
	LICTOR_STRING_UNIT,
	LICTOR_STRING_CONTAINER,
	LICTOR_STRING_CWD,
	LICTOR_STRING_VERITY,
	LICTOR_STRING_ARGS,		/* what the program was started with */
	LICTOR_STRING_ENV,		/* each NAME=VALUE of it */
	LICTOR_STRINGS
};

enum lictor_address_slot { LICTOR_ADDRESS_DESTINATION, LICTOR_ADDRESS_SOURCE, LICTOR_ADDRESSES };

enum lictor_ancestor_slot { LICTOR_ANCESTOR_IMAGES, LICTOR_ANCESTOR_NAMES, LICTOR_ANCESTOR_SLOTS };

/* Numbers and states of all fields, indexed by enum lictor_field; also part of each record. */
struct lictor_values {
	__u8 state[LICTOR_FIELDS_MAX];
	__u64 num[LICTOR_FIELDS_MAX];	/* of a SET a bit mask */
	/* network order; IPv4 as ::ffff:a.b.c.d */
	__u8 address[LICTOR_ADDRESSES][16];
};

struct lictor_facts {
	struct lictor_values v;
	struct lictor_hits hits[LICTOR_STRINGS];
	struct lictor_ancestors ancestors[LICTOR_ANCESTOR_SLOTS];
	__u32 repeated;		/* a bit each: variables that the environment has more than once */
	__u32 pad;
};

/* ---- the subject: what the kernel keeps about a task ---- */

#define LICTOR_IMAGE_TEXT 156u	/* of an executable's path, its end, kept with the process */

/* A process as one generation of rules classifies it. */
struct lictor_identity {
	__u32 generation;
	__u32 pad;
	struct lictor_hits image;
	struct lictor_hits parent;
	struct lictor_hits parent_name;
	struct lictor_ancestors images;
	struct lictor_ancestors names;
};

#define LICTOR_SUBJECT_INFERRED		(1u << 0)	/* was there before Lictor */
#define LICTOR_SUBJECT_KERNEL		(1u << 1)	/* a kernel thread */
#define LICTOR_SUBJECT_CUT		(1u << 2)	/* image text is only its end */
#define LICTOR_SUBJECT_PARENT_CUT	(1u << 3)
#define LICTOR_SUBJECT_HOST		(1u << 4)	/* image text is also its name on the host */
#define LICTOR_SUBJECT_PARENT_HOST	(1u << 5)
#define LICTOR_SUBJECT_MEMFD		(1u << 6)	/* executed from one */
#define LICTOR_SUBJECT_SETUID		(1u << 7)	/* from a file with one of these bits */
#define LICTOR_SUBJECT_DELETED		(1u << 8)	/* at `leaving`: its program had no name */

struct lictor_subject {
	struct lictor_identity identity[2];	/* by generation & 1 */
	__u64 start_ns;				/* of the process, since boot */
	__u64 parent_start_ns;
	__u32 parent_pid;
	__u32 flags;
	__u64 exec_inode;			/* decided by the exec hook in this exec */
	__u64 truncate_dentry;			/* let pass at an open that truncates */
	__u64 truncate_ns;
	__u64 mount_point;			/* judged at a mount(2) that remounts */
	__u64 mount_ns;
	__u8 connect_to[16];			/* let pass at a connect(2) of MPTCP or SMC */
	__u64 connect_ns;
	__u16 image_length;
	__u16 parent_length;
	__u32 connect_port;
	char parent_name[16];
	char image[LICTOR_IMAGE_TEXT];
	char parent[LICTOR_IMAGE_TEXT];
	__u64 program;				/* key of the map `programs` */
	__u64 leaving;				/* address of the memory that an exec gives up */
	__u64 image_ino;			/* the object that was executed */
	__u32 image_dev;
	__u32 image_igeneration;
};

/* ---- its history, for records ---- */

#define LICTOR_ANCESTORS 16u	/* that are kept: the nearest */
#define LICTOR_ARGS_KEPT 448u	/* bytes of its arguments, their beginning */

/* A process when it made another one. */
struct lictor_ancestor {
	__u64 start_ns;		/* since boot */
	__u64 program;		/* key of the map `programs`, 0: not known */
	__u32 pid;
	__u32 user;		/* the real one */
};

struct lictor_history {
	/* the i-th from the first is ancestor[i % LICTOR_ANCESTORS]; the last one made the process */
	struct lictor_ancestor ancestor[LICTOR_ANCESTORS];
	__u32 ancestors;	/* that are known of; the first of them may have been left out */
	__u32 inferred;		/* so many of them, the first, were not seen to do it */
	__u32 args_total;	/* bytes of its arguments, each with its NUL */
	__u32 args_length;	/* bytes of them that are kept */
	char args[LICTOR_ARGS_KEPT];
	/* At the beginning of an exec, which is judged as the doing of what there was before it. */
	__u32 noted;		/* 1: these are */
	__u32 effective_user;
	__u32 effective_group;
	__u32 ended;		/* 1: one of the threads that end last has been taken for the last */
	__u64 capabilities;
	char name[16];
};

/* What a record has of it. */
#define LICTOR_HISTORY_TOLD __builtin_offsetof(struct lictor_history, args_total)

/* ---- what it was started with, as rules classify it ---- */

/* Longer arguments, or environments, are not looked at: unknown. */
#define LICTOR_START_MAX (512u << 10)

struct lictor_started {
	__u32 generation;	/* 0: nothing is known */
	__u32 execs;		/* when it was read from /proc */
	__u32 repeated;		/* as in the facts */
	struct lictor_hits args;
	struct lictor_hits env;
};

/* As the process itself has seen it, at exec. */
struct lictor_start {
	__u32 execs;		/* programs that it has executed since some rule asked */
	__u32 pad;
	struct lictor_started under[2];	/* by generation & 1 */
};

/* As lictord has read it before the rules came; stale when the process has executed another one. */
struct lictor_read_start {
	struct lictor_started under[2];	/* by generation & 1 */
};

/* ---- the files of an exec that were run by others: scripts ---- */

#define LICTOR_SCRIPTS		5u	/* run by one another: the kernel allows no more */
#define LICTOR_SCRIPT_TEXT	64u	/* of a path, its end, for the record */

#define LICTOR_SCRIPT_NAMELESS	(1u << 0)
#define LICTOR_SCRIPT_CUT	(1u << 1)
#define LICTOR_SCRIPT_UPPER	(1u << 2)	/* file.overlay_upper */
#define LICTOR_SCRIPT_MEMFD	(1u << 3)
#define LICTOR_SCRIPT_DELETED	(1u << 4)
#define LICTOR_SCRIPT_VERITY	(1u << 5)	/* `verity` is known */

/* A file as it was when it was checked. */
struct lictor_script {
	struct lictor_hits path;
	struct lictor_hits fs;
	__u64 fs_name;		/* address */
	__u64 ino;
	__u32 dev;
	__u32 owner;
	__u32 group;
	__u32 links;
	__u32 reasons;
	__u16 mode;
	__u8 type;
	__u8 flags;
	__u16 length;
	__u16 verity;		/* the outcome of file.fsverity, 0: none */
	char text[LICTOR_SCRIPT_TEXT];
};

struct lictor_scripts {
	__u32 generation;	/* of rules, by which the paths are classified */
	__u32 files;		/* that were checked, with the last one, which is no script */
	struct lictor_script script[LICTOR_SCRIPTS];
};

/* The path of a program, its end. */
struct lictor_program {
	__u16 length;
	__u16 cut;		/* its beginning is missing */
	char path[LICTOR_IMAGE_TEXT];
};

/* ---- control and counters ---- */

#define LICTOR_HELD_SOME	(1u << 0)	/* there are descriptors older than the rules */
#define LICTOR_HELD_SEARCH	(1u << 1)	/* they are being looked for */

/* Addresses. */
struct lictor_namespaces {
	__u64 cgroup;
	__u64 ipc;
	__u64 mnt;
	__u64 net;
	__u64 time;
	__u64 uts;
};

struct lictor_control {
	__u64 active;		/* generation in force; 0 = none: every event passes unseen */
	__u64 pending;		/* generation being prepared, or 0 */
	__u32 decide_exec;	/* all of exec is decided by its tracepoint: there is no LSM way */
	__u32 daemon;		/* pid of the daemon: what it does itself is not judged */
	__u64 seed;		/* of the keys of `programs` */
	struct lictor_namespaces host;	/* the daemon's, which are the host's */
	__u64 canary;		/* counted up by the program that the daemon's canary calls */
	__u64 ftrace_refused;	/* attempts to switch off ftrace, which every hook hangs on */
	__u32 ftrace_pid;	/* who tried last */
	char ftrace_name[16];
	__u32 held;		/* LICTOR_HELD_* */
	__u32 unified;		/* there are control groups of version 2 */
	__u32 refuses;		/* connections of the kernel's own can be denied */
	__u32 gone;		/* a device of the images is: see the map `devices` */
	__u64 late_turn;	/* odd: lictord is about to take a name out of `late_anchors` */
	__u32 late_slot;	/* of late_filter, for reading; written are both */
	/* as anchor_filter, but of each bit, eight: the numbers that may be in `late_anchors` */
	__u64 late_filter[2][LICTOR_FILTER * LICTOR_LATE_NAMES];
};

struct lictor_rule_count {	/* matched = reported + limited + lost */
	__u64 matched;
	__u64 reported;
	__u64 limited;
	__u64 lost;
};

enum lictor_ring { LICTOR_RING_VERDICTS, LICTOR_RING_REPORTS, LICTOR_RINGS };

struct lictor_stats {
	__u64 decided[LICTOR_EVENTS];
	__u64 reason[LICTOR_REASONS];
	__u64 lost[LICTOR_RINGS];
	__u64 reported[LICTOR_RINGS];
};

struct lictor_limit_key {
	__u32 pid;
	__u32 rule;
	__u64 start_ns;
	__u64 generation;
};

struct lictor_limit {
	__u64 since_ns;		/* when the tokens were last filled up */
	__u32 used;		/* since then */
	__u32 suppressed;	/* reports left out and not yet told */
};

/* The root of a mount that was made after the rules came, and its name on the host. */
#define LICTOR_LATE_NAME 232u

struct lictor_late_key {
	__u64 ino;
	__u32 dev;
	__u32 igeneration;
	__u32 number;		/* of the name: the host may have mounted it more than once */
	__u32 pad;
};

/*
 * The kernel side takes numbers that are free, and never writes over another name; lictord alone
 * makes numbers free. Where the kernel finds the name that it would give, it says so in since_ns and
 * told, and gives it once more unless late_turn was even, and the same, before and after; lictord
 * looks for a change of the name while late_turn is odd, and leaves it if there is one. So no name
 * that the kernel gives is taken away before a table of mounts has been read that should have it.
 */
struct lictor_late {
	__u64 since_ns;		/* when it was mounted so last; CLOCK_MONOTONIC */
	__u32 told;		/* so often again */
	__u32 mount;		/* number of the mount that has this name; 0: of the whole */
	__u16 length;		/* 0: its file system is no more */
	__u16 part;		/* not the root of its file system */
	__u16 announced;	/* the kernel has yet to mount it: it may take its time */
	__u16 pad;
	char name[LICTOR_LATE_NAME];
};

/* A device that an image has anchors on. */
struct lictor_device {
	__u32 dev;
	__u32 slot;		/* of the image: its generation & 1 */
};

/* A control group, by the kernel's number of it, which is never used again. */
struct lictor_group_key {
	__u64 id;
	__u64 generation;
};

/* What one generation of rules says of a group. */
struct lictor_group {
	struct lictor_group_key key;	/* of whom it is: the room may be used again meanwhile */
	struct lictor_hits path;
	struct lictor_hits unit;
	struct lictor_hits container;
};

/* A file that the loader has open, as the kernel knows it. */
struct lictor_root_file {
	__u64 ino;
	__u32 fd;
	__u32 dev;
	__u32 igeneration;
	__u32 magic;		/* of its file system */
	__u32 level;		/* of the user namespace that it was mounted in; 0: the host's */
	__u32 pad;
};

/* A descriptor older than the rules: the file behind it when it was found. */
struct lictor_held {
	__u64 inode;		/* address */
	__u64 ino;
	__u64 generation;	/* in which it was found */
};

/* A file that was opened while such descriptors were looked for. */
struct lictor_opened {
	__u64 inode;		/* address */
	__u64 generation;	/* that judged it */
};

/* ---- the record ---- */

/*
 * A file as it was: which object, when it changed last (ctime, as stat(2) says it), and its size: what
 * is cut off goes before the time is set.
 */
struct lictor_inode {
	__u64 ino;		/* 0: none */
	__u32 dev;
	__u32 igeneration;
	__u64 size;		/* bytes */
	__s64 changed_s;	/* 0: not known, nor are igeneration and size */
	__u32 changed_ns;
	__u32 pad;
};

#define LICTOR_RECORD_RULES 32u
#define LICTOR_RECORD_PREEXISTING	(1u << 0)	/* was so before the rules came */
#define LICTOR_RECORD_RECEIVED		(1u << 1)	/* by a descriptor from another process */
#define LICTOR_RECORD_KILL_DUE		(1u << 3)	/* preexisting: a rule would have killed */
#define LICTOR_RECORD_HELD		(1u << 2)	/* by a descriptor older than the rules */

struct lictor_record {
	__u32 size;		/* of the whole record, with its texts */
	__u16 version;
	__u8 event;
	__u8 verdict;
	__u64 time_ns;		/* CLOCK_BOOTTIME */
	__u64 generation;
	__u32 cpu;
	__u8 hook;
	__u8 via;
	__u8 signal;		/* that was sent, or 0 */
	__u8 monitor;		/* the deciding rule only monitors */
	__s32 error;		/* errno that the system call fails with, or 0 */
	__u32 reasons;		/* bit r: enum lictor_reason r */
	__u32 matched;		/* rules that matched; listed: the first of them */
	__u32 listed;
	__u16 rule[LICTOR_RECORD_RULES];
	__u32 suppressed;	/* reports of these rules and this process left out before */
	__u32 subject_flags;
	__u32 pid;
	__u32 tid;
	__u32 parent_pid;
	__u32 texts;		/* struct lictor_text that follow */
	__u64 start_ns;
	__u64 parent_start_ns;
	struct lictor_inode file;	/* that the event is about; of exec only, when it changed */
	struct lictor_inode image;	/* of the program that the process runs */
	__u32 egid;
	__u32 file_gid;
	__u32 flags;		/* LICTOR_RECORD_* */
	__u32 pad;
	char name[16];		/* comm of the task */
	char parent_name[16];
	struct lictor_values values;
};

#define LICTOR_TEXT_CUT (1u << 0)	/* its beginning is missing; of PROCESS_ARGS, its end */

/*
 * PROCESS_ARGS: each argument ends with a NUL. ANCESTOR_EXECUTABLE: no text but the beginning of
 * struct lictor_history, LICTOR_HISTORY_TOLD bytes.
 */
struct lictor_text {		/* padded to 8 bytes */
	__u16 field;		/* enum lictor_field */
	__u16 length;
	__u16 flags;
	__u16 view;		/* 0: as the process sees it; 1: as the host does, where that differs */
	char byte[];
};

#define LICTOR_CGROUP_TEXT 1024u	/* of a control group's path, its end, in a record */
#define LICTOR_RECORD_ACTOR 3072u	/* room for who acted, whatever the paths take */
#define LICTOR_RECORD_MAX (sizeof(struct lictor_record) + 3 * (LICTOR_PATH_MAX + 16) + LICTOR_RECORD_ACTOR)

/* ---- shapes that both sides rely on ---- */

#define LICTOR_ASSERT(what) _Static_assert(what, #what)
LICTOR_ASSERT(LICTOR_FIELDS <= LICTOR_FIELDS_MAX);
LICTOR_ASSERT(LICTOR_EVENTS <= 64);
LICTOR_ASSERT(LICTOR_REASONS <= 32);
LICTOR_ASSERT(sizeof(struct lictor_exact) == 16);
LICTOR_ASSERT(sizeof(struct lictor_field_head) == 40);
LICTOR_ASSERT(sizeof(struct lictor_rule_entry) == 16);
LICTOR_ASSERT(sizeof(struct lictor_anchor) == 24);
LICTOR_ASSERT(sizeof(struct lictor_hits) == 36);
LICTOR_ASSERT(sizeof(struct lictor_late) == 256);
LICTOR_ASSERT(sizeof(struct lictor_scripts) <= 952);
LICTOR_ASSERT(sizeof(struct lictor_image) % 8 == 0);
LICTOR_ASSERT(sizeof(struct lictor_event_head) % 8 == 0);
LICTOR_ASSERT(sizeof(struct lictor_subject) <= 952); /* with its header, one kmalloc-1k */
LICTOR_ASSERT(sizeof(struct lictor_history) <= 952);
LICTOR_ASSERT(sizeof(struct lictor_record) % 8 == 0);

#endif
