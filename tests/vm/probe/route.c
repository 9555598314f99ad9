// SPDX-License-Identifier: Apache-2.0
/*
 * Datagrams by a source route: what connect() was given is the end of the way, and the packet is
 * addressed to the first hop.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

/* What <netinet/in.h> leaves to <linux/in6.h>, which does not go with it. */
#define FLOWLABEL_MGR 32
#define FLOWINFO_SEND 33
#define FLOWLABEL_CREATE 1
#define FLOWLABEL_EXCLUSIVE 1

/* A segment routing header of two segments. */
struct segments {
	uint8_t next, length, type, left, last, flags;
	uint16_t tag;
	struct in6_addr to[2];
};

static struct segments segments_to(const char *hop, const struct in6_addr *end)
{
	struct segments route = { .length = 4, .type = 4, .left = 1, .last = 1, .to = { *end } };

	inet_pton(AF_INET6, hop, &route.to[1]);
	return route;
}

static struct sockaddr_in6 address_six(const char *host, const char *port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };

	inet_pton(AF_INET6, host, &to.sin6_addr);
	return to;
}

static struct cmsghdr *put(struct msghdr *message, struct cmsghdr *at, int level, int type,
			   const void *data, size_t length)
{
	at->cmsg_level = level;
	at->cmsg_type = type;
	at->cmsg_len = CMSG_LEN(length);
	memcpy(CMSG_DATA(at), data, length);
	message->msg_controllen = (size_t)((char *)at - (char *)message->msg_control) +
				  CMSG_SPACE(length);
	return (struct cmsghdr *)((char *)at + CMSG_SPACE(length));
}

/* via HOP HOST PORT [WHEN]: set before (default) or after connect(), beside the message, or hidden
   there: a message of the other family follows, with a route that nobody forbids */
static int do_via(char **arg)
{
	unsigned char route[8] = { IPOPT_LSRR, 7, 4 };
	char room[256] __attribute__((aligned(8))) = "";
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arg[2])) };
	struct in6_addr free_end = { .s6_addr = { 0xfd, 9 } };
	struct iovec data = { (void *)(uintptr_t)"x", 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room };
	struct segments other = segments_to("fd09::1", &free_end);
	struct cmsghdr *next = (struct cmsghdr *)room;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	inet_pton(AF_INET, arg[0], route + 3);
	inet_pton(AF_INET, arg[1], &to.sin_addr);
	if (!arg[3])
		CHECK(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, route, sizeof(route)));
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	if (is(arg[3], "after"))
		CHECK(setsockopt(fd, IPPROTO_IP, IP_OPTIONS, route, sizeof(route)));
	if (is(arg[3], "beside") || is(arg[3], "hidden"))
		next = put(&message, next, IPPROTO_IP, IP_RETOPTS, route, sizeof(route));
	if (is(arg[3], "hidden"))
		put(&message, next, IPPROTO_IPV6, IPV6_RTHDR, &other, sizeof(other));
	CHECK(sendmsg(fd, &message, 0));
	return 0;
}

/* via-six HOP HOST PORT */
static int do_via_six(char **arg)
{
	struct sockaddr_in6 to = address_six(arg[1], arg[2]);
	struct segments route = segments_to(arg[0], &to.sin6_addr);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(setsockopt(fd, IPPROTO_IPV6, IPV6_RTHDR, &route, sizeof(route)));
	CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)));
	CHECK(send(fd, "x", 1, 0));
	return 0;
}

/* via-label HOP HOST PORT: the route belongs to a flow label, and the address names that */
static int do_via_label(char **arg)
{
	struct {
		struct in6_addr to;
		uint32_t label;
		uint8_t action, share;
		uint16_t flags, expires, linger;
		uint32_t pad;
		struct cmsghdr head;
		uint8_t route[8];
		struct in6_addr hop;
	} flow = { .share = FLOWLABEL_EXCLUSIVE, .flags = FLOWLABEL_CREATE, .expires = 10,
		   .linger = 10, .route = { 0, 2, 2, 1 } };
	struct sockaddr_in6 to = address_six(arg[1], arg[2]);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;

	CHECK(fd);
	flow.to = to.sin6_addr;
	flow.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(24), .cmsg_level = IPPROTO_IPV6,
				      .cmsg_type = IPV6_RTHDR };
	inet_pton(AF_INET6, arg[0], &flow.hop);
	CHECK(setsockopt(fd, IPPROTO_IPV6, FLOWLABEL_MGR, &flow, sizeof(flow)));
	CHECK(setsockopt(fd, IPPROTO_IPV6, FLOWINFO_SEND, &on, sizeof(on)));
	to.sin6_flowinfo = flow.label;
	CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)));
	return 0;
}

const struct word probe_route[] = {
	{ "via", 3, do_via },
	{ "via-label", 3, do_via_label },
	{ "via-six", 3, do_via_six },
	{ NULL, 0, NULL },
};
