/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files: opened, truncated, made, removed, renamed, linked, and their metadata. Where a call has
 * two objects, each is judged; where one effect passes two hooks, one of them stays silent.
 */
#include "bpf/held.bpf.h"
#include "bpf/target.bpf.h"
#include "lsm/verdict.bpf.h"

static __always_inline bool lictor_opens_for_writing(struct file *file)
{
	return KREAD(file, f_mode) & FMODE_WRITE || KREAD(file, f_flags) & O_TRUNC;
}

/* ---- kernel parameters: files below /proc/sys, on whatever mount ---- */

struct lictor_sysctl {
	struct lictor_scratch *s;
	struct dentry *dentry;
	u32 cursor;	/* of the name, built from its end in region SHORT */
	u32 found;
};

static long lictor_dot_step(u32 index, struct lictor_sysctl *c)
{
	char *byte = &c->s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX +
				 LICTOR_MASK(c->cursor + index, LICTOR_PATH_MAX - 1)];

	if (*byte == '.')
		*byte = '/';
	return 0;
}

/* One component in front, as sysctl(8) writes it: '.' between them, '/' for a '.' in one. */
static long lictor_sysctl_step(u32 index, struct lictor_sysctl *c)
{
	struct dentry *dentry = c->dentry, *parent = KREAD(dentry, d_parent);
	char *text = &c->s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];
	u32 length = KREAD(dentry, d_name.len);
	char sys[4] = {};

	if (KREAD(parent, d_parent) == parent) {
		bpf_probe_read_kernel_str(sys, sizeof(sys), KREAD(dentry, d_name.name));
		c->found = length == 3 && sys[0] == 's' && sys[1] == 'y' && sys[2] == 's';
		return 1;
	}
	if (length > 255 || c->cursor < 300 || c->cursor >= LICTOR_PATH_MAX)
		return 1;
	if (index) {
		c->cursor--;
		text[LICTOR_MASK(c->cursor, LICTOR_PATH_MAX - 1)] = '.';
	}
	c->cursor -= length;
	bpf_probe_read_kernel(&text[LICTOR_MASK(c->cursor, LICTOR_PATH_MAX - 1)],
			      LICTOR_MASK(length, 255), KREAD(dentry, d_name.name));
	bpf_loop(length & 255, lictor_dot_step, c, 0);
	c->dentry = parent;
	return 0;
}

static __always_inline bool lictor_is_proc(struct dentry *dentry)
{
	return KREAD(dentry, d_sb, s_magic) == PROC_SUPER_MAGIC;
}

static __always_inline int lictor_sysctl(struct lictor_scratch *s, struct dentry *dentry)
{
	struct lictor_sysctl c = { .s = s, .dentry = dentry, .cursor = LICTOR_PATH_MAX - 1 };
	u32 length;

	bpf_loop(16, lictor_sysctl_step, &c, 0);
	if (c.found) {
		length = LICTOR_MASK(LICTOR_PATH_MAX - 1 - c.cursor, LICTOR_PATH_MAX - 1);
		bpf_probe_read_kernel(&s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX], length,
				      &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX +
					       LICTOR_MASK(c.cursor, LICTOR_PATH_MAX - 1)]);
		lictor_argument_text(s, LICTOR_FIELD_SYSCTL_NAME, LICTOR_STRING_ARGUMENT, length);
		lictor_decide(s, LICTOR_EVENT_SYSCTL, 0);
	}
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "file_open")
int LICTOR_PROG(lsm_sysctl_open, struct file *file)
{
	struct dentry *dentry = KREAD(file, f_path.dentry);

	if (!lictor_is_proc(dentry) || !lictor_opens_for_writing(file))
		return 0;
	lictor_note_open(file);
	LICTOR_OPEN(s, LICTOR_EVENT_SYSCTL, LICTOR_EVENTS, sysctl_open);
	return lictor_sysctl(s, dentry);
}

