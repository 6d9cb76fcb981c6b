/* Scalars as digits in [-2^(bits-1), 2^(bits-1)): half as many buckets as unsigned ones need.
 *
 * Half a digit is added to every digit beforehand; each can then be read by itself, without a
 * carry from the one below.
 */
#pragma once
#include "word.h"

enum { SCALAR_BITS = 256 }; /* a scalar has 254, its sign one; the largest digits need another */

typedef struct {
    u64 limb[5];
} recoded;

static u32 digit_count(u32 bits) {
    return (SCALAR_BITS + bits - 1) / bits;
}

/* The size for which n additions to buckets, and two for each bucket, cost least. */
static u32 digit_bits(u32 n) {
    u32 best = 2;
    u64 least = ~(u64)0;
    for (u32 bits = 2; bits < 15; bits++) {
        u64 cost = digit_count(bits) * (n + (2ull << (bits - 1)));
        if (cost < least) {
            least = cost;
            best = bits;
        }
    }
    return best;
}

static void recode(recoded *out, const u256 *scalars, u32 n, u32 bits) {
    recoded halves = {{0}};
    for (u32 i = bits - 1; i < digit_count(bits) * bits; i += bits)
        halves.limb[i / 64] |= 1ull << (i % 64);
    for (u32 i = 0; i < n; i++) {
        u128 sum = 0;
        for (u32 j = 0; j < 5; j++) {
            sum = (sum >> 64) + halves.limb[j] + (j < 4 ? scalars[i].limb[j] : 0);
            out[i].limb[j] = (u64)sum;
        }
    }
}

static i16 digit_of(const recoded *scalar, u32 index, u32 bits) {
    u32 start = index * bits, limb = start / 64, shift = start % 64;
    u64 word = scalar->limb[limb] >> shift;
    if (shift + bits > 64) word |= scalar->limb[limb + 1] << (64 - shift);
    return (i16)((int)(word & ((1u << bits) - 1)) - (1 << (bits - 1)));
}
