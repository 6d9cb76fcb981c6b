/* The two prime fields of BN254 and the quadratic extension of the base field (EIP-196, EIP-197). */
#pragma once
#include "word.h"

/* Coordinates of G1: modulo q. */
#define FIELD(name) fp_##name
#define MINUS_INVERSE 0x87d20782e4866389u
#define MODULUS \
    {0x3c208c16d87cfd47u, 0x97816a916871ca8du, \
     0xb85045b68181585du, 0x30644e72e131a029u}
#define TWICE_MODULUS \
    {0x7841182db0f9fa8eu, 0x2f02d522d0e3951au, \
     0x70a08b6d0302b0bbu, 0x60c89ce5c2634053u}
#define ONE \
    {0xd35d438dc58f0d9du, 0x0a78eb28f5c70b3du, \
     0x666ea36f7879462cu, 0x0e0a77c19a07df2fu}
#define SQUARE \
    {0xf32cfc5b538afa89u, 0xb5e71911d44501fbu, \
     0x47ab1eff0a417ff6u, 0x06d89f71cab8351fu}
#include "field.h"
#undef FIELD
#undef MODULUS
#undef TWICE_MODULUS
#undef MINUS_INVERSE
#undef ONE
#undef SQUARE

/* Scalars, and the circuit's signals: modulo r, the order of G1 and G2. */
#define FIELD(name) fr_##name
#define MINUS_INVERSE 0xc2e1f593efffffffu
#define FR_MODULUS \
    {0x43e1f593f0000001u, 0x2833e84879b97091u, \
     0xb85045b68181585du, 0x30644e72e131a029u}
#define MODULUS FR_MODULUS
#define TWICE_MODULUS \
    {0x87c3eb27e0000002u, 0x5067d090f372e122u, \
     0x70a08b6d0302b0bau, 0x60c89ce5c2634053u}
#define ONE \
    {0xac96341c4ffffffbu, 0x36fc76959f60cd29u, \
     0x666ea36f7879462eu, 0x0e0a77c19a07df2fu}
#define SQUARE \
    {0x1bb8e645ae216da7u, 0x53fe3ab1e35c59e3u, \
     0x8c49833d53bb8085u, 0x0216d0b17f4e44a5u}
#include "field.h"
#undef FIELD
#undef MODULUS
#undef TWICE_MODULUS
#undef MINUS_INVERSE
#undef ONE
#undef SQUARE

/* Coordinates of G2: a0 + a1 i with i^2 = -1. */
typedef struct {
    fp_t part[2];
} fp2_t;

static const fp2_t fp2_one = {{{0xd35d438dc58f0d9du, 0x0a78eb28f5c70b3du, 0x666ea36f7879462cu, 0x0e0a77c19a07df2fu}, {{0, 0, 0, 0}}}};

static inline int fp2_is_null(const fp2_t *a) {
    return fp_is_null(&a->part[0]) && fp_is_null(&a->part[1]);
}

static inline int fp2_is_zero(const fp2_t *a) {
    return fp_is_zero(&a->part[0]) && fp_is_zero(&a->part[1]);
}

static inline int fp2_equal(const fp2_t *a, const fp2_t *b) {
    return fp_equal(&a->part[0], &b->part[0]) && fp_equal(&a->part[1], &b->part[1]);
}

static inline int fp2_is_reduced(const fp2_t *a) {
    return fp_is_reduced(&a->part[0]) && fp_is_reduced(&a->part[1]);
}

static inline void fp2_reduce(fp2_t *out, const fp2_t *a) {
    for (int i = 0; i < 2; i++) fp_reduce(&out->part[i], &a->part[i]);
}

static inline void fp2_add(fp2_t *out, const fp2_t *a, const fp2_t *b) {
    for (int i = 0; i < 2; i++) fp_add(&out->part[i], &a->part[i], &b->part[i]);
}

static inline void fp2_subtract(fp2_t *out, const fp2_t *a, const fp2_t *b) {
    for (int i = 0; i < 2; i++) fp_subtract(&out->part[i], &a->part[i], &b->part[i]);
}

static inline void fp2_negate(fp2_t *out, const fp2_t *a) {
    for (int i = 0; i < 2; i++) fp_negate(&out->part[i], &a->part[i]);
}

static inline void fp2_double(fp2_t *out, const fp2_t *a) {
    fp2_add(out, a, a);
}

/* (a0 b0 - a1 b1) + (a0 b1 + a1 b0) i: four products, but two reductions only. */
static CALLED void fp2_multiply(fp2_t *out, const fp2_t *a, const fp2_t *b) {
    fp_t a_conjugate[2] = {a->part[0]}, b_swapped[2] = {b->part[1], b->part[0]}, real;
    fp_negate(&a_conjugate[1], &a->part[1]);
    fp_dot(&real, a_conjugate, b->part, 2);
    fp_dot(&out->part[1], a->part, b_swapped, 2);
    out->part[0] = real;
}

/* (a0 + a1)(a0 - a1) + 2 a0 a1 i */
static CALLED void fp2_square(fp2_t *out, const fp2_t *a) {
    fp_t sum, difference, product;
    fp_add(&sum, &a->part[0], &a->part[1]);
    fp_subtract(&difference, &a->part[0], &a->part[1]);
    fp_multiply(&product, &a->part[0], &a->part[1]);
    fp_multiply(&out->part[0], &sum, &difference);
    fp_double(&out->part[1], &product);
}

/* (a0 - a1 i) / (a0^2 + a1^2) */
static void fp2_invert(fp2_t *out, const fp2_t *a) {
    fp_t norm, other;
    fp_square(&norm, &a->part[0]);
    fp_square(&other, &a->part[1]);
    fp_add(&norm, &norm, &other);
    fp_invert(&norm, &norm);
    fp_multiply(&out->part[0], &a->part[0], &norm);
    fp_multiply(&other, &a->part[1], &norm);
    fp_negate(&out->part[1], &other);
}

static inline void fp2_from_plain(fp2_t *out, const fp2_t *plain) {
    for (int i = 0; i < 2; i++) fp_from_plain(&out->part[i], &plain->part[i]);
}

static inline void fp2_to_plain(fp2_t *out, const fp2_t *a) {
    for (int i = 0; i < 2; i++) fp_to_plain(&out->part[i], &a->part[i]);
}