/* Written through a descriptor older than the rules. */
SEC(LICTOR_SECTION "file_permission")
int LICTOR_PROG(lsm_sysctl_permission, struct file *file, int mask)
{
	struct dentry *dentry = KREAD(file, f_path.dentry);

	if (!(mask & MAY_WRITE) || !lictor_is_proc(dentry) || !lictor_held(file))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_SYSCTL, LICTOR_EVENTS, sysctl_permission);
	s->record.flags = LICTOR_RECORD_HELD;
	return lictor_sysctl(s, dentry);
}

/* ---- opened ---- */

SEC(LICTOR_SECTION "file_open")
int LICTOR_PROG(lsm_file_open, struct file *file)
{
	u32 flags = KREAD(file, f_flags), mode = KREAD(file, f_mode);
	struct dentry *dentry = KREAD(file, f_path.dentry);
	struct lictor_subject *subject;

	/* The kernel's own open of a program: exec decides on it. */
	if (flags & FMODE_EXEC)
		return 0;
	/* Before 6.5, overlayfs opens the file in its layer under the name that has been judged. */
	if (KREAD(file, f_inode, i_sb) != KREAD(dentry, d_sb))
		return 0;
	lictor_note_open(file);
	LICTOR_OPEN(s, lictor_opens_for_writing(file) ? LICTOR_EVENT_WRITE : LICTOR_EVENT_READ,
		    mode & FMODE_READ ? LICTOR_EVENT_READ : LICTOR_EVENTS, file_open);
	lictor_number(s, LICTOR_FIELD_FILE_FLAGS, lictor_open_flags(flags));
	lictor_gather_file(s, file);
	s->created = (mode & FMODE_CREATED) != 0;
	if (lictor_opens_for_writing(file)) {
		lictor_judge_several(s, (mode & FMODE_READ) != 0);
		lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	}
	if (mode & FMODE_READ) {
		s->created = 0;
		lictor_decide(s, LICTOR_EVENT_READ, 0);
	}
	subject = bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);
	if (subject) {
		subject->truncate_dentry = 0;
		if (flags & O_TRUNC && !lictor_denies(s)) {
			subject->truncate_dentry = (u64)dentry;
			subject->truncate_ns = bpf_ktime_get_ns();
		}
	}
	return lictor_deny(s);
}

/*
 * The truncation of an open(O_TRUNC) that file_open has just let pass, by the same name: within the
 * same system call, so nothing but that call's own work lies between. Once, and not later than a
 * moment.
 */
static __always_inline bool lictor_truncate_decided(struct dentry *dentry)
{
	struct lictor_subject *subject =
		bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);
	u64 decided;

	if (!subject)
		return false;
	decided = subject->truncate_dentry;
	subject->truncate_dentry = 0;
	return decided == (u64)dentry && bpf_ktime_get_ns() - subject->truncate_ns < 1000000;
}

SEC(LICTOR_SECTION "path_truncate")
int LICTOR_PROG(lsm_path_truncate, const struct path *path)
{
	struct dentry *dentry = KREAD(path, dentry);

	if (lictor_truncate_decided(dentry))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_WRITE, LICTOR_EVENTS, path_truncate);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, KREAD(path, mnt), dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	return lictor_deny(s);
}

/* From 6.2: ftruncate(2) and open(O_TRUNC), which path_truncate saw before. */
SEC(LICTOR_SECTION "file_truncate")
int LICTOR_PROG(lsm_file_truncate, struct file *file)
{
	if (lictor_truncate_decided(KREAD(file, f_path.dentry)))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_WRITE, LICTOR_EVENTS, file_truncate);
	lictor_gather_file(s, file);
	lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	return lictor_deny(s);
}

/* ---- descriptors that somebody else opened, or that were open before the rules ---- */

/*
 * A file by a descriptor that is older than the rules: what it would have been judged as, had it
 * been opened now.
 */
static __always_inline int lictor_write_by_descriptor(struct lictor_scratch *s, struct file *file)
{
	s->record.flags = LICTOR_RECORD_HELD;
	lictor_number(s, LICTOR_FIELD_FILE_FLAGS, lictor_open_flags(KREAD(file, f_flags)));
	lictor_gather_file(s, file);
	lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	return lictor_deny(s);
}

