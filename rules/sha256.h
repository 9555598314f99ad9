/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 (FIPS 180-4) of bytes that come in pieces. */
#ifndef LICTOR_SHA256_H
#define LICTOR_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define LICTOR_SHA256_BYTES 32
#define LICTOR_SHA256_TEXT (2 * LICTOR_SHA256_BYTES + 1)	/* in hexadecimal digits, with a NUL */

struct lictor_sha256 {
	uint32_t state[8];
	uint64_t length;
	uint8_t block[64];
};

void lictor_sha256_init(struct lictor_sha256 *sha);
void lictor_sha256_add(struct lictor_sha256 *sha, const void *bytes, size_t length);
void lictor_sha256_done(struct lictor_sha256 *sha,
			uint8_t ret_digest[static LICTOR_SHA256_BYTES]);
void lictor_sha256_text(const uint8_t digest[static LICTOR_SHA256_BYTES],
			char ret_text[static LICTOR_SHA256_TEXT]);

#endif
