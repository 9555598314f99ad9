/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a network event is about. Addresses are taken from what the kernel has copied and will act
 * on, by the family that the protocol will use, never by what the caller calls it.
 */
#ifndef LICTOR_NET_H
#define LICTOR_NET_H

#include "bpf/facts.bpf.h"
#include <bpf/bpf_endian.h>

#define LICTOR_TRANSPORT_TCP 0
#define LICTOR_TRANSPORT_UDP 1
#define LICTOR_TRANSPORT_SCTP 2
#define LICTOR_TRANSPORT_ICMP 3
#define LICTOR_TRANSPORT_RAW 4
#define LICTOR_TRANSPORT_UNIX 5
#define LICTOR_TRANSPORT_VSOCK 6
#define LICTOR_TRANSPORT_PACKET 7
#define LICTOR_TRANSPORT_OTHER 8

/* Of a file whose inode says that it is a socket. */
static __always_inline struct socket *lictor_socket_of(struct file *file)
{
#ifdef LICTOR_PROBING
	return (struct socket *)KREAD(file, private_data);
#else
	return bpf_sock_from_file(file);
#endif
}

/* The same for the protocol's part of it; NULL: the file is no socket, or has none any more. */
static __always_inline struct sock *lictor_sock_of(struct file *file)
{
	struct socket *sock;

	if ((KREAD(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	sock = lictor_socket_of(file);
	return sock ? KREAD(sock, sk) : NULL;
}

static __always_inline u32 lictor_transport(u32 family, u32 type, u32 protocol)
{
	if (family == AF_UNIX)
		return LICTOR_TRANSPORT_UNIX;
	if (family == AF_VSOCK)
		return LICTOR_TRANSPORT_VSOCK;
	if (family == AF_PACKET)
		return LICTOR_TRANSPORT_PACKET;
	if (family != AF_INET && family != AF_INET6)
		return LICTOR_TRANSPORT_OTHER;
	if (type == SOCK_RAW)
		return LICTOR_TRANSPORT_RAW;
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return LICTOR_TRANSPORT_TCP;
	case IPPROTO_UDP:
		return LICTOR_TRANSPORT_UDP;
	case IPPROTO_SCTP:
		return LICTOR_TRANSPORT_SCTP;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return LICTOR_TRANSPORT_ICMP;
	default:
		return LICTOR_TRANSPORT_OTHER;
	}
}

/* What protocol 0 stands for. */
static __always_inline u32 lictor_default_protocol(u32 type, u32 protocol)
{
	if (protocol)
		return protocol;
	return type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : 0;
}

static __always_inline void lictor_address4(struct lictor_scratch *s, u32 slot, u32 address)
{
	u8 *to = s->facts.v.address[slot & 1];
	u32 field = slot ? LICTOR_FIELD_SOURCE_IP : LICTOR_FIELD_DESTINATION_IP;

	/* To no address in particular is to this host. */
	if (slot == LICTOR_ADDRESS_DESTINATION && !address)
		address = bpf_htonl(0x7f000001);
	__builtin_memset(to, 0, 10);
	to[10] = 0xff;
	to[11] = 0xff;
	__builtin_memcpy(to + 12, &address, 4);
	s->facts.v.state[field] = LICTOR_PRESENT;
}

static __always_inline void lictor_address6(struct lictor_scratch *s, u32 slot, const u8 *address)
{
	u32 field = slot ? LICTOR_FIELD_SOURCE_IP : LICTOR_FIELD_DESTINATION_IP;
	u8 *to = s->facts.v.address[slot & 1];
	const u32 *word = (const u32 *)address;

	__builtin_memcpy(to, address, 16);
	s->facts.v.state[field] = LICTOR_PRESENT;
	if (slot != LICTOR_ADDRESS_DESTINATION || word[0] || word[1] || word[3])
		return;
	if (!word[2])
		to[15] = 1;
	else if (word[2] == bpf_htonl(0xffff))
		lictor_address4(s, slot, 0);
}

/* ipv4 or ipv6 by the destination (or, without one, the source) that the facts hold. */
static __always_inline void lictor_network_type(struct lictor_scratch *s, u32 slot)
{
	const u8 *a = s->facts.v.address[slot & 1];
	u32 i, mapped = a[10] == 0xff && a[11] == 0xff;

	for (i = 0; i < 10; i++)
		mapped &= a[i] == 0;
	lictor_number(s, LICTOR_FIELD_NETWORK_TYPE, mapped ? 4 : 6);
}

/*
 * A socket address of `length` bytes that the kernel has copied. slot: is it where a packet goes,
 * or the socket's own? unspec: the family that this protocol takes AF_UNSPEC for, or AF_UNSPEC.
 */
static __always_inline void lictor_gather_address(struct lictor_scratch *s, u32 slot,
						  const void *address, u32 length, u32 unspec)
{
	u32 ip = slot ? LICTOR_FIELD_SOURCE_IP : LICTOR_FIELD_DESTINATION_IP;
	u32 port = slot ? LICTOR_FIELD_SOURCE_PORT : LICTOR_FIELD_DESTINATION_PORT;
	u8 raw[28] __attribute__((aligned(8))) = {};
	u32 family;

	if (length < 2 ||
	    bpf_probe_read_kernel(raw, LICTOR_MASK(length < sizeof(raw) ? length : sizeof(raw), 31),
				  address)) {
		s->facts.v.state[ip] = LICTOR_UNKNOWN;
		s->facts.v.state[port] = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_ADDRESS_UNREADABLE);
		return;
	}
	family = *(u16 *)raw;
	if (family == AF_UNSPEC)
		family = unspec;
	if (family == AF_INET) {
		lictor_address4(s, slot, *(u32 *)(raw + 4));
		lictor_number(s, port, bpf_ntohs(*(u16 *)(raw + 2)));
		lictor_network_type(s, slot);
	} else if (family == AF_INET6) {
		lictor_address6(s, slot, raw + 8);
		lictor_number(s, port, bpf_ntohs(*(u16 *)(raw + 2)));
		lictor_network_type(s, slot);
	} else if (family == AF_VSOCK) {
		lictor_number(s, port, *(u32 *)(raw + 4));
	} else if (family != AF_PACKET && family != AF_UNIX && family != AF_UNSPEC) {
		s->facts.v.state[ip] = LICTOR_UNKNOWN;
		s->facts.v.state[port] = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_ADDRESS_FAMILY);
	}
}

