/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What changes the kernel itself, or opens a way into it: modules, another kernel's image, bpf(2),
 * perf, the clock, io_uring, userfaultfd.
 */
#include "bpf/target.bpf.h"
#include "lsm/verdict.bpf.h"

/* ---- modules: judged when their content has been read, before any of it is looked at ---- */

#define LICTOR_SECTIONS_MAX 512

struct lictor_elf {
	u64 image;	/* address */
	u64 sections;
	u64 names;
	u64 length;
	u64 found;	/* address of the struct module in it, or 0 */
	u16 size;	/* of a section header */
};

static long lictor_section_step(u32 index, struct lictor_elf *elf)
{
	static const char wanted[] = ".gnu.linkonce.this_module";
	u64 header = elf->sections + (u64)index * elf->size, offset = 0;
	char name[sizeof(wanted)] = {};
	u32 at = 0, i;

	if (bpf_probe_read_kernel(&at, sizeof(at), (const void *)header) ||
	    bpf_probe_read_kernel(name, sizeof(name), (const void *)(elf->names + at)))
		return 0;
	for (i = 0; i < sizeof(wanted); i++)
		if (name[i] != wanted[i])
			return 0;
	if (!bpf_probe_read_kernel(&offset, sizeof(offset), (const void *)(header + 0x18)) &&
	    offset < elf->length)
		elf->found = elf->image + offset;
	return 1;
}

/* The name that the kernel will know the module by, out of its ELF image. */
static __always_inline void lictor_module_name(struct lictor_scratch *s, const void *image,
					       long length)
{
	struct lictor_elf elf = { .image = (u64)image, .length = (u64)length };
	u64 sections = 0, names = 0;
	u32 magic = 0;
	u16 count = 0, strings = 0;

	bpf_probe_read_kernel(&magic, sizeof(magic), image);
	bpf_probe_read_kernel(&sections, sizeof(sections), image + 0x28);
	bpf_probe_read_kernel(&elf.size, sizeof(elf.size), image + 0x3a);
	bpf_probe_read_kernel(&count, sizeof(count), image + 0x3c);
	bpf_probe_read_kernel(&strings, sizeof(strings), image + 0x3e);
	if (magic == 0x464c457f && sections < (u64)length && length > 64) {
		elf.sections = elf.image + sections;
		bpf_probe_read_kernel(&names, sizeof(names),
				      (const void *)(elf.sections + (u64)strings * elf.size + 0x18));
		elf.names = elf.image + names;
		bpf_loop(count < LICTOR_SECTIONS_MAX ? count : LICTOR_SECTIONS_MAX,
			 lictor_section_step, &elf, 0);
	}
	if (elf.found)
		lictor_argument(s, LICTOR_FIELD_MODULE_NAME, LICTOR_STRING_ARGUMENT,
				(const void *)(elf.found +
					       bpf_core_field_offset(struct module, name)));
	else
		lictor_argument_unreadable(s, LICTOR_STRING_ARGUMENT,
					   LICTOR_REASON_MODULE_UNREADABLE);
}

SEC(LICTOR_SECTION "kernel_post_read_file")
int LICTOR_PROG(lsm_kernel_post_read_file, struct file *file, char *content, long size, int id)
{
	if (id != (int)bpf_core_enum_value(enum kernel_read_file_id, READING_MODULE))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_MODULE, LICTOR_EVENTS, kernel_post_read_file);
	lictor_number(s, LICTOR_FIELD_MODULE_OPERATION, 0);
	lictor_module_name(s, content, size);
	if (file) {
		lictor_gather_path(s, KREAD(file, f_path.mnt), KREAD(file, f_path.dentry), 0,
				   LICTOR_FIELD_MODULE_PATH);
	}
	lictor_decide(s, LICTOR_EVENT_MODULE, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "kernel_post_load_data")
int LICTOR_PROG(lsm_kernel_post_load_data, char *content, long size, int id)
{
	if (id != (int)bpf_core_enum_value(enum kernel_load_data_id, LOADING_MODULE))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_MODULE, LICTOR_EVENTS, kernel_post_load_data);
	lictor_number(s, LICTOR_FIELD_MODULE_OPERATION, 0);
	lictor_module_name(s, content, size);
	lictor_decide(s, LICTOR_EVENT_MODULE, 0);
	return lictor_deny(s);
}

/* ---- another kernel ---- */

SEC(LICTOR_SECTION "kernel_read_file")
int LICTOR_PROG(lsm_kernel_read_file, struct file *file, int id)
{
	if (!file || (id != (int)bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_IMAGE) &&
		      id != (int)bpf_core_enum_value(enum kernel_read_file_id, READING_KEXEC_INITRAMFS)))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_KEXEC, LICTOR_EVENTS, kernel_read_file);
	lictor_gather_file(s, file);
	lictor_decide(s, LICTOR_EVENT_KEXEC, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "kernel_load_data")
int LICTOR_PROG(lsm_kernel_load_data, int id)
{
	if (id != (int)bpf_core_enum_value(enum kernel_load_data_id, LOADING_KEXEC_IMAGE))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_KEXEC, LICTOR_EVENTS, kernel_load_data);
	lictor_decide(s, LICTOR_EVENT_KEXEC, 0);
	return lictor_deny(s);
}

