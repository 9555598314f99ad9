/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts whose rules have to wait. Of an exec, the kernel checks each file that the next one runs,
 * and lets go of it; what it is started with is known when the last one has been loaded. So what
 * the others were is noted when they are checked, and judged then.
 */
#ifndef LICTOR_SCRIPT_H
#define LICTOR_SCRIPT_H

#include "bpf/code.bpf.h"
#include "bpf/start.bpf.h"

/* Is the exec still about the file that was asked for? Each handler of scripts sets another. */
static __always_inline bool lictor_first_file(struct linux_binprm *bprm)
{
	return KREAD(bprm, interp) == KREAD(bprm, filename);
}

/* Asked right before the length is used, and not known to the compiler: for the verifier. */
static __always_inline bool lictor_script_fits(u32 *length)
{
	asm volatile("" : "+r"(*length));
	return *length <= LICTOR_SCRIPT_TEXT;
}

static __always_inline void lictor_note_text(struct lictor_scratch *s, struct lictor_script *note)
{
	const struct lictor_ascent *a = &s->ascent[0];
	u32 length;

	if (!a->field || !lictor_has_text(a)) {
		note->flags |= LICTOR_SCRIPT_NAMELESS;
		return;
	}
	length = LICTOR_PATH_MAX - a->cursor;
	if (length > LICTOR_SCRIPT_TEXT) {
		length = LICTOR_SCRIPT_TEXT;
		note->flags |= LICTOR_SCRIPT_CUT;
	}
	if (a->problem)
		note->flags |= LICTOR_SCRIPT_CUT;
	note->length = length;
	if (lictor_script_fits(&length))
		bpf_probe_read_kernel(note->text, length,
				      &s->text[lictor_region_at(a->region,
								LICTOR_PATH_MAX - length)]);
}

/* The file that has been gathered, and what was in doubt about it. */
static __noinline void lictor_note_script(struct lictor_scratch *s, struct lictor_script *note,
					  u32 reasons)
{
	const struct lictor_hits *verity;
	const struct lictor_values *v;

	if (!s || !note)
		return;
	v = &s->facts.v;
	note->path = s->facts.hits[LICTOR_STRING_PATH];
	note->fs = s->facts.hits[LICTOR_STRING_FS];
	note->fs_name = s->fs_name;
	note->ino = s->record.file.ino;
	note->dev = s->record.file.dev;
	verity = &s->facts.hits[LICTOR_STRING_VERITY];
	note->verity = verity->any ? verity->any_out[0] : 0;
	note->group = s->record.file_gid;
	note->mode = v->num[LICTOR_FIELD_FILE_MODE];
	note->type = v->num[LICTOR_FIELD_FILE_TYPE];
	note->owner = v->num[LICTOR_FIELD_FILE_OWNER];
	note->links = v->num[LICTOR_FIELD_FILE_LINKS];
	note->flags = (v->num[LICTOR_FIELD_FILE_OVERLAY_UPPER] ? LICTOR_SCRIPT_UPPER : 0) |
		      (v->num[LICTOR_FIELD_FILE_MEMFD] ? LICTOR_SCRIPT_MEMFD : 0) |
		      (v->num[LICTOR_FIELD_FILE_DELETED] ? LICTOR_SCRIPT_DELETED : 0) |
		      (verity->state == LICTOR_PRESENT && verity->any < 2 ? LICTOR_SCRIPT_VERITY : 0);
	note->reasons = reasons;
	note->length = 0;
	lictor_note_text(s, note);
}

/* An exec begins: what one before it left, which failed, is not its own. */
static __always_inline void lictor_begin_files(struct linux_binprm *bprm)
{
	struct lictor_scripts *all;

	if (!lictor_first_file(bprm))
		return;
	all = bpf_task_storage_get(&scripts, bpf_get_current_task_btf(), 0, 0);
	if (all) {
		all->generation = 0;
		all->files = 0;
	}
}

/* One more file that an exec goes through has been gathered; before: what was in doubt until then. */
static __always_inline void lictor_note_file(struct lictor_scratch *s, struct linux_binprm *bprm,
					     u32 before)
{
	struct task_struct *task = bpf_get_current_task_btf();
	lictor_tables tables = lictor_open(s->generation);
	struct lictor_scripts *all;
	u32 at;

	if (!tables || !(lictor_starts_of(lictor_page(tables, 0)) & LICTOR_STARTS_EXEC))
		return;
	all = bpf_task_storage_get(&scripts, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!all)
		return;
	if (lictor_first_file(bprm)) {
		all->generation = (u32)s->generation;
	} else if (all->generation != (u32)s->generation) {
		all->generation = 0;
	}
	at = all->files++;
	if (at < LICTOR_SCRIPTS)
		lictor_note_script(s, &all->script[at], s->outcome.reasons & ~before);
}

/* How many there are of an exec that did not stay with its first file: one, that is not known, if
   they were not noted. */
static __always_inline u32 lictor_scripts_count(struct task_struct *task)
{
	const struct lictor_scripts *all = bpf_task_storage_get(&scripts, task, 0, 0);

	return all && all->files && all->files <= LICTOR_SCRIPTS + 1 ? all->files - 1 : 1;
}

