/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Possible: a block comes in, the values that an event can have together go out, and the predicate
 * that leaves none of them; also what of an event can only be reported. What an event can be is
 * kept as sets of values, a bit each, one set for each sort of thing that fields depend on.
 * Touches nothing.
 */
#include <string.h>

#include "rules/check.h"

#define B(bit) (1ull << (bit))
#define ANY (~0ull)
#define NONE B(63)	/* the event has no such value */

/* network.transport, network.type, socket.family, socket.type: numbers as in vocab.tab */
enum { TCP, UDP, SCTP, ICMP, RAW, UNIX, VSOCK, PACKET, OTHER };
#define V4 B(4)
#define V6 B(6)
#define NETWORK (B(TCP) | B(UDP) | B(SCTP) | B(ICMP) | B(RAW) | B(OTHER))
#define PORTS (NETWORK | B(VSOCK)) /* of a raw socket, too, a caller may name one */
#define TYPELESS (B(UNIX) | B(VSOCK) | B(PACKET))
enum { FAMILY_UNIX = 1, FAMILY_V4 = 2, FAMILY_V6 = 10, FAMILY_PACKET = 17, FAMILY_VSOCK = 40 };
#define TYPE_RAW B(3)

/* mount.operation and its flags, and others */
enum { MOUNT, BIND, REMOUNT, MOVE, PROPAGATION, PIVOT_ROOT, CLONE, ATTRIBUTES, UMOUNT };
#define UMOUNT_FLAGS (B(12) | B(13) | B(14))
#define PROG_LOAD B(5)
enum { LOAD, UNLOAD };
enum { CAPSET, AMBIENT, SECUREBITS };
enum { SET_CLOCK, ADJUST };
#define USER_NAMESPACE B(6)
#define OTHER_NAMESPACES (B(8) - 1 - USER_NAMESPACE)
enum { HOSTNAME, DOMAIN };

/* The fields whose values are kept; what is set when a host is named has no field. */
static const int kept_field[POSSIBLE_SORTS] = {
	[POSSIBLE_TRANSPORT] = LICTOR_FIELD_NETWORK_TRANSPORT,
	[POSSIBLE_TYPE] = LICTOR_FIELD_NETWORK_TYPE,
	[POSSIBLE_MOUNT] = LICTOR_FIELD_MOUNT_OPERATION,
	[POSSIBLE_MODULE] = LICTOR_FIELD_MODULE_OPERATION,
	[POSSIBLE_BPF] = LICTOR_FIELD_BPF_COMMAND,
	[POSSIBLE_CAPABILITY] = LICTOR_FIELD_CAPABILITY_OPERATION,
	[POSSIBLE_CLOCK] = LICTOR_FIELD_CLOCK_OPERATION,
	[POSSIBLE_NAMESPACE] = LICTOR_FIELD_NAMESPACE_TYPES,
	[POSSIBLE_MAPPED] = LICTOR_FIELD_FILE_MAPPED,
	[POSSIBLE_NAME] = LICTOR_FIELD_NONE,
};

/* A field that has one of the values (of those in `of` only) leaves these of that sort. */
static const struct {
	int field;
	uint64_t of;
	int sort;
	uint64_t left;
} leaves[] = {
	{ LICTOR_FIELD_NETWORK_TRANSPORT, TYPELESS, POSSIBLE_TYPE, NONE },
	{ LICTOR_FIELD_NETWORK_TYPE, ANY, POSSIBLE_TRANSPORT, NETWORK },
	{ LICTOR_FIELD_DESTINATION_IP, ANY, POSSIBLE_TRANSPORT, NETWORK },
	{ LICTOR_FIELD_SOURCE_IP, ANY, POSSIBLE_TRANSPORT, NETWORK },
	{ LICTOR_FIELD_DESTINATION_PORT, ANY, POSSIBLE_TRANSPORT, PORTS },
	{ LICTOR_FIELD_SOURCE_PORT, ANY, POSSIBLE_TRANSPORT, PORTS },
	{ LICTOR_FIELD_DESTINATION_PATH, ANY, POSSIBLE_TRANSPORT, B(UNIX) },
	{ LICTOR_FIELD_SOCKET_TYPE, TYPE_RAW, POSSIBLE_TRANSPORT,
	  ~(B(TCP) | B(UDP) | B(SCTP) | B(ICMP)) },
	{ LICTOR_FIELD_SOCKET_TYPE, ~TYPE_RAW, POSSIBLE_TRANSPORT, ~B(RAW) },
	{ LICTOR_FIELD_MOUNT_SOURCE, ANY, POSSIBLE_MOUNT,
	  B(MOUNT) | B(BIND) | B(REMOUNT) | B(MOVE) | B(PROPAGATION) | B(PIVOT_ROOT) },
	{ LICTOR_FIELD_MOUNT_TYPE, ANY, POSSIBLE_MOUNT,
	  ~(B(PIVOT_ROOT) | B(CLONE) | B(ATTRIBUTES)) },
	{ LICTOR_FIELD_MOUNT_FLAGS, UMOUNT_FLAGS, POSSIBLE_MOUNT, B(UMOUNT) },
	{ LICTOR_FIELD_MOUNT_FLAGS, ~UMOUNT_FLAGS, POSSIBLE_MOUNT,
	  ~(B(PIVOT_ROOT) | B(ATTRIBUTES) | B(UMOUNT)) },
	{ LICTOR_FIELD_MODULE_PATH, ANY, POSSIBLE_MODULE, B(LOAD) },
	{ LICTOR_FIELD_BPF_PROGRAM_TYPE, ANY, POSSIBLE_BPF, PROG_LOAD },
	{ LICTOR_FIELD_CAPABILITY_RAISED, ANY, POSSIBLE_CAPABILITY, B(CAPSET) | B(AMBIENT) },
	{ LICTOR_FIELD_HOST_HOSTNAME, ANY, POSSIBLE_NAME, B(HOSTNAME) },
	{ LICTOR_FIELD_HOST_DOMAIN, ANY, POSSIBLE_NAME, B(DOMAIN) },
};

