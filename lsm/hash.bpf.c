/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before what is run is judged: its SHA-256, if rules ask for it. These programs may sleep, and
 * decide nothing. IMA reads the whole file; what it finds is kept with the inode until the file changes.
 */
#include "lsm/verdict.bpf.h"
#include "bpf/hash.bpf.h"

#define HASH_ALGO_SHA256 4	/* enum hash_algo, part of the kernel's interface to user space */
#define SETTLED_NS 1000000000

/*
 * File systems that stamp each change themselves. Those of a network have the time from a server, an
 * overlay has it from the layer beneath; there a file is read each time.
 */
static __always_inline bool lictor_stamps_changes(struct inode *inode)
{
	switch (inode->i_sb->s_magic) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return true;
	default:
		return false;
	}
}

static __always_inline bool lictor_kept_is(const struct lictor_digest *kept,
					   const struct lictor_inode *now)
{
	return kept->changed_s == now->changed_s && kept->changed_ns == now->changed_ns;
}

/* Copies what is kept, if nobody has written there meanwhile. */
static __always_inline bool lictor_take_kept(struct lictor_digest *kept,
					     const struct lictor_inode *now, u8 *digest)
{
	u32 turn = __sync_fetch_and_add(&kept->turn, 0);

	if (turn & 1 || !kept->known || !lictor_kept_is(kept, now))
		return false;
	__builtin_memcpy(digest, kept->digest, LICTOR_DIGEST_BYTES);
	return __sync_fetch_and_add(&kept->turn, 0) == turn;
}

/*
 * The clock of a file system moves in steps: what is written in the same step as the change before
 * does not show. So a digest is kept only if the last change has been seen a second before.
 */
static __always_inline void lictor_keep_digest(struct lictor_digest *kept,
					       const struct lictor_inode *now, const u8 *digest)
{
	u64 time = bpf_ktime_get_boot_ns();
	u32 turn = __sync_fetch_and_add(&kept->turn, 0);

	if (turn & 1 || __sync_val_compare_and_swap(&kept->turn, turn, turn + 1) != turn)
		return;
	if (!lictor_kept_is(kept, now)) {
		kept->known = 0;
		kept->changed_s = now->changed_s;
		kept->changed_ns = now->changed_ns;
		kept->since_ns = time;
	} else if (time - kept->since_ns > SETTLED_NS) {
		__builtin_memcpy(kept->digest, digest, LICTOR_DIGEST_BYTES);
		kept->known = 1;
	}
	__sync_fetch_and_add(&kept->turn, 1);
}

/*
 * Nobody can write to a file that is being executed (but on 6.11 and the first of 6.12); to one
 * that is mapped, somebody who has it open can.
 */
static __always_inline bool lictor_is_written(struct inode *inode)
{
	return inode->i_writecount.counter > 0;
}

static __always_inline int lictor_hash_file(struct file *file)
{
	struct inode *inode = file->f_inode;
	struct lictor_inode before = {}, after = {};
	struct lictor_digest *kept = NULL;
	struct lictor_hashed *note;

	note = bpf_task_storage_get(&hashes, bpf_get_current_task_btf(), 0,
				    BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!note)
		return 0;
	note->known = 0;
	if (lictor_is_written(inode))
		return 0;
	lictor_note_inode(&before, inode);
	if (lictor_stamps_changes(inode))
		kept = bpf_inode_storage_get(&digests, inode, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!kept || !lictor_take_kept(kept, &before, note->digest)) {
		if (bpf_ima_file_hash(file, note->digest, LICTOR_DIGEST_BYTES) != HASH_ALGO_SHA256)
			return 0;
		lictor_note_inode(&after, inode);
		if (lictor_is_written(inode) || before.changed_s != after.changed_s ||
		    before.changed_ns != after.changed_ns)
			return 0;
		if (kept)
			lictor_keep_digest(kept, &before, note->digest);
	}
	note->ino = before.ino;
	note->dev = before.dev;
	note->igeneration = before.igeneration;
	note->known = 1;
	return 0;
}

SEC("lsm.s/bprm_check_security")
int BPF_PROG(lsm_hash_exec, struct linux_binprm *bprm)
{
	return lictor_hash_file(bprm->file);
}

SEC("lsm.s/mmap_file")
int BPF_PROG(lsm_hash_mmap, struct file *file, unsigned long asked, unsigned long prot)
{
	if (!file || !(prot & PROT_EXEC) || lictor_exec_decided(file))
		return 0;
	return lictor_hash_file(file);
}
