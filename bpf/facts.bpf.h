/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an event is about: the object of a file event, in values and outcomes. Only what the rules
 * of the event need costs more than a load.
 */
#ifndef LICTOR_FACTS_H
#define LICTOR_FACTS_H

#include "bpf/decide.bpf.h"

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

/* The object's path into ascent[which], its outcomes into the facts. */
static __always_inline void lictor_gather_path(struct lictor_scratch *s, struct vfsmount *mnt,
					       struct dentry *dentry, u32 which, u32 field)
{
	if (!(s->needs & (which ? LICTOR_NEED_TARGET | LICTOR_NEED_PATH : LICTOR_NEED_PATH)))
		return;
	lictor_ascend(s, s->generation, which, mnt, dentry);
	s->ascent[which & 1].field = field;
	lictor_views(s, s->generation, which, LICTOR_SPACE_OBJECT, which ? LICTOR_STRING_TARGET : LICTOR_STRING_PATH);
}

static __always_inline u32 lictor_file_type(u32 mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 1;
	case S_IFLNK:
		return 2;
	case S_IFBLK:
		return 3;
	case S_IFCHR:
		return 4;
	case S_IFIFO:
		return 5;
	case S_IFSOCK:
		return 6;
	default:
		return 0;
	}
}

static __always_inline void lictor_gather_mode(struct lictor_scratch *s, u32 mode)
{
	lictor_number(s, LICTOR_FIELD_FILE_MODE, mode & 07777);
	lictor_number(s, LICTOR_FIELD_FILE_SETUID, (mode & (S_ISUID | S_ISGID)) != 0);
}

static __always_inline void lictor_gather_fs(struct lictor_scratch *s, struct super_block *sb)
{
	long length;

	s->fs_name = (u64)KREAD(sb, s_type, name);
	if (!(s->needs & LICTOR_NEED_FS))
		return;
	length = bpf_probe_read_kernel_str(&s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX], 32,
					   (const void *)s->fs_name);
	if (length < 1) {
		s->facts.hits[LICTOR_STRING_FS].state = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_PATH_UNREADABLE);
		return;
	}
	lictor_short(s, s->generation, (length - 1) & 31, LICTOR_SPACE_FS, LICTOR_STRING_FS);
}

/* An overlay inode is followed in memory by its dentry in the upper layer, if it has one there. */
static __always_inline bool lictor_overlay_upper(struct inode *inode)
{
	u64 upper = 0;

	if (KREAD(inode, i_sb, s_magic) != OVERLAYFS_SUPER_MAGIC)
		return false;
	if (bpf_probe_read_kernel(&upper, sizeof(upper),
				  (const char *)inode + bpf_core_type_size(struct inode)))
		return false;
	return upper != 0;
}

/* What the inode says. A name that does not exist yet (create, mkdir ...) has none. */
static __always_inline void lictor_gather_inode(struct lictor_scratch *s, struct inode *inode,
						struct dentry *dentry)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct super_block *sb = KREAD(dentry, d_sb);
	u32 owner, mode, links, login = lictor_login_user(task);

	s->record.file.dev = KREAD(sb, s_dev);
	lictor_gather_fs(s, sb);
	if (!inode) {
		owner = task->cred->euid.val;
		lictor_number(s, LICTOR_FIELD_FILE_OWNER, owner);
		return;
	}
	owner = KREAD(inode, i_uid.val);
	mode = KREAD(inode, i_mode);
	links = KREAD(inode, i_nlink);
	s->record.file.ino = KREAD(inode, i_ino);
	s->record.file_gid = KREAD(inode, i_gid.val);
	lictor_number(s, LICTOR_FIELD_FILE_OWNER, owner);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, lictor_file_type(mode));
	lictor_gather_mode(s, mode);
	lictor_number(s, LICTOR_FIELD_FILE_LINKS, links);
	lictor_number(s, LICTOR_FIELD_FILE_DELETED, links == 0);
	lictor_number(s, LICTOR_FIELD_FILE_OVERLAY_UPPER, lictor_overlay_upper(inode));
	if (login != ~0u)
		lictor_number(s, LICTOR_FIELD_FILE_FOREIGN, owner != login);
	lictor_number(s, LICTOR_FIELD_FILE_MEMFD, lictor_is_memfd(dentry));
}

static __always_inline void lictor_gather_file(struct lictor_scratch *s, struct file *file)
{
	struct dentry *dentry = KREAD(file, f_path.dentry);

	lictor_gather_inode(s, KREAD(file, f_inode), dentry);
	lictor_gather_path(s, KREAD(file, f_path.mnt), dentry, 0, LICTOR_FIELD_FILE_PATH);
}

#endif