/* A script that is not known any more. */
static __always_inline void lictor_gather_no_script(struct lictor_scratch *s)
{
	static const u8 field[] = {
		LICTOR_FIELD_FILE_OWNER, LICTOR_FIELD_FILE_TYPE, LICTOR_FIELD_FILE_MODE,
		LICTOR_FIELD_FILE_SETUID, LICTOR_FIELD_FILE_LINKS, LICTOR_FIELD_FILE_DELETED,
		LICTOR_FIELD_FILE_OVERLAY_UPPER, LICTOR_FIELD_FILE_FOREIGN,
		LICTOR_FIELD_FILE_MEMFD, LICTOR_FIELD_FILE_FSVERITY,
	};
	u32 i;

	for (i = 0; i < sizeof(field); i++)
		s->facts.v.state[field[i]] = LICTOR_UNKNOWN;
	s->facts.hits[LICTOR_STRING_PATH].state = LICTOR_UNKNOWN;
	s->facts.hits[LICTOR_STRING_FS].state = LICTOR_UNKNOWN;
	s->facts.hits[LICTOR_STRING_VERITY].state = LICTOR_UNKNOWN;
	lictor_reason(s, LICTOR_REASON_SCRIPT_UNKNOWN);
}

/* One outcome is kept: of rules that tell more of one digest apart, it is in doubt. */
static __always_inline void lictor_gather_noted_verity(struct lictor_scratch *s,
						       const struct lictor_script *note)
{
	struct lictor_hits *hits = &s->facts.hits[LICTOR_STRING_VERITY];

	if (!(s->needs & LICTOR_NEED_VERITY))
		return;
	if (!(note->flags & LICTOR_SCRIPT_VERITY)) {
		lictor_no_verity(s);
		return;
	}
	hits->state = LICTOR_PRESENT;
	hits->any = hits->sure = hits->own = note->verity != 0;
	hits->any_out[0] = note->verity;
	hits->sure_out[0] = note->verity;
}

/* What was noted of one of them. */
static __noinline int lictor_gather_noted(struct lictor_scratch *s, struct task_struct *task,
					  const struct lictor_script *note)
{
	u32 login, length;
	struct lictor_ascent *a;

	if (!s || !note)
		return 0;
	a = &s->ascent[0];
	login = lictor_login_user(task);
	length = note->length;
	s->facts.hits[LICTOR_STRING_PATH] = note->path;
	s->facts.hits[LICTOR_STRING_FS] = note->fs;
	lictor_gather_noted_verity(s, note);
	s->fs_name = note->fs_name;
	s->record.file.ino = note->ino;
	s->record.file.dev = note->dev;
	s->record.file_gid = note->group;
	s->outcome.reasons |= note->reasons;
	lictor_number(s, LICTOR_FIELD_FILE_OWNER, note->owner);
	lictor_number(s, LICTOR_FIELD_FILE_TYPE, note->type);
	lictor_gather_mode(s, note->mode);
	lictor_number(s, LICTOR_FIELD_FILE_LINKS, note->links);
	lictor_number(s, LICTOR_FIELD_FILE_DELETED, (note->flags & LICTOR_SCRIPT_DELETED) != 0);
	lictor_number(s, LICTOR_FIELD_FILE_OVERLAY_UPPER, (note->flags & LICTOR_SCRIPT_UPPER) != 0);
	lictor_number(s, LICTOR_FIELD_FILE_MEMFD, (note->flags & LICTOR_SCRIPT_MEMFD) != 0);
	if (login != ~0u)
		lictor_number(s, LICTOR_FIELD_FILE_FOREIGN, note->owner != login);
	/* As an ascent that has come to its end, for the record. */
	a->field = LICTOR_FIELD_FILE_PATH;
	a->region = LICTOR_REGION_PATH;
	a->pseudo = (note->flags & LICTOR_SCRIPT_NAMELESS) != 0;
	a->mountless = 0;
	a->problem = note->flags & LICTOR_SCRIPT_CUT ? LICTOR_REASON_PATH_TOO_LONG : 0;
	a->cursor = LICTOR_PATH_MAX - length;
	if (lictor_script_fits(&length))
		bpf_probe_read_kernel(&s->text[lictor_region_at(LICTOR_REGION_PATH, a->cursor)],
				      length, note->text);
	return 0;
}

static __always_inline void lictor_gather_script(struct lictor_scratch *s, struct task_struct *task,
						 u32 index)
{
	const struct lictor_scripts *all = bpf_task_storage_get(&scripts, task, 0, 0);

	asm volatile("" : "+r"(index));
	if (all && all->generation == (u32)s->generation && index + 1 < all->files &&
	    index < LICTOR_SCRIPTS)
		lictor_gather_noted(s, task, &all->script[index]);
	else
		lictor_gather_no_script(s);
}

/* What was noted of the program, when it was checked by a hook that may ask for its digest. */
static __always_inline void lictor_gather_last_verity(struct lictor_scratch *s,
						      struct task_struct *task, struct inode *inode)
{
	const struct lictor_scripts *all = bpf_task_storage_get(&scripts, task, 0, 0);
	const struct lictor_script *note;
	u32 last = all ? all->files - 1 : LICTOR_SCRIPTS;

	if (!(KREAD(inode, i_flags) & S_VERITY)) {
		s->verity.size = 0;
		lictor_classify_verity(s);
		return;
	}
	asm volatile("" : "+r"(last));
	if (!all || all->generation != (u32)s->generation || last >= LICTOR_SCRIPTS) {
		lictor_no_verity(s);
		return;
	}
	note = &all->script[last];
	if (note->ino == s->record.file.ino && note->dev == s->record.file.dev)
		lictor_gather_noted_verity(s, note);
	else
		lictor_no_verity(s);
}

static __always_inline void lictor_gather_last(struct lictor_scratch *s, struct task_struct *task,
					       struct file *file)
{
	lictor_gather_code(s, file, false);
	if (lictor_asks_verity && s->needs & LICTOR_NEED_VERITY)
		lictor_gather_last_verity(s, task, KREAD(file, f_inode));
}

#endif