/* What another process has opened is opened by who receives it. */
SEC(LICTOR_SECTION "file_receive")
int LICTOR_PROG(lsm_file_receive, struct file *file)
{
	u32 type = KREAD(file, f_inode, i_mode) & S_IFMT, mode = KREAD(file, f_mode);

	if (!(mode & (FMODE_READ | FMODE_WRITE)) || type == S_IFSOCK || type == S_IFIFO)
		return 0;
	LICTOR_OPEN(s, mode & FMODE_WRITE ? LICTOR_EVENT_WRITE : LICTOR_EVENT_READ,
		    mode & FMODE_READ ? LICTOR_EVENT_READ : LICTOR_EVENTS, file_receive);
	s->record.flags = LICTOR_RECORD_RECEIVED;
	lictor_number(s, LICTOR_FIELD_FILE_FLAGS, lictor_open_flags(KREAD(file, f_flags)));
	lictor_gather_file(s, file);
	lictor_judge_several(s, true);
	if (mode & FMODE_WRITE)
		lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	if (mode & FMODE_READ)
		lictor_decide(s, LICTOR_EVENT_READ, 0);
	return lictor_deny_given(s);
}

/* Attached only while there are such descriptors. */
SEC(LICTOR_SECTION "file_permission")
int LICTOR_PROG(lsm_file_permission, struct file *file, int mask)
{
	if (!(mask & MAY_WRITE) || !lictor_held(file))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_WRITE, LICTOR_EVENTS, file_permission);
	return lictor_write_by_descriptor(s, file);
}

#define MAP_SHARED_MASK 0x03 /* MAP_SHARED, MAP_SHARED_VALIDATE */

/* What is stored in such a mapping later, nobody is asked about. */
SEC(LICTOR_SECTION "mmap_file")
int LICTOR_PROG(lsm_held_mmap, struct file *file)
{
	u64 flags = LICTOR_MAP_FLAGS(ctx);

	if (!file || !(flags & MAP_SHARED_MASK) || (flags & MAP_SHARED_MASK) == 2 ||
	    !(KREAD(file, f_mode) & FMODE_WRITE) || !lictor_held(file))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_WRITE, LICTOR_EVENTS, held_mmap);
	return lictor_write_by_descriptor(s, file);
}

/* One name in a directory that the call makes or removes. */
static __always_inline int lictor_name_event(struct lictor_scratch *s, u32 event,
					     const struct path *dir, struct dentry *dentry)
{
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, KREAD(dir, mnt), dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, event, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "path_mknod")
int LICTOR_PROG(lsm_path_mknod, const struct path *dir, struct dentry *dentry, umode_t mode,
	     unsigned int dev)
{
	u32 kind = mode & S_IFMT;
	u32 event = kind == S_IFREG || !kind ? LICTOR_EVENT_CREATE : LICTOR_EVENT_MKNOD;

	LICTOR_OPEN(s, event, LICTOR_EVENTS, path_mknod);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, lictor_file_type(mode));
	lictor_gather_mode(s, mode);
	return lictor_name_event(s, event, dir, dentry);
}

SEC(LICTOR_SECTION "path_mkdir")
int LICTOR_PROG(lsm_path_mkdir, const struct path *dir, struct dentry *dentry, umode_t mode)
{
	LICTOR_OPEN(s, LICTOR_EVENT_MKDIR, LICTOR_EVENTS, path_mkdir);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, lictor_file_type(S_IFDIR));
	lictor_gather_mode(s, mode);
	return lictor_name_event(s, LICTOR_EVENT_MKDIR, dir, dentry);
}

SEC(LICTOR_SECTION "path_symlink")
int LICTOR_PROG(lsm_path_symlink, const struct path *dir, struct dentry *dentry, const char *old_name)
{
	LICTOR_OPEN(s, LICTOR_EVENT_SYMLINK, LICTOR_EVENTS, path_symlink);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, lictor_file_type(S_IFLNK));
	return lictor_name_event(s, LICTOR_EVENT_SYMLINK, dir, dentry);
}

SEC(LICTOR_SECTION "path_unlink")
int LICTOR_PROG(lsm_path_unlink, const struct path *dir, struct dentry *dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_DELETE, LICTOR_EVENTS, path_unlink);
	return lictor_name_event(s, LICTOR_EVENT_DELETE, dir, dentry);
}

