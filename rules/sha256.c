/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4): bytes come in, a digest goes out. It names rule sets and programs in logs;
 * no library that we link has it. Touches nothing.
 */
#include <stdio.h>
#include <string.h>

#include "rules/sha256.h"

static const uint32_t round_constant[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t turn(uint32_t word, unsigned by)
{
	return word >> by | word << (32 - by);
}

static void expand(uint32_t w[64], const uint8_t *block)
{
	for (int i = 0; i < 16; i++, block += 4)
		w[i] = (uint32_t)block[0] << 24 | (uint32_t)block[1] << 16 |
		       (uint32_t)block[2] << 8 | block[3];
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + (turn(a, 7) ^ turn(a, 18) ^ a >> 3) + w[i - 7] +
		       (turn(b, 17) ^ turn(b, 19) ^ b >> 10);
	}
}

static void digest_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[64], s[8];

	expand(w, block);
	memcpy(s, state, sizeof(s));
	/* What moves by one place a round is named by another place instead. */
	for (unsigned i = 0; i < 64; i += 8)
		for (unsigned k = 0; k < 8; k++) {
			uint32_t a = s[-k & 7], b = s[(1 - k) & 7], c = s[(2 - k) & 7];
			uint32_t e = s[(4 - k) & 7], f = s[(5 - k) & 7], g = s[(6 - k) & 7];
			uint32_t one = s[(7 - k) & 7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
				       ((e & f) ^ (~e & g)) + round_constant[i + k] + w[i + k];

			s[(3 - k) & 7] += one;
			s[(7 - k) & 7] = one + (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) +
					 ((a & b) ^ (a & c) ^ (b & c));
		}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

void lictor_sha256_init(struct lictor_sha256 *sha)
{
	*sha = (struct lictor_sha256){ .state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
					   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 } };
}

void lictor_sha256_add(struct lictor_sha256 *sha, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	size_t held = sha->length % sizeof(sha->block);

	sha->length += length;
	while (length) {
		size_t part = sizeof(sha->block) - held;

		if (part > length)
			part = length;
		memcpy(sha->block + held, from, part);
		from += part;
		length -= part;
		held += part;
		if (held < sizeof(sha->block))
			return;
		digest_block(sha->state, sha->block);
		held = 0;
	}
}

void lictor_sha256_done(struct lictor_sha256 *sha, uint8_t ret_digest[static LICTOR_SHA256_BYTES])
{
	static const uint8_t padding[64] = { 0x80 };
	uint64_t bits = sha->length * 8;
	uint8_t end[8];

	lictor_sha256_add(sha, padding, 1 + (119 - sha->length % 64) % 64);
	for (int i = 0; i < 8; i++)
		end[i] = (uint8_t)(bits >> (56 - 8 * i));
	lictor_sha256_add(sha, end, sizeof(end));
	for (int i = 0; i < LICTOR_SHA256_BYTES; i++)
		ret_digest[i] = (uint8_t)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
}

void lictor_sha256_text(const uint8_t digest[static LICTOR_SHA256_BYTES],
			char ret_text[static LICTOR_SHA256_TEXT])
{
	for (size_t i = 0; i < LICTOR_SHA256_BYTES; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
}
