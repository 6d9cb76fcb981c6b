/* Machine words, and the few things a freestanding program has no library for. */
#pragma once

typedef unsigned char u8;
typedef short i16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned __int128 u128;
typedef __int128 i128;

#define EXPORT(name) __attribute__((export_name(#name), visibility("default"))) name

/* Multiplication is called, not inlined: the kernel stays small, and is as fast. */
#define CALLED __attribute__((noinline))

/* Where a count has to be a constant, so that its loop is unrolled. */
#define INLINED inline __attribute__((always_inline))

typedef struct {
    u64 limb[4];
} u256; /* little-endian limbs, as in memory */

static inline int bit_of(const u256 *value, u32 index) {
    return value->limb[index / 64] >> (index % 64) & 1;
}

/* Sums go limb by limb: in halves of 128 bits they cost the same, and clang's WebAssembly puts the
 * read of a wide sum's upper word before the sum where that word is used twice (ziglang 0.17.1).
 */

/* out = a + b modulo 2^256 */
static inline void add_256(u256 *out, const u256 *a, const u256 *b) {
    u128 sum = 0;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        sum = (u128)a->limb[i] + b->limb[i] + (u64)(sum >> 64);
        out->limb[i] = (u64)sum;
    }
}

/* out = a - b modulo 2^256; returns the borrow, 1 where a < b. */
static inline u64 subtract_256(u256 *out, const u256 *a, const u256 *b) {
    i128 difference = 0;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        difference = (i128)a->limb[i] - b->limb[i] + (difference >> 64);
        out->limb[i] = (u64)difference;
    }
    return (u64)(difference >> 64) & 1;
}
