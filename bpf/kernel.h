/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's types, as far as they are touched: each member is looked up by name in the BTF of
 * the kernel that runs (CO-RE), so nothing here depends on the machine that builds. Constants are
 * those of the kernel's stable interfaces.
 */
#ifndef LICTOR_KERNEL_H
#define LICTOR_KERNEL_H

#include <linux/types.h>
#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
typedef unsigned short umode_t;
#define true 1
#define false 0
#define NULL ((void *)0)

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	unsigned int val;
} kuid_t;

typedef struct {
	unsigned int val;
} kgid_t;

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

struct qstr {
	union {
		struct {
			u32 hash;
			u32 len;
		};
		u64 hash_len;
	};
	const unsigned char *name;
};

struct user_namespace;

struct file_system_type {
	const char *name;
};

struct super_block {
	u32 s_dev;
	struct file_system_type *s_type;
	unsigned long s_flags;
	unsigned long s_magic;
	struct dentry *s_root;
	struct user_namespace *s_user_ns;
};

struct inode {
	umode_t i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	u32 i_rdev;
	s64 i_size;
	u32 i_generation;
	unsigned int i_flags;
};

struct fsverity_hash_alg {
	const char *name;
};

struct merkle_tree_params {
	const struct fsverity_hash_alg *hash_alg;
	unsigned int digest_size;
};

struct fsverity_info {
	struct merkle_tree_params tree_params;
	u8 file_digest[64];
};

struct inode___vouched {	/* later ones have it elsewhere */
	struct fsverity_info *i_verity_info;
};

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

struct inode___stamped {	/* until 6.5 */
	struct timespec64 i_ctime;
};

struct inode___hidden {		/* until 6.10 */
	struct timespec64 __i_ctime;
};

struct inode___split {		/* since 6.11 */
	s64 i_ctime_sec;
	u32 i_ctime_nsec;
};

struct dentry_operations {
	void *d_dname;
};

struct dentry {
	const struct dentry_operations *d_op;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	unsigned int d_flags;
};

struct mnt_idmap;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct mnt_namespace;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_mounts;
	struct list_head mnt_child;
	struct mnt_namespace *mnt_ns;
	int mnt_id;
};

struct mountpoint {
	struct dentry *m_dentry;
};

#define MS_RDONLY 1
#define MS_NOSUID 2
#define MS_NODEV 4
#define MS_NOEXEC 8
#define MS_REMOUNT 32
#define MS_BIND 4096
#define MS_MOVE 8192
#define MS_REC 16384
#define MS_UNBINDABLE (1 << 17)
#define MS_PRIVATE (1 << 18)
#define MS_SLAVE (1 << 19)
#define MS_SHARED (1 << 20)
#define MS_MGC_VAL 0xC0ED0000ul
#define MS_MGC_MSK 0xffff0000ul
#define MS_PROPAGATION (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

struct pinned_mountpoint {	/* since 6.17 */
	struct mountpoint *mp;
	struct mount *parent;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct path pwd;
};

struct tty_file_private {
	struct file *file;
};

struct file {
	unsigned int f_flags;
	unsigned int f_mode;
	struct path f_path;
	struct inode *f_inode;
	void *private_data;
};

struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
};

struct user_namespace {
	int level;
};

/* Its members differ from version to version: 64 bits. */
struct kernel_cap {
	u64 bits;
};

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t suid;
	kgid_t sgid;
	kuid_t euid;
	kgid_t egid;
	kuid_t fsuid;
	kgid_t fsgid;
	unsigned int securebits;
	struct kernel_cap cap_inheritable;
	struct kernel_cap cap_permitted;
	struct kernel_cap cap_effective;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start;
	unsigned long arg_end;
	unsigned long env_start;
	unsigned long env_end;
};

struct signal_struct {
	unsigned int flags;
	int group_exit_code;
	u64 sum_sched_runtime;	/* ns, of threads that have ended */
	unsigned long maxrss;	/* pages */
	int leader;
	void *tty;
	struct {
		int counter;
	} live;
};

struct ns_common;
struct mnt_namespace {
	struct user_namespace *user_ns;
	u64 seq;
};

struct ns_common___numbered {
	u64 ns_id;
};

struct mnt_namespace___numbered {
	struct ns_common___numbered ns;
};

struct mnt_namespace___marked {
	bool is_anon;
};

struct new_utsname {
	char nodename[65];
	char domainname[65];
};

struct uts_namespace {
	struct new_utsname name;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	void *ipc_ns;
	struct mnt_namespace *mnt_ns;
	void *pid_ns_for_children;
	void *net_ns;
	void *time_ns;
	void *time_ns_for_children;
	void *cgroup_ns;
};

