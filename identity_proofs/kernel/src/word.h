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

static inline u128 half(const u256 *value, u32 index) {
    return value->limb[2 * index] | (u128)value->limb[2 * index + 1] << 64;
}

static inline void set_halves(u256 *out, u128 low, u128 high) {
    out->limb[0] = (u64)low;
    out->limb[1] = (u64)(low >> 64);
    out->limb[2] = (u64)high;
    out->limb[3] = (u64)(high >> 64);
}

/* out = a + b modulo 2^256; in halves, for which WebAssembly has an instruction. */
static inline void add_256(u256 *out, const u256 *a, const u256 *b) {
    u128 low = half(a, 0) + half(b, 0);
    set_halves(out, low, half(a, 1) + half(b, 1) + (low < half(b, 0)));
}

/* out = a - b modulo 2^256; returns the borrow, 1 where a < b. */
static inline u64 subtract_256(u256 *out, const u256 *a, const u256 *b) {
    u128 borrow = half(a, 0) < half(b, 0), high = half(a, 1) - half(b, 1);
    u64 below = (half(a, 1) < half(b, 1)) | (high < borrow);
    set_halves(out, half(a, 0) - half(b, 0), high - borrow);
    return below;
}
