/* Fp12 = Fp2[w] / (w^6 - (9 + i)), what pairings are valued in: c[0] + c[1] w + ... + c[5] w^5.
 *
 * Flat, without a tower: a batch of pairings takes so few of these products that twice as many
 * multiplications in each are not seen, and a line has three terms whatever the representation.
 */
#pragma once
#include "fields.h"

typedef struct {
    fp2_t c[6];
} fp12_t;

static const fp12_t fp12_one = {{{{{{0xd35d438dc58f0d9du, 0x0a78eb28f5c70b3du, 0x666ea36f7879462cu, 0x0e0a77c19a07df2fu}}}}}};

/* w^(q - 1) = (9 + i)^((q - 1)/6) */
static const fp2_t frobenius_of_w = {{
    {{0xaf9ba69633144907u, 0xca6b1d7387afb78au, 0x11bded5ef08a2087u, 0x02f34d751a1f3a7cu}},
    {{0xa222ae234c492d72u, 0xd00f02a4565de15bu, 0xdc2ff3a253dfc926u, 0x10a75716b3899551u}},
}};

/* w^6 a = (9 + i) a */
static void fp2_turn(fp2_t *out, const fp2_t *a) {
    fp2_t nine;
    fp_t real;
    fp2_double(&nine, a);
    fp2_double(&nine, &nine);
    fp2_double(&nine, &nine);
    fp2_add(&nine, &nine, a);
    fp_subtract(&real, &nine.part[0], &a->part[1]);
    fp_add(&out->part[1], &nine.part[1], &a->part[0]);
    out->part[0] = real;
}

static inline void fp2_add_product(fp2_t *sum, const fp2_t *a, const fp2_t *b) {
    fp2_t product;
    fp2_multiply(&product, a, b);
    fp2_add(sum, sum, &product);
}

/* out = low + w^6 high */
static void fp12_join(fp12_t *out, const fp12_t *low, const fp12_t *high) {
    for (u32 i = 0; i < 6; i++) {
        fp2_t turned;
        fp2_turn(&turned, &high->c[i]);
        fp2_add(&out->c[i], &low->c[i], &turned);
    }
}

static void fp12_multiply(fp12_t *out, const fp12_t *a, const fp12_t *b) {
    fp12_t low = {0}, high = {0};
    for (u32 i = 0; i < 6; i++) {
        for (u32 j = 0; j < 6 - i; j++) fp2_add_product(&low.c[i + j], &a->c[i], &b->c[j]);
        for (u32 j = 6 - i; j < 6; j++) fp2_add_product(&high.c[i + j - 6], &a->c[i], &b->c[j]);
    }
    fp12_join(out, &low, &high);
}

static void fp12_square(fp12_t *a) {
    fp12_t low = {0}, high = {0};
    for (u32 i = 0; i < 6; i++)
        for (u32 j = i + 1; j < 6; j++)
            fp2_add_product(i + j < 6 ? &low.c[i + j] : &high.c[i + j - 6], &a->c[i], &a->c[j]);
    for (u32 i = 0; i < 6; i++) {
        fp2_double(&low.c[i], &low.c[i]);
        fp2_double(&high.c[i], &high.c[i]);
    }
    for (u32 i = 0; i < 3; i++) {
        fp2_add_product(&low.c[2 * i], &a->c[i], &a->c[i]);
        fp2_add_product(&high.c[2 * i], &a->c[i + 3], &a->c[i + 3]);
    }
    fp12_join(a, &low, &high);
}

/* f times 1 + by_w w + by_w3 w^3 */
static void fp12_multiply_by_line(fp12_t *f, const fp2_t *by_w, const fp2_t *by_w3) {
    const fp12_t before = *f;
    fp2_t turned_w, turned_w3;
    fp2_turn(&turned_w, by_w);
    fp2_turn(&turned_w3, by_w3);
    for (u32 i = 0; i < 6; i++) {
        fp2_add_product(&f->c[i], &before.c[(i + 5) % 6], i < 1 ? &turned_w : by_w);
        fp2_add_product(&f->c[i], &before.c[(i + 3) % 6], i < 3 ? &turned_w3 : by_w3);
    }
}

/* a^(q^6): w becomes -w. */
static void fp12_conjugate(fp12_t *out, const fp12_t *a) {
    *out = *a;
    for (u32 i = 1; i < 6; i += 2) fp2_negate(&out->c[i], &out->c[i]);
}

static void fp2_conjugate(fp2_t *out, const fp2_t *a) {
    *out = *a;
    fp_negate(&out->part[1], &out->part[1]);
}

/* a^(q^times) */
static void fp12_frobenius(fp12_t *out, const fp12_t *a, u32 times) {
    *out = *a;
    while (times--) {
        fp2_t power = fp2_one;
        for (u32 i = 0; i < 6; i++) {
            fp2_conjugate(&out->c[i], &out->c[i]);
            fp2_multiply(&out->c[i], &out->c[i], &power);
            fp2_multiply(&power, &power, &frobenius_of_w);
        }
    }
}

/* 1/a = conj(a) / (a conj(a)), whose denominator has even powers of w alone. */
static void fp12_invert(fp12_t *out, const fp12_t *a) {
    fp12_t conjugate, inverse = {0};
    fp2_t turned, sum, factor, *x, *y, *z;
    fp12_conjugate(&conjugate, a);
    fp12_multiply(out, a, &conjugate);
    const fp2_t g0 = out->c[0], g1 = out->c[2], g2 = out->c[4];
    x = &inverse.c[0], y = &inverse.c[2], z = &inverse.c[4];
    /* x = g0^2 - w^6 g1 g2, y = w^6 g2^2 - g0 g1, z = g1^2 - g0 g2 */
    fp2_multiply(&sum, &g1, &g2);
    fp2_turn(&turned, &sum);
    fp2_square(x, &g0);
    fp2_subtract(x, x, &turned);
    fp2_square(&sum, &g2);
    fp2_turn(y, &sum);
    fp2_multiply(&sum, &g0, &g1);
    fp2_subtract(y, y, &sum);
    fp2_square(z, &g1);
    fp2_multiply(&sum, &g0, &g2);
    fp2_subtract(z, z, &sum);
    /* over g0 x + w^6 (g2 y + g1 z) */
    fp2_multiply(&sum, &g2, y);
    fp2_multiply(&factor, &g1, z);
    fp2_add(&sum, &sum, &factor);
    fp2_turn(&turned, &sum);
    fp2_multiply(&factor, &g0, x);
    fp2_add(&factor, &factor, &turned);
    fp2_invert(&factor, &factor);
    for (u32 i = 0; i < 6; i += 2) fp2_multiply(&inverse.c[i], &inverse.c[i], &factor);
    fp12_multiply(out, &conjugate, &inverse);
}

static int fp12_is_one(const fp12_t *a) {
    int equal = 1;
    for (u32 i = 0; i < 6; i++) equal &= fp2_equal(&a->c[i], &fp12_one.c[i]);
    return equal;
}
