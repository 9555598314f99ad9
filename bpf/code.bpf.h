/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that is run. Beside what is gathered of each file, file.fsverity: what it holds, as the file
 * system vouches for it. Of a file with fs-verity the kernel has a digest in memory from its opening
 * on; it compares each block that it reads from the device, and lets nobody open it for writing.
 */
#ifndef LICTOR_CODE_H
#define LICTOR_CODE_H

#include "bpf/facts.bpf.h"

#define LICTOR_VERITY_NAME 7u		/* "sha256:" */

static __always_inline char lictor_hex_digit(u8 four)
{
	return four < 10 ? '0' + four : 'a' + four - 10;
}

#ifndef LICTOR_PROBING
extern int bpf_get_fsverity_digest(struct file *file, struct bpf_dynptr *digest) __weak __ksym;

static __always_inline bool lictor_ask_verity(struct lictor_verity *verity, struct file *file)
{
	struct bpf_dynptr digest;

	return lictor_asks_verity && bpf_get_fsverity_digest &&
	       !bpf_dynptr_from_mem(verity, sizeof(*verity), 0, &digest) &&
	       !bpf_get_fsverity_digest(file, &digest);
}
#else
static __always_inline bool lictor_ask_verity(struct lictor_verity *verity, struct file *file)
{
	return false;
}
#endif

/* Called, not built in: the stack is scarce. */
static __noinline int lictor_read_verity(struct lictor_scratch *s, struct inode *inode)
{
	struct inode___vouched *vouched = (void *)inode;
	struct lictor_verity *verity;
	struct fsverity_info *info;
	char name[8] = {};

	if (!s || !inode || !bpf_core_field_exists(vouched->i_verity_info))
		return false;
	verity = &s->verity;
	info = BPF_CORE_READ(vouched, i_verity_info);
	if (!info)
		return false;
	if (bpf_probe_read_kernel_str(name, sizeof(name),
				      BPF_CORE_READ(info, tree_params.hash_alg, name)) < 0)
		return false;
	verity->algorithm = name[3] == '2' ? FS_VERITY_HASH_ALG_SHA256 : FS_VERITY_HASH_ALG_SHA512;
	verity->size = BPF_CORE_READ(info, tree_params.digest_size);
	return verity->size &&
	       !bpf_probe_read_kernel(verity->byte, sizeof(verity->byte),
				      (const char *)info + bpf_core_field_offset(
					      struct fsverity_info, file_digest));
}

/* "sha256:" and its digits, as fsverity(1) writes them; none for a file that nobody vouches for. */
static __noinline int lictor_classify_verity(struct lictor_scratch *s)
{
	const struct lictor_verity *verity;
	char *to;
	u32 i, size;

	if (!s)
		return 0;
	verity = &s->verity;
	to = &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];
	size = verity->size;
	if (size > LICTOR_VERITY_DIGEST)
		size = LICTOR_VERITY_DIGEST;
	__builtin_memcpy(to, verity->algorithm == FS_VERITY_HASH_ALG_SHA256 ? "sha256:" : "sha512:",
			 LICTOR_VERITY_NAME);
	for (i = 0; i < LICTOR_VERITY_DIGEST; i++) {
		to[LICTOR_VERITY_NAME + 2 * i] = lictor_hex_digit(verity->byte[i] >> 4);
		to[LICTOR_VERITY_NAME + 2 * i + 1] = lictor_hex_digit(verity->byte[i] & 15);
	}
	lictor_short(s, s->generation, size ? LICTOR_VERITY_NAME + 2 * size : 0,
		     LICTOR_SPACE_VERITY, LICTOR_STRING_VERITY);
	return 0;
}

static __always_inline void lictor_no_verity(struct lictor_scratch *s)
{
	s->facts.v.state[LICTOR_FIELD_FILE_FSVERITY] = LICTOR_UNKNOWN;
	s->facts.hits[LICTOR_STRING_VERITY].state = LICTOR_UNKNOWN;
	lictor_reason(s, LICTOR_REASON_VERITY_UNREADABLE);
}

/* hook: in a program of an LSM hook; where the kernel has to be asked for the digest, no others may. */
static __always_inline void lictor_gather_code(struct lictor_scratch *s, struct file *file,
					       bool hook)
{
	struct inode *inode = KREAD(file, f_inode);

	lictor_gather_file(s, file);
	lictor_note_inode(&s->record.file, inode);
	if (!(s->needs & LICTOR_NEED_VERITY) || (!hook && lictor_asks_verity))
		return;
	s->verity.size = 0;
	if (KREAD(inode, i_flags) & S_VERITY && !lictor_read_verity(s, inode) &&
	    (!hook || !lictor_ask_verity(&s->verity, file)))
		lictor_no_verity(s);
	else
		lictor_classify_verity(s);
}

#endif
