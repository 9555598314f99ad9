/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files: opened, truncated, made, removed, renamed, linked, and their metadata. Where a call has
 * two objects, each is judged; where one effect passes two hooks, one of them stays silent.
 */
#include "lsm/verdict.bpf.h"

/* open(2)'s flags by the architecture's own numbers; fmode bits are the kernel's. */
#include <asm/fcntl.h>

#ifndef O_DIRECTORY
#error "asm/fcntl.h does not define O_DIRECTORY"
#endif

static __always_inline u32 lictor_open_flags(u32 flags)
{
	return (flags & O_APPEND ? 1u << 0 : 0) | (flags & O_CREAT ? 1u << 1 : 0) |
	       (flags & O_DIRECT ? 1u << 2 : 0) | (flags & O_DIRECTORY ? 1u << 3 : 0) |
	       (flags & O_EXCL ? 1u << 4 : 0) | (flags & O_NOFOLLOW ? 1u << 5 : 0) |
	       (flags & (O_SYNC | O_DSYNC) ? 1u << 6 : 0) |
	       ((flags & O_TMPFILE) == O_TMPFILE ? 1u << 7 : 0) | (flags & O_TRUNC ? 1u << 8 : 0);
}

static __always_inline bool lictor_opens_for_writing(struct file *file)
{
	return file->f_mode & FMODE_WRITE || file->f_flags & O_TRUNC;
}

SEC("lsm/file_open")
int BPF_PROG(lsm_file_open, struct file *file, int ret)
{
	struct lictor_subject *subject;

	/* The kernel's own open of a program: exec decides on it. */
	if (file->f_flags & FMODE_EXEC)
		return ret;
	/* Before 6.5, overlayfs opens the file in its layer under the name that has been judged. */
	if (file->f_inode->i_sb != file->f_path.dentry->d_sb)
		return ret;
	LICTOR_OPEN(s, lictor_opens_for_writing(file) ? LICTOR_EVENT_WRITE : LICTOR_EVENT_READ,
		    file->f_mode & FMODE_READ ? LICTOR_EVENT_READ : LICTOR_EVENTS, file_open);
	lictor_number(s, LICTOR_FIELD_FILE_FLAGS, lictor_open_flags(file->f_flags));
	lictor_gather_file(s, file);
	s->created = (file->f_mode & FMODE_CREATED) != 0;
	if (lictor_opens_for_writing(file)) {
		s->twice = (file->f_mode & FMODE_READ) != 0;
		lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	}
	if (file->f_mode & FMODE_READ) {
		s->created = 0;
		lictor_decide(s, LICTOR_EVENT_READ, 0);
	}
	subject = bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);
	if (subject) {
		subject->truncate_dentry = 0;
		if (file->f_flags & O_TRUNC && s->outcome.action < LICTOR_ACTION_BLOCK) {
			subject->truncate_dentry = (u64)file->f_path.dentry;
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

SEC("lsm/path_truncate")
int BPF_PROG(lsm_path_truncate, const struct path *path, int ret)
{
	struct dentry *dentry = path->dentry;

	if (lictor_truncate_decided(dentry))
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_WRITE, LICTOR_EVENTS, path_truncate);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, path->mnt, dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	return lictor_deny(s);
}

/* From 6.2: ftruncate(2) and open(O_TRUNC), which path_truncate saw before. */
SEC("lsm/file_truncate")
int BPF_PROG(lsm_file_truncate, struct file *file, int ret)
{
	if (lictor_truncate_decided(file->f_path.dentry))
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_WRITE, LICTOR_EVENTS, file_truncate);
	lictor_gather_file(s, file);
	lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	return lictor_deny(s);
}

/* One name in a directory that the call makes or removes. */
static __always_inline int lictor_name_event(struct lictor_scratch *s, u32 event,
					     const struct path *dir, struct dentry *dentry)
{
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, dir->mnt, dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, event, 0);
	return lictor_deny(s);
}

SEC("lsm/path_mknod")
int BPF_PROG(lsm_path_mknod, const struct path *dir, struct dentry *dentry, umode_t mode,
	     unsigned int dev, int ret)
{
	u32 kind = mode & S_IFMT;
	u32 event = kind == S_IFREG || !kind ? LICTOR_EVENT_CREATE : LICTOR_EVENT_MKNOD;

	LICTOR_OPEN(s, event, LICTOR_EVENTS, path_mknod);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, lictor_file_type(mode));
	lictor_gather_mode(s, mode);
	return lictor_name_event(s, event, dir, dentry);
}

