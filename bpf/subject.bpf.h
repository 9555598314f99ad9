/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who acts. A process's identity is settled when it executes a program and when it is created, in
 * the kernel, and kept in task storage; decisions only read it. What is read afresh at each event
 * are credentials, and comm for those rules that ask for it.
 */
#ifndef LICTOR_SUBJECT_H
#define LICTOR_SUBJECT_H

#include "bpf/views.bpf.h"

/* Adds the atoms of the outcomes in hits to an ancestor set. */
__noinline int lictor_ancestors_add(u64 generation, u32 space, const struct lictor_hits *hits,
				    struct lictor_ancestors *set)
{
	lictor_tables tables = lictor_open(generation);
	const void *page = tables ? lictor_page(tables, 0) : NULL, *row;
	u32 head = (u32)__builtin_offsetof(struct lictor_image, space) +
		   space * (u32)sizeof(struct lictor_space_head);
	u32 atoms, i, j;

	if (!page || !hits || !set || space >= LICTOR_SPACES)
		return 0;
	atoms = LICTOR_GET(page, head, struct lictor_space_head, atoms);
	if (!atoms)
		return 0;
	/* An ancestor that could not be classified may be any: doubt goes to the rule. */
	if (hits->state == LICTOR_UNKNOWN)
		for (i = 0; i < LICTOR_ATOMS_MAX / 64; i++)
			set->any.bit[i] = ~0ull;
	for (i = 0; i < LICTOR_HITS_MAX; i++) {
		u32 at;

		if (i >= hits->any)
			break;
		at = atoms + hits->any_out[i] * (u32)sizeof(struct lictor_atoms);
		row = lictor_page(tables, at);
		if (!row)
			return 0;
		for (j = 0; j < LICTOR_ATOMS_MAX / 64; j++)
			set->any.bit[j] |= LICTOR_AT(u64, row, at + j * 8);
	}
	for (i = 0; i < LICTOR_HITS_MAX; i++) {
		u32 at;

		if (i >= hits->sure)
			break;
		at = atoms + hits->sure_out[i] * (u32)sizeof(struct lictor_atoms);
		row = lictor_page(tables, at);
		if (!row)
			return 0;
		for (j = 0; j < LICTOR_ATOMS_MAX / 64; j++)
			set->sure.bit[j] |= LICTOR_AT(u64, row, at + j * 8);
	}
	return 0;
}

static __always_inline u32 lictor_length_of(const char *comm)
{
	u32 i;

	for (i = 0; i < 15 && comm[i]; i++)
		;
	return i;
}

static __always_inline void lictor_comm_text(struct lictor_scratch *s, const char *comm, u32 *length)
{
	char *to = &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];
	u32 i;

	for (i = 0; i < 16; i++)
		to[i] = comm[i];
	*length = lictor_length_of(to);
}

/* The outcomes of a comm: into facts.hits[string]. */
static __always_inline void lictor_classify_name(struct lictor_scratch *s, u64 generation,
						 const char *comm, u32 string)
{
	u32 length;

	lictor_comm_text(s, comm, &length);
	lictor_short(s, generation, length, LICTOR_SPACE_NAME, string);
}

/*
 * A kept executable path into facts.hits[string]; certain only if it was the host's name for the
 * object when it was kept.
 */
static __always_inline void lictor_classify_kept(struct lictor_scratch *s, u64 generation,
						 const char *text, u32 length, bool host,
						 u32 string)
{
	bpf_probe_read_kernel(&s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX], LICTOR_IMAGE_TEXT,
			      text);
	lictor_short(s, generation, length, LICTOR_SPACE_IMAGE, string);
	if (!host && string < LICTOR_STRINGS)
		s->facts.hits[string].sure = 0;
}

/* The program that ascent[0] is about, as the process's image. */
static __always_inline void lictor_classify_image(struct lictor_scratch *s, u64 generation,
						  struct lictor_subject *subject)
{
	if (lictor_views(s, generation, 0, LICTOR_SPACE_IMAGE, LICTOR_STRING_IMAGE))
		subject->flags |= LICTOR_SUBJECT_HOST;
}

/* Keeps the (end of the) path that ascent[0] found. */
static __always_inline void lictor_keep_image(struct lictor_scratch *s,
					      struct lictor_subject *subject)
{
	struct lictor_ascent *a = &s->ascent[0];
	u32 length = LICTOR_PATH_MAX - a->cursor, from = a->cursor;

	subject->flags &= ~(LICTOR_SUBJECT_CUT | LICTOR_SUBJECT_HOST);
	if (length > LICTOR_PATH_MAX)
		length = 0;
	if (a->problem)
		subject->flags |= LICTOR_SUBJECT_CUT;
	if (length > LICTOR_IMAGE_TEXT) {
		subject->flags |= LICTOR_SUBJECT_CUT;
		from += length - LICTOR_IMAGE_TEXT;
		length = LICTOR_IMAGE_TEXT;
	}
	subject->image_length = length;
	bpf_probe_read_kernel(subject->image, LICTOR_MASK(length, 255),
			      &s->text[lictor_region_at(LICTOR_REGION_PATH, from)]);
}

/* Gives the path of the image a number, under which records name it. */
static __always_inline void lictor_note_program(struct lictor_scratch *s,
						struct lictor_subject *subject)
{
	const struct lictor_control *c = lictor_in_force();
	u64 hash = c ? c->seed : 0;
	u32 i;