static uint64_t operations(uint64_t events)
{
	return (events & E(MOUNT) ? ~(B(UMOUNT) | NONE) : 0) | (events & E(UMOUNT) ? B(UMOUNT) : 0) |
	       (events & ~(E(MOUNT) | E(UMOUNT)) ? NONE : 0);
}

void possible_begin(uint64_t events, struct possible *ret)
{
	ret->events = events;
	for (int sort = 0; sort < POSSIBLE_SORTS; sort++)
		ret->value[sort] = ANY;
	ret->value[POSSIBLE_MOUNT] = operations(events);
}

static bool has_bits(int field)
{
	enum lictor_type type = lictor_field_words[field].type;

	return type == LICTOR_TYPE_ENUM || type == LICTOR_TYPE_SET || type == LICTOR_TYPE_FLAG;
}

/* The values that a predicate on words names, a bit each. */
static uint64_t named_bits(const struct lictor_predicate *predicate)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < predicate->values; i++)
		bits |= B(predicate->value[i].range.low & 63);
	return bits;
}

static uint64_t address_types(const struct lictor_predicate *predicate)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint64_t bits = 0;

	for (size_t i = 0; i < predicate->values && bits != (V4 | V6); i++)
		bits |= memcmp(predicate->value[i].address.first, mapped, sizeof(mapped)) ? V6 : V4;
	return bits;
}

/* What sockets of these families speak. */
static void leave_families(uint64_t families, struct possible *possible)
{
	uint64_t special = B(FAMILY_V4) | B(FAMILY_V6) | B(FAMILY_UNIX) | B(FAMILY_PACKET) |
			   B(FAMILY_VSOCK);

	possible->value[POSSIBLE_TRANSPORT] &=
		(families & (B(FAMILY_V4) | B(FAMILY_V6)) ? NETWORK : 0) |
		(families & B(FAMILY_UNIX) ? B(UNIX) : 0) |
		(families & B(FAMILY_PACKET) ? B(PACKET) : 0) |
		(families & B(FAMILY_VSOCK) ? B(VSOCK) : 0) | (families & ~special ? B(OTHER) : 0);
	possible->value[POSSIBLE_TYPE] &= (families & B(FAMILY_V4) ? V4 : 0) |
					  (families & B(FAMILY_V6) ? V6 : 0) |
					  (families & ~(B(FAMILY_V4) | B(FAMILY_V6)) ? NONE : 0);
}

/* What depends on the field's having one of these values. */
static void leave(int field, uint64_t bits, struct possible *possible)
{
	for (size_t i = 0; i < sizeof(leaves) / sizeof(*leaves); i++)
		if (leaves[i].field == field && !(bits & ~leaves[i].of))
			possible->value[leaves[i].sort] &= leaves[i].left;
}

/* A user namespace comes alone, the others come in any company. */
static uint64_t leave_namespaces(uint64_t bits, bool negated)
{
	if (negated)
		return (bits & USER_NAMESPACE ? ~USER_NAMESPACE : ANY) &
		       ((bits & OTHER_NAMESPACES) == OTHER_NAMESPACES ? USER_NAMESPACE : ANY);
	return (bits & USER_NAMESPACE) | (bits & OTHER_NAMESPACES ? OTHER_NAMESPACES : 0);
}