SEC("lsm/path_mkdir")
int BPF_PROG(lsm_path_mkdir, const struct path *dir, struct dentry *dentry, umode_t mode, int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_MKDIR, LICTOR_EVENTS, path_mkdir);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, lictor_file_type(S_IFDIR));
	lictor_gather_mode(s, mode);
	return lictor_name_event(s, LICTOR_EVENT_MKDIR, dir, dentry);
}

SEC("lsm/path_symlink")
int BPF_PROG(lsm_path_symlink, const struct path *dir, struct dentry *dentry, const char *old_name,
	     int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_SYMLINK, LICTOR_EVENTS, path_symlink);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, lictor_file_type(S_IFLNK));
	return lictor_name_event(s, LICTOR_EVENT_SYMLINK, dir, dentry);
}

SEC("lsm/path_unlink")
int BPF_PROG(lsm_path_unlink, const struct path *dir, struct dentry *dentry, int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_DELETE, LICTOR_EVENTS, path_unlink);
	return lictor_name_event(s, LICTOR_EVENT_DELETE, dir, dentry);
}

SEC("lsm/path_rmdir")
int BPF_PROG(lsm_path_rmdir, const struct path *dir, struct dentry *dentry, int ret)
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
	s->twice = 1;
	lictor_gather_inode(s, lictor_dentry_inode(from), from);
	lictor_gather_path(s, mnt, from, 0, LICTOR_FIELD_FILE_PATH);
	lictor_gather_path(s, mnt, to, 1, LICTOR_FIELD_FILE_TARGET_PATH);
	lictor_decide(s, event, 0);
	lictor_decide(s, event, 1);
	return lictor_deny(s);
}

SEC("lsm/path_rename")
int BPF_PROG(lsm_path_rename, const struct path *old_dir, struct dentry *old_dentry,
	     const struct path *new_dir, struct dentry *new_dentry)
{
	/* The flags argument came with 5.19, before `ret`: an earlier denial is in its place only
	   on kernels older than those supported. */
	int ret = (int)ctx[5];

	LICTOR_OPEN(s, LICTOR_EVENT_RENAME, LICTOR_EVENTS, path_rename);
	return lictor_two_names(s, LICTOR_EVENT_RENAME, new_dir->mnt, old_dentry, new_dentry);
}

SEC("lsm/path_link")
int BPF_PROG(lsm_path_link, struct dentry *old_dentry, const struct path *new_dir,
	     struct dentry *new_dentry, int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_LINK, LICTOR_EVENTS, path_link);
	return lictor_two_names(s, LICTOR_EVENT_LINK, new_dir->mnt, old_dentry, new_dentry);
}

SEC("lsm/path_chmod")
int BPF_PROG(lsm_path_chmod, const struct path *path, umode_t mode, int ret)
{
	struct dentry *dentry = path->dentry;

	LICTOR_OPEN(s, LICTOR_EVENT_CHMOD, LICTOR_EVENTS, path_chmod);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_mode(s, mode);
	lictor_gather_path(s, path->mnt, dentry, 0, LICTOR_FIELD_FILE_PATH);
	lictor_decide(s, LICTOR_EVENT_CHMOD, 0);
	return lictor_deny(s);
}

SEC("lsm/path_chown")
int BPF_PROG(lsm_path_chown, const struct path *path, u64 uid, u64 gid, int ret)
{
	struct dentry *dentry = path->dentry;

	LICTOR_OPEN(s, LICTOR_EVENT_CHOWN, LICTOR_EVENTS, path_chown);
	lictor_gather_inode(s, lictor_dentry_inode(dentry), dentry);
	lictor_gather_path(s, path->mnt, dentry, 0, LICTOR_FIELD_FILE_PATH);
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

SEC("lsm/inode_setxattr")
int BPF_PROG(lsm_inode_setxattr, void *idmap, struct dentry *dentry, const char *name,
	     const void *value, u64 size, int flags, int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_setxattr);
	return lictor_xattr(s, dentry);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(lsm_inode_removexattr, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_removexattr);
	return lictor_xattr(s, dentry);
}

/* From 6.2; before that an ACL is an extended attribute to inode_setxattr. */
SEC("lsm/inode_set_acl")
int BPF_PROG(lsm_inode_set_acl, void *idmap, struct dentry *dentry, const char *name,
	     struct posix_acl *acl, int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_set_acl);
	return lictor_xattr(s, dentry);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(lsm_inode_remove_acl, void *idmap, struct dentry *dentry, const char *name, int ret)
{
	LICTOR_OPEN(s, LICTOR_EVENT_XATTR, LICTOR_EVENTS, inode_remove_acl);
	return lictor_xattr(s, dentry);
}