struct fdtable {
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct pid {
	unsigned int level;
};

struct kernfs_iattrs {
	kuid_t ia_uid;
};

struct kernfs_node {
	struct kernfs_node *parent;
	const char *name;
	u64 id;
	umode_t mode;
	struct kernfs_iattrs *iattr;
};

struct kernfs_node___later {	/* since 6.15 */
	struct kernfs_node *__parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct group_info {
	int ngroups;
	kgid_t gid[0];
};

struct module {
	char name[56];
};

struct __kernel_timex {
	unsigned int modes;
};

struct perf_event_attr_head {
	u32 type;
};

struct io_uring_cmd;
struct kernel_siginfo;
struct timespec64;
struct timezone;

enum kernel_read_file_id {
	READING_MODULE = 2,
	READING_KEXEC_IMAGE = 3,
	READING_KEXEC_INITRAMFS = 4,
};

enum kernel_load_data_id {
	LOADING_MODULE = 2,
	LOADING_KEXEC_IMAGE = 3,
};

struct sched_entity {
	u64 sum_exec_runtime;	/* ns */
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	int exit_code;
	u64 start_boottime;
	struct sched_entity se;
	char comm[16];
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct mm_struct *mm;
	const struct cred *cred;
	const struct cred *real_cred;
	struct signal_struct *signal;
	kuid_t loginuid;
	unsigned in_execve : 1;
	unsigned int personality;
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
	struct files_struct *files;
	struct pid *thread_pid;
	struct css_set *cgroups;
	u64 self_exec_id;
};

struct vm_area_struct {
	struct file *vm_file;
	unsigned long vm_flags;
};

struct sockaddr {
	unsigned short sa_family;
};

struct in6_addr {
	union {
		u8 u6_addr8[16];
	} in6_u;
};

struct sock_common {
	union {
		struct {
			__be32 skc_daddr;
			__be32 skc_rcv_saddr;
		};
	};
	union {
		struct {
			__be16 skc_dport;
			u16 skc_num;
		};
	};
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	u8 sk_kern_sock : 1;
	u16 sk_type;
	u16 sk_protocol;
};

struct ip_options {
	u32 faddr;
	u8 srr;
};

struct ip_options_rcu {
	struct ip_options opt;
};

struct ipv6_txoptions {
	void *srcrt;
};

struct ip6_flowlabel {
	struct ipv6_txoptions *opt;
};

struct ipv6_fl_socklist {
	struct ipv6_fl_socklist *next;
	struct ip6_flowlabel *fl;
};

struct ipv6_pinfo {
	struct ipv6_txoptions *opt;
	struct ipv6_fl_socklist *ipv6_fl_list;
};

struct inet_sock {
	struct ipv6_pinfo *pinet6;
	struct ip_options_rcu *inet_opt;
};

struct inet_sock___labels {	/* since 6.18 */
	struct ipv6_fl_socklist *ipv6_fl_list;
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
};

struct msghdr {
	void *msg_name;
	int msg_namelen;
	void *msg_control;
	unsigned long msg_controllen;
	unsigned int msg_flags;
};

struct iattr;
struct posix_acl;
struct mnt_idmap;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
};

struct bpf_iter__task_vma {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
	union {
		struct vm_area_struct *vma;
	};
};

struct bpf_iter__task_file {
	union {
		struct bpf_iter_meta *meta;
	};
	union {
		struct task_struct *task;
	};
	u32 fd;
	union {
		struct file *file;
	};
};

#pragma clang attribute pop

/*
 * A member of a kernel object, or a chain of them. Programs that know the types of their arguments
 * load it; those at kprobes (compiled with LICTOR_PROBING) have addresses only, and ask for it.
 */
#ifdef LICTOR_PROBING
#define KREAD BPF_CORE_READ
#else
#define KREAD ___arrow
#endif

#define EPERM 1
#define EACCES 13
#define SIGKILL 9
#define SIGIO 29

#define MAY_WRITE 2

#define FMODE_READ 0x1
#define FMODE_WRITE 0x2
#define FMODE_EXEC 0x20
#define FMODE_CREATED 0x100000

#define PROT_READ 0x1
#define PROT_EXEC 0x4
#define READ_IMPLIES_EXEC 0x0400000
#define VM_EXEC 0x4

#define SB_NOUSER (1ul << 31)
#define S_VERITY (1u << 16)
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define PROC_SUPER_MAGIC 0x9fa0
#define PF_KTHREAD 0x00200000
#define SIGNAL_GROUP_EXIT 0x00000004
#define PAGE_KIB 4

#define S_IFMT 00170000
#define S_IFSOCK 0140000
#define S_IFLNK 0120000
#define S_IFREG 0100000
#define S_IFBLK 0060000
#define S_IFDIR 0040000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define S_ISUID 0004000
#define S_ISGID 0002000

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define AF_PACKET 17
#define AF_VSOCK 40
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define SOCK_PACKET 10
#define IPPROTO_ICMP 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_UDPLITE 136
#define IPPROTO_ICMPV6 58
#define IPPROTO_SCTP 132
#define IPPROTO_MPTCP 262

#define CLONE_THREAD 0x00010000

#endif