SEC(LICTOR_SECTION "path_rmdir")
int LICTOR_PROG(lsm_path_rmdir, const struct path *dir, struct dentry *dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_RMDIR, LICTOR_EVENTS, path_rmdir);
	return lictor_name_event(s, LICTOR_EVENT_RMDIR, dir, dentry);
}

/*
 * Both names of a rename or link: the object where it is, and where it will be (what is there now,
 * if anything, is replaced or exchanged). The second match is about the target's name.
 */
static __always_inline int lictor_two_names(struct lictor_scratch *s, u32 event,
					    struct vfsmount *mnt, struct dentry *from,
					    struct dentry *to)
{
	lictor_judge_several(s, true);
	lictor_gather_inode(s, lictor_dentry_inode(from), from);
	lictor_gather_path(s, mnt, from, 0, LICTOR_FIELD_FILE_PATH);
	lictor_gather_path(s, mnt, to, 1, LICTOR_FIELD_FILE_TARGET_PATH);
	lictor_decide(s, event, 0);
	lictor_decide(s, event, 1);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "path_rename")
int LICTOR_PROG(lsm_path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_RENAME, LICTOR_EVENTS, path_rename);
	return lictor_two_names(s, LICTOR_EVENT_RENAME, KREAD(new_dir, mnt), old_dentry, new_dentry);
}

SEC(LICTOR_SECTION "path_link")
int LICTOR_PROG(lsm_path_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_LINK, LICTOR_EVENTS, path_link);
	return lictor_two_names(s, LICTOR_EVENT_LINK, KREAD(new_dir, mnt), old_dentry, new_dentry);
}

SEC(LICTOR_SECTION "path_chmod")
int LICTOR_PROG(lsm_path_chmod, const struct path *path, umode_t mode)
{
	struct dentry *dentry = KREAD(path, dentry);

	LICTOR_OPEN(s, LICTOR_EVENT_CHMOD, LICTOR_EVENTS, path_chmod);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_mode(s, mode);
	lictor_gather_path(s, KREAD(path, mnt), dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_CHMOD, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "path_chown")
int LICTOR_PROG(lsm_path_chown, const struct path *path, u64 uid, u64 gid)
{
	struct dentry *dentry = KREAD(path, dentry);

	LICTOR_OPEN(s, LICTOR_EVENT_CHOWN, LICTOR_EVENTS, path_chown);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, KREAD(path, mnt), dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_CHOWN, 0);
	return lictor_deny(s);
}

/* These four hooks are given no mount: the object's name on the host is what is judged. */
static __always_inline int lictor_xattr(struct lictor_scratch *s, struct dentry *dentry)
{
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, NULL, dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_XATTR, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "inode_setxattr")
int LICTOR_PROG(lsm_inode_setxattr, void *idmap, struct dentry *dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_setxattr);
	return lictor_xattr(s, dentry);
}

SEC(LICTOR_SECTION "inode_removexattr")
int LICTOR_PROG(lsm_inode_removexattr, void *idmap, struct dentry *dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_removexattr);
	return lictor_xattr(s, dentry);
}

/* From 6.2; before that an ACL is an extended attribute to inode_setxattr. */
SEC(LICTOR_SECTION "inode_set_acl")
int LICTOR_PROG(lsm_inode_set_acl, void *idmap, struct dentry *dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_set_acl);
	return lictor_xattr(s, dentry);
}

SEC(LICTOR_SECTION "inode_remove_acl")
int LICTOR_PROG(lsm_inode_remove_acl, void *idmap, struct dentry *dentry)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_remove_acl);
	return lictor_xattr(s, dentry);
}

SEC(LICTOR_SECTION "inode_getattr")
int LICTOR_PROG(lsm_inode_getattr, const struct path *path)
{
	struct dentry *dentry = KREAD(path, dentry);

	LICTOR_OPEN(s, LICTOR_EVENT_STAT, LICTOR_EVENTS, inode_getattr);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, KREAD(path, mnt), dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_STAT, 0);
	return lictor_deny(s);
}