/* ---- bpf(2), perf ---- */

#define LICTOR_BPF_PROG_LOAD 5

SEC(LICTOR_SECTION "bpf")
int LICTOR_PROG(lsm_bpf, int command, const void *attributes, unsigned int size)
{
	u32 type = 0;

	LICTOR_OPEN(s, LICTOR_EVENT_BPF, LICTOR_EVENTS, bpf);
	lictor_number(s, LICTOR_FIELD_BPF_COMMAND, command);
	if (command == LICTOR_BPF_PROG_LOAD) {
		bpf_probe_read_kernel(&type, sizeof(type), attributes);
		lictor_number(s, LICTOR_FIELD_BPF_PROGRAM_TYPE, type);
	}
	lictor_decide(s, LICTOR_EVENT_BPF, 0);
	return lictor_deny(s);
}

#define PERF_SECURITY_OPEN 0
#define LICTOR_PERF_DYNAMIC 6

/* (attr, type), or on later kernels (type): what kind of event it is, is not told any more. */
SEC(LICTOR_SECTION "perf_event_open")
int LICTOR_PROG(lsm_perf_event_open, const void *first)
{
	u32 type = 0;
	u64 step;

	if (lictor_perf_attr) {
		step = LICTOR_SECOND(ctx);
		asm volatile("" : "+r"(step));
	} else {
		step = (u64)first;
		asm volatile("" : "+r"(step));
	}
	if ((u32)step != PERF_SECURITY_OPEN)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_PERF, LICTOR_EVENTS, perf_event_open);
	if (lictor_perf_attr) {
		bpf_probe_read_kernel(&type, sizeof(type), first);
		lictor_number(s, LICTOR_FIELD_PERF_TYPE,
			      type < LICTOR_PERF_DYNAMIC ? type : LICTOR_PERF_DYNAMIC);
	} else {
		s->facts.v.state[LICTOR_FIELD_PERF_TYPE] = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_ARGUMENT_UNREADABLE);
	}
	lictor_decide(s, LICTOR_EVENT_PERF, 0);
	return lictor_deny(s);
}

/* ---- the clock ---- */

SEC(LICTOR_SECTION "settime")
int LICTOR_PROG(lsm_settime, const struct timespec64 *ts, const struct timezone *tz)
{
	LICTOR_OPEN(s, LICTOR_EVENT_SETTIME, LICTOR_EVENTS, settime);
	lictor_number(s, LICTOR_FIELD_CLOCK_OPERATION, 0);
	lictor_decide(s, LICTOR_EVENT_SETTIME, 0);
	return lictor_deny(s);
}

/* ---- io_uring, userfaultfd ---- */

enum { LICTOR_URING_SETUP, LICTOR_URING_SQPOLL, LICTOR_URING_CREDS, LICTOR_URING_COMMAND };

static __always_inline int lictor_uring(struct lictor_scratch *s, u32 operation)
{
	lictor_number(s, LICTOR_FIELD_IO_URING_OPERATION, operation);
	lictor_decide(s, LICTOR_EVENT_IO_URING, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "uring_override_creds")
int LICTOR_PROG(lsm_uring_override_creds, const struct cred *new)
{
	LICTOR_OPEN(s, LICTOR_EVENT_IO_URING, LICTOR_EVENTS, uring_override_creds);
	return lictor_uring(s, LICTOR_URING_CREDS);
}

SEC(LICTOR_SECTION "uring_sqpoll")
int LICTOR_PROG(lsm_uring_sqpoll)
{
	LICTOR_OPEN(s, LICTOR_EVENT_IO_URING, LICTOR_EVENTS, uring_sqpoll);
	return lictor_uring(s, LICTOR_URING_SQPOLL);
}

SEC(LICTOR_SECTION "uring_cmd")
int LICTOR_PROG(lsm_uring_cmd, struct io_uring_cmd *command)
{
	LICTOR_OPEN(s, LICTOR_EVENT_IO_URING, LICTOR_EVENTS, uring_cmd);
	return lictor_uring(s, LICTOR_URING_COMMAND);
}

/* The anonymous inode behind the descriptor that io_uring_setup(2) or userfaultfd(2) returns. */
SEC(LICTOR_SECTION "inode_init_security_anon")
int LICTOR_PROG(lsm_inode_init_security_anon, struct inode *inode, const struct qstr *name)
{
	char text[16] = {};
	bool uring;

	bpf_probe_read_kernel_str(text, sizeof(text), KREAD(name, name));
	uring = text[1] == 'i' && text[2] == 'o' && text[3] == '_' && text[4] == 'u' &&
		text[5] == 'r';
	if (!uring && !(text[1] == 'u' && text[2] == 's' && text[3] == 'e' && text[4] == 'r' &&
			text[5] == 'f'))
		return 0;
	LICTOR_OPEN(s, uring ? LICTOR_EVENT_IO_URING : LICTOR_EVENT_USERFAULTFD, LICTOR_EVENTS,
		    inode_init_security_anon);
	if (uring)
		return lictor_uring(s, LICTOR_URING_SETUP);
	lictor_decide(s, LICTOR_EVENT_USERFAULTFD, 0);
	return lictor_deny(s);
}
