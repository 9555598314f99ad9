/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses: an IPv4 or IPv6 address or network as text comes in, its first and last address go
 * out. IPv4 is kept as ::ffff:a.b.c.d, and what is written that way is IPv4. A shorter IPv6
 * network such as ::/0 means IPv6 only, as in every firewall: whoever reads a value tells its
 * family by the first address. Touches nothing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "rules/check.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct network {
	uint8_t address[16];
	unsigned bits;	/* of the 128 */
	bool v4;	/* as it was written */
};

/* The address in front of the slash; 0, or -EINVAL. */
static int read_address(const char *text, size_t length, struct network *network)
{
	char host[INET6_ADDRSTRLEN];

	if (length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	memcpy(network->address, mapped, sizeof(mapped));
	network->v4 = inet_pton(AF_INET, host, network->address + 12) == 1;
	if (!network->v4 && inet_pton(AF_INET6, host, network->address) != 1)
		return -EINVAL;
	return 0;
}

static void mask(struct network *network, uint8_t fill)
{
	for (unsigned bit = network->bits; bit < 128; bit++) {
		uint8_t one = (uint8_t)(0x80 >> bit % 8);

		network->address[bit / 8] &= (uint8_t)~one;
		network->address[bit / 8] |= fill & one;
	}
}

static const char *hint_address(const char *text)
{
	if (strchr(text, '%'))
		return "write it without the zone";
	if (strchr(text, '-'))
		return "write a range as networks, such as 192.0.2.0/24";
	if (!strchr(text, ':') && text[strspn(text, "0123456789./")])
		return "names of hosts are not looked up: write the addresses";
	if (!strchr(text, ':'))
		return "four numbers up to 255 without leading zeros, and perhaps /0 to /32";
	return NULL;
}

static int refuse_host_bits(struct check *check, const struct node *node,
			    const struct network *written, const struct network *masked,
			    unsigned prefix)
{
	char text[INET6_ADDRSTRLEN], hint[160];

	inet_ntop(written->v4 ? AF_INET : AF_INET6, masked->address + (written->v4 ? 12 : 0), text,
		  sizeof(text));
	snprintf(hint, sizeof(hint), "the network is %s/%u, the host alone %.*s", text, prefix,
		 (int)strcspn(node->text, "/"), node->text);
	return value_error(check, node_place(node), hint, "\"%.*s\" has bits set behind the prefix",
			   SHOWN(node->text));
}

static int read_prefix(struct check *check, const struct node *node, const char *slash, bool v4,
		       uint32_t *ret_prefix)
{
	uint32_t most = v4 ? 32 : 128;
	const char *end;

	*ret_prefix = most;
	if (!*slash || (number_read(slash + 1, &end, ret_prefix) && !*end && *ret_prefix <= most))
		return 0;
	return value_error(check, node_place_at(node, (size_t)(slash + 1 - node->text)), NULL,
			   "the prefix is a number from 0 to %u", most);
}

int address_check(struct check *check, const struct node *node, struct lictor_value *ret_value)
{
	const char *slash = strchrnul(node->text, '/');
	struct network written = { 0 }, network;
	uint32_t prefix;

	if (read_address(node->text, (size_t)(slash - node->text), &written))
		return value_error(check, node_place(node), hint_address(node->text),
				   "\"%.*s\" is not an IPv4 or IPv6 address or network",
				   SHOWN(node->text));
	if (read_prefix(check, node, slash, written.v4, &prefix))
		return -EINVAL;
	written.bits = prefix + (written.v4 ? 96 : 0);
	network = written;
	mask(&network, 0);
	if (memcmp(network.address, written.address, sizeof(network.address)))
		return refuse_host_bits(check, node, &written, &network, prefix);
	memcpy(ret_value->address.first, network.address, sizeof(network.address));
	mask(&network, 0xff);
	memcpy(ret_value->address.last, network.address, sizeof(network.address));
	return 0;
}