	for (i = 0; i < LICTOR_IMAGE_TEXT; i++) {
		if (i >= subject->image_length)
			break;
		hash = lictor_hash_byte(hash, subject->image[i]);
	}
	subject->program = lictor_hash_end(hash);
	if (bpf_map_lookup_elem(&programs, &subject->program))
		return;
	__builtin_memcpy(s->program.path, subject->image, LICTOR_IMAGE_TEXT);
	s->program.length = subject->image_length;
	s->program.cut = (subject->flags & LICTOR_SUBJECT_CUT) != 0;
	bpf_map_update_elem(&programs, &subject->program, &s->program, BPF_ANY);
}

/* Made by memfd_create(2), of huge pages perhaps: in no directory, and called so. */
static __always_inline bool lictor_is_memfd(struct dentry *dentry)
{
	char name[8] = {};

	if (KREAD(dentry, d_parent) != dentry)
		return false;
	bpf_probe_read_kernel(name, 6, KREAD(dentry, d_name.name));
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
	       name[4] == 'd' && name[5] == ':';
}

/* The file that the process executed, NULL if what its memory says of it is another one. */
static __always_inline struct inode *lictor_program_of(struct task_struct *task,
						       const struct lictor_subject *subject)
{
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode || BPF_CORE_READ(inode, i_ino) != subject->image_ino ||
	    BPF_CORE_READ(inode, i_sb, s_dev) != subject->image_dev ||
	    BPF_CORE_READ(inode, i_generation) != subject->image_igeneration)
		return NULL;
	return inode;
}

/* Keeps which file it is that the process executes. */
static __always_inline void lictor_keep_object(struct lictor_subject *subject, struct file *file)
{
	struct inode *inode = file->f_inode;
	struct super_block *sb = inode->i_sb;

	subject->image_ino = inode->i_ino;
	subject->image_dev = sb->s_dev;
	subject->image_igeneration = inode->i_generation;
	subject->leaving = 0;
	subject->flags &= ~(LICTOR_SUBJECT_MEMFD | LICTOR_SUBJECT_SETUID | LICTOR_SUBJECT_DELETED);
	if (inode->i_mode & (S_ISUID | S_ISGID))
		subject->flags |= LICTOR_SUBJECT_SETUID;
	if (lictor_is_memfd(file->f_path.dentry))
		subject->flags |= LICTOR_SUBJECT_MEMFD;
}

/* Facts about the actor that rules may ask for. */
static __always_inline void lictor_gather_subject(struct lictor_scratch *s,
						  struct lictor_subject *subject)
{
	struct lictor_facts *f = &s->facts;
	struct lictor_identity *id;

	f->v.state[LICTOR_FIELD_ANCESTOR_EXECUTABLE] = LICTOR_PRESENT;
	f->v.state[LICTOR_FIELD_ANCESTOR_NAME] = LICTOR_PRESENT;
	id = subject ? &subject->identity[s->generation & 1] : NULL;
	if (!id || id->generation != (u32)s->generation) {
		f->hits[LICTOR_STRING_IMAGE].state = LICTOR_UNKNOWN;
		f->hits[LICTOR_STRING_PARENT].state = LICTOR_UNKNOWN;
		f->hits[LICTOR_STRING_PARENT_NAME].state = LICTOR_UNKNOWN;
		f->v.state[LICTOR_FIELD_ANCESTOR_EXECUTABLE] = LICTOR_UNKNOWN;
		f->v.state[LICTOR_FIELD_ANCESTOR_NAME] = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_NO_SUBJECT);
		return;
	}
	f->hits[LICTOR_STRING_IMAGE] = id->image;
	f->hits[LICTOR_STRING_PARENT] = id->parent;
	f->hits[LICTOR_STRING_PARENT_NAME] = id->parent_name;
	f->ancestors[LICTOR_ANCESTOR_IMAGES] = id->images;
	f->ancestors[LICTOR_ANCESTOR_NAMES] = id->names;
}

static __always_inline void lictor_number(struct lictor_scratch *s, u32 field, u64 value)
{
	s->facts.v.state[field] = LICTOR_PRESENT;
	s->facts.v.num[field] = value;
}

/* Who logged in; nobody, as for daemons, where the kernel was built without auditing. */
static __always_inline u32 lictor_login_user(struct task_struct *task)
{
	if (!bpf_core_field_exists(task->loginuid))
		return ~0u;
	return task->loginuid.val;
}

static __always_inline void lictor_gather_credentials(struct lictor_scratch *s,
						      struct task_struct *task)
{
	const struct cred *cred = task->cred;

	lictor_number(s, LICTOR_FIELD_PROCESS_PID, task->tgid);
	lictor_number(s, LICTOR_FIELD_USER_NAME, cred->uid.val);
	lictor_number(s, LICTOR_FIELD_USER_ID, cred->uid.val);
	lictor_number(s, LICTOR_FIELD_USER_EFFECTIVE_NAME, cred->euid.val);
	lictor_number(s, LICTOR_FIELD_USER_EFFECTIVE_ID, cred->euid.val);
	lictor_number(s, LICTOR_FIELD_USER_AUDIT_NAME, lictor_login_user(task));
	lictor_number(s, LICTOR_FIELD_USER_AUDIT_ID, lictor_login_user(task));
	lictor_number(s, LICTOR_FIELD_GROUP_NAME, cred->gid.val);
	lictor_number(s, LICTOR_FIELD_GROUP_ID, cred->gid.val);
	s->record.egid = cred->egid.val;
}

#endif