static void narrow(const struct lictor_predicate *predicate, struct possible *possible)
{
	uint64_t bits = has_bits(predicate->field) ? named_bits(predicate) : 0;
	uint64_t left = predicate->negated ? ~bits : bits;

	if (predicate->field == LICTOR_FIELD_NAMESPACE_TYPES)
		left = leave_namespaces(bits, predicate->negated);
	for (int sort = 0; sort < POSSIBLE_SORTS; sort++)
		if (kept_field[sort] && kept_field[sort] == predicate->field)
			possible->value[sort] &= left;
	if (predicate->field == LICTOR_FIELD_SOCKET_FAMILY)
		leave_families(left, possible);
	if (predicate->negated)
		return;
	leave(predicate->field, bits, possible);
	/* A socket of both families may be bound to one and connect to the other. */
	if (predicate->field == LICTOR_FIELD_DESTINATION_IP ||
	    (predicate->field == LICTOR_FIELD_SOURCE_IP && !(possible->events & E(CONNECT))))
		possible->value[POSSIBLE_TYPE] &= address_types(predicate);
}

const struct lictor_predicate *possible_narrow(const struct lictor_block *block,
					       struct possible *possible)
{
	for (size_t i = 0; i < block->predicates; i++) {
		narrow(&block->predicate[i], possible);
		for (int sort = 0; sort < POSSIBLE_SORTS; sort++)
			if (!possible->value[sort])
				return &block->predicate[i];
	}
	return NULL;
}

uint64_t lictor_rule_values(const struct lictor_rule *rule, int event, int field)
{
	struct possible possible;
	uint64_t left = ANY;

	possible_begin(1ull << event, &possible);
	if (possible_narrow(&rule->match, &possible))
		return 0;
	for (int sort = 0; sort < POSSIBLE_SORTS; sort++)
		if (field && kept_field[sort] == field)
			left = possible.value[sort];
	for (size_t i = 0; i < rule->unlesses; i++) {
		const struct lictor_predicate *only = rule->unless[i].predicate;

		if (rule->unless[i].predicates == 1 && only->field == field && has_bits(field))
			left &= only->negated ? named_bits(only) : ~named_bits(only);
	}
	return left;
}

/* ---- what can only be reported ---- */

/* Of an event that can mostly be denied, the values for which it cannot. */
static const struct undeniable undeniable[] = {
	{ LICTOR_EVENT_MOUNT, LICTOR_FIELD_MOUNT_OPERATION, B(CLONE) | B(ATTRIBUTES),
	  "cloning a tree and changing a mount's attributes" },
	{ LICTOR_EVENT_MODULE, LICTOR_FIELD_MODULE_OPERATION, B(UNLOAD), "removing a module" },
	{ LICTOR_EVENT_SETTIME, LICTOR_FIELD_CLOCK_OPERATION, B(ADJUST), "adjusting the clock" },
	{ LICTOR_EVENT_NAMESPACE, LICTOR_FIELD_NAMESPACE_TYPES, OTHER_NAMESPACES,
	  "making or entering another namespace than a new user namespace" },
	/* A rule about the peer is judged when there is one: when the connection is there. */
	{ LICTOR_EVENT_ACCEPT, LICTOR_FIELD_NONE, ANY, "a connection whose peer is asked for" },
};

const struct undeniable *undeniable_of(int event)
{
	for (size_t i = 0; i < sizeof(undeniable) / sizeof(*undeniable); i++)
		if (undeniable[i].event == event)
			return &undeniable[i];
	return NULL;
}

static bool block_names(const struct lictor_block *block, int one, int other)
{
	for (size_t i = 0; i < block->predicates; i++)
		if (block->predicate[i].field == one || block->predicate[i].field == other)
			return true;
	return false;
}

static bool rule_names(const struct lictor_rule *rule, int one, int other)
{
	bool names = block_names(&rule->match, one, other);

	for (size_t i = 0; i < rule->unlesses; i++)
		names |= block_names(&rule->unless[i], one, other);
	return names;
}

bool lictor_rule_asks_for_peer(const struct lictor_rule *rule)
{
	return rule_names(rule, LICTOR_FIELD_DESTINATION_IP, LICTOR_FIELD_DESTINATION_PORT);
}

bool lictor_rule_asks_for_start(const struct lictor_rule *rule)
{
	return rule_names(rule, LICTOR_FIELD_PROCESS_ARGS, LICTOR_FIELD_PROCESS_ENV);
}

bool lictor_rule_asks_for_verity(const struct lictor_rule *rule)
{
	return rule_names(rule, LICTOR_FIELD_FILE_FSVERITY, LICTOR_FIELD_FILE_FSVERITY);
}

const struct undeniable *undeniable_by(const struct lictor_rule *rule, int event)
{
	const struct undeniable *found = undeniable_of(event);

	if (!found || !(rule->events >> event & 1))
		return NULL;
	if (!found->field)
		return lictor_rule_asks_for_peer(rule) ? found : NULL;
	return lictor_rule_values(rule, event, found->field) & found->values ? found : NULL;
}