/* The socket's own end, as far as it has one. */
static __always_inline void lictor_gather_own_end(struct lictor_scratch *s, struct sock *sk)
{
	u32 family = KREAD(sk, __sk_common.skc_family), port = KREAD(sk, __sk_common.skc_num);

	if (family != AF_INET && family != AF_INET6)
		return;
	/* Of a raw socket it is the protocol. */
	if (!port || KREAD(sk, sk_type) == SOCK_RAW)
		return;
	lictor_number(s, LICTOR_FIELD_SOURCE_PORT, port);
	if (family == AF_INET) {
		lictor_address4(s, LICTOR_ADDRESS_SOURCE, KREAD(sk, __sk_common.skc_rcv_saddr));
	} else {
		u8 own[16];

		bpf_probe_read_kernel(own, sizeof(own),
				      &sk->__sk_common.skc_v6_rcv_saddr);
		lictor_address6(s, LICTOR_ADDRESS_SOURCE, own);
	}
}

static __always_inline void lictor_gather_socket(struct lictor_scratch *s, struct sock *sk)
{
	lictor_number(s, LICTOR_FIELD_NETWORK_TRANSPORT,
		      lictor_transport(KREAD(sk, __sk_common.skc_family), KREAD(sk, sk_type),
				       KREAD(sk, sk_protocol)));
}

/* The other end of a connection, as far as the socket has one. */
static __always_inline bool lictor_gather_peer(struct lictor_scratch *s, struct sock *sk)
{
	u32 family = KREAD(sk, __sk_common.skc_family), port = KREAD(sk, __sk_common.skc_dport);
	u64 peer[2] = {};

	if (family == AF_INET)
		peer[0] = KREAD(sk, __sk_common.skc_daddr);
	else if (family == AF_INET6)
		bpf_probe_read_kernel(peer, sizeof(peer), &sk->__sk_common.skc_v6_daddr);
	/* A raw socket that is connected has no port. */
	if ((family != AF_INET && family != AF_INET6) || (!port && !peer[0] && !peer[1]))
		return false;
	if (port)
		lictor_number(s, LICTOR_FIELD_DESTINATION_PORT, bpf_ntohs(port));
	if (family == AF_INET)
		lictor_address4(s, LICTOR_ADDRESS_DESTINATION, (u32)peer[0]);
	else
		lictor_address6(s, LICTOR_ADDRESS_DESTINATION, (const u8 *)peer);
	lictor_network_type(s, LICTOR_ADDRESS_DESTINATION);
	return true;
}

#endif
