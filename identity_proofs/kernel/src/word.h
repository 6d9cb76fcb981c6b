/* Machine words, and the few things a freestanding program has no library for. */
#pragma once

typedef unsigned char u8;
typedef short i16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef unsigned __int128 u128;

#define EXPORT(name) __attribute__((export_name(#name), visibility("default"))) name

/* Multiplication is called, not inlined: the kernel stays small, and is as fast. */
#define CALLED __attribute__((noinline))

typedef struct {
    u64 limb[4];
} u256; /* little-endian limbs, as in memory */

static inline int bit_of(const u256 *value, u32 index) {
    return value->limb[index / 64] >> (index % 64) & 1;
}
