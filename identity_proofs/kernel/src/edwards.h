/* Baby Jubjub: a x^2 + y^2 = 1 + d x^2 y^2 over Fr (EIP-2494), in projective coordinates. Formulas of
 * Bernstein, Birkner, Joye, Lange, Peters, "Twisted Edwards Curves", 2008, section 6: since a is a
 * square and d is none, the addition holds for any two points of the curve.
 */
#pragma once
#include "fields.h"

typedef struct {
    fr_t x, y, z;
} edwards_sum;

typedef struct {
    fr_t x, y;
} edwards_affine;

static const fr_t edwards_a_plain = {{168700, 0, 0, 0}}, edwards_d_plain = {{168696, 0, 0, 0}};

typedef struct {
    fr_t a, d;
} edwards_curve;

static void edwards_infinity(edwards_sum *out) {
    const edwards_sum infinity = {.y = fr_one, .z = fr_one};
    *out = infinity;
}

static void edwards_add(
    edwards_sum *out, const edwards_sum *p, const edwards_sum *q, const edwards_curve *curve
) {
    fr_t zz, square, xx, yy, e, f, g, cross, other;
    fr_multiply(&zz, &p->z, &q->z);
    fr_square(&square, &zz);
    fr_multiply(&xx, &p->x, &q->x);
    fr_multiply(&yy, &p->y, &q->y);
    fr_multiply(&e, &xx, &yy);
    fr_multiply(&e, &e, &curve->d);
    fr_subtract(&f, &square, &e);
    fr_add(&g, &square, &e);
    fr_add(&cross, &p->x, &p->y);
    fr_add(&other, &q->x, &q->y);
    fr_multiply(&cross, &cross, &other);
    fr_subtract(&cross, &cross, &xx);
    fr_subtract(&cross, &cross, &yy);
    fr_multiply(&xx, &xx, &curve->a);
    fr_subtract(&yy, &yy, &xx);
    fr_multiply(&out->x, &zz, &f);
    fr_multiply(&out->x, &out->x, &cross);
    fr_multiply(&out->y, &zz, &g);
    fr_multiply(&out->y, &out->y, &yy);
    fr_multiply(&out->z, &f, &g);
}

static void edwards_double(edwards_sum *p, const edwards_curve *curve) {
    fr_t xx, yy, axx, f, j, sum;
    fr_square(&xx, &p->x);
    fr_square(&yy, &p->y);
    fr_multiply(&axx, &xx, &curve->a);
    fr_add(&f, &axx, &yy);
    fr_square(&j, &p->z);
    fr_double(&j, &j);
    fr_subtract(&j, &f, &j);
    fr_add(&sum, &p->x, &p->y);
    fr_square(&sum, &sum);
    fr_subtract(&sum, &sum, &xx);
    fr_subtract(&sum, &sum, &yy);
    fr_subtract(&axx, &axx, &yy);
    fr_multiply(&p->x, &sum, &j);
    fr_multiply(&p->y, &f, &axx);
    fr_multiply(&p->z, &f, &j);
}

enum { EDWARDS_BITS = 4, EDWARDS_MULTIPLES = 1 << EDWARDS_BITS };

/* out = scalar point, both plain; the point is on the curve. */
static void edwards_multiply(edwards_affine *out, const edwards_affine *point, const u256 *scalar) {
    edwards_curve curve;
    edwards_sum multiples[EDWARDS_MULTIPLES], sum;
    fr_from_plain(&curve.a, &edwards_a_plain);
    fr_from_plain(&curve.d, &edwards_d_plain);
    edwards_infinity(&multiples[0]);
    fr_from_plain(&multiples[1].x, &point->x);
    fr_from_plain(&multiples[1].y, &point->y);
    multiples[1].z = fr_one;
    for (u32 i = 2; i < EDWARDS_MULTIPLES; i++)
        edwards_add(&multiples[i], &multiples[i - 1], &multiples[1], &curve);
    edwards_infinity(&sum);
    u32 length = 256;
    while (length && !bit_of(scalar, length - 1)) length--;
    length = (length + EDWARDS_BITS - 1) / EDWARDS_BITS * EDWARDS_BITS;
    for (u32 place = length; place; place -= EDWARDS_BITS) {
        for (u32 i = 0; i < EDWARDS_BITS; i++) edwards_double(&sum, &curve);
        u32 low = place - EDWARDS_BITS;
        u32 digit = (u32)(scalar->limb[low / 64] >> low % 64) % EDWARDS_MULTIPLES;
        edwards_add(&sum, &sum, &multiples[digit], &curve);
    }
    fr_invert(&sum.z, &sum.z);
    fr_multiply(&out->x, &sum.x, &sum.z);
    fr_multiply(&out->y, &sum.y, &sum.z);
    fr_to_plain(&out->x, &out->x);
    fr_to_plain(&out->y, &out->y);
}
