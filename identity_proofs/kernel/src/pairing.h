/* Products of optimal ate pairings on BN254 (Vercauteren, "Optimal pairings", 2010): e(P, Q) is the
 * Miller function of 6u + 2 and two lines more, to the power (q^12 - 1)/r.
 *
 * All pairs of a product go through the loop side by side, on affine points: they share the
 * squarings, and each step's one inversion.
 */
#pragma once
#include "curves.h"
#include "target.h"

static const u64 curve_u = 4965661367192848881u;

enum { LOOP_DIGITS = 66 }; /* of 6u + 2, each -1, 0 or 1 and no two neighbours but 0 */

typedef struct {
    u32 n;
    int all_in_subgroup;
    const g2_affine *q;
    g2_affine *sum, *other;       /* the multiple of Q so far, and what it is added to next */
    fp_t *minus_x_over_y, *one_over_y; /* of P; both 0 at infinity, whose lines are 1 */
    fp2_t *slopes, *products;
} loops;

/* Returns 0 where memory is out. */
static int loops_make(loops *l, const g2_affine *q, u32 n) {
    l->n = n;
    l->all_in_subgroup = 1;
    l->q = q;
    l->sum = (g2_affine *)take(n * sizeof *l->sum);
    l->other = (g2_affine *)take(n * sizeof *l->other);
    l->minus_x_over_y = (fp_t *)take(n * sizeof *l->minus_x_over_y);
    l->one_over_y = (fp_t *)take(n * sizeof *l->one_over_y);
    l->slopes = (fp2_t *)take(n * sizeof *l->slopes);
    l->products = (fp2_t *)take(n * sizeof *l->products);
    return l->sum && l->other && l->minus_x_over_y && l->one_over_y && l->slopes && l->products;
}

/* Take P of every pair, the sum of its terms. */
static void loops_scale(
    loops *l, const g1_affine *points, const u256 *scalars, const u32 *counts
) {
    fp_t *inverses = (fp_t *)l->slopes, *products = (fp_t *)l->products;
    g1_sum *sums = (g1_sum *)l->sum; /* not in use yet, and as large */
    for (u32 i = 0; i < l->n; i++) {
        g1_scale_few(&sums[i], points, scalars, counts[i]);
        points += counts[i];
        scalars += counts[i];
        fp_multiply(&inverses[i], &sums[i].y, &sums[i].zz);
        if (fp_is_zero(&inverses[i])) inverses[i] = fp_one;
    }
    g1_invert_all(inverses, products, l->n);
    for (u32 i = 0; i < l->n; i++) {
        fp_t over_y; /* ZZZ / (Y ZZ) */
        fp_multiply(&over_y, &sums[i].zzz, &inverses[i]);
        fp_multiply(&l->one_over_y[i], &over_y, &sums[i].zz);
        fp_multiply(&over_y, &over_y, &sums[i].x);
        fp_negate(&l->minus_x_over_y[i], &over_y);
    }
}

/* The slope's denominator; 1 where there is none, which no point of the subgroup meets. */
static void loops_denominator(loops *l, u32 i, const g2_affine *other) {
    fp2_t *denominator = &l->slopes[i];
    if (!other) {
        fp2_double(denominator, &l->sum[i].y);
        return;
    }
    fp2_subtract(denominator, &other[i].x, &l->sum[i].x);
    if (fp2_is_zero(denominator)) {
        l->all_in_subgroup = 0;
        *denominator = fp2_one;
    }
}

/* f times the line through P's image, by the line's slope: with T the sum,
 * y_P - slope x_P w + (slope x_T - y_T) w^3, over y_P, which the final power takes away.
 */
static void loops_line(const loops *l, u32 i, fp12_t *f, const fp2_t *slope) {
    const g2_affine *t = &l->sum[i];
    fp2_t by_w, by_w3;
    fp2_multiply(&by_w3, slope, &t->x);
    fp2_subtract(&by_w3, &by_w3, &t->y);
    for (u32 j = 0; j < 2; j++) {
        fp_multiply(&by_w.part[j], &slope->part[j], &l->minus_x_over_y[i]);
        fp_multiply(&by_w3.part[j], &by_w3.part[j], &l->one_over_y[i]);
    }
    fp12_multiply_by_line(f, &by_w, &by_w3);
}

/* Add `other` to every sum, or double it where `other` is 0, and multiply f by all the lines. */
static void loops_step(loops *l, fp12_t *f, const g2_affine *other) {
    for (u32 i = 0; i < l->n; i++) loops_denominator(l, i, other);
    g2_invert_all(l->slopes, l->products, l->n);
    for (u32 i = 0; i < l->n; i++) {
        g2_affine *sum = &l->sum[i];
        const g2_affine *added = other ? &other[i] : sum;
        fp2_t rise;
        if (other) {
            fp2_subtract(&rise, &added->y, &sum->y);
        } else {
            fp2_t square;
            fp2_square(&square, &sum->x);
            fp2_double(&rise, &square);
            fp2_add(&rise, &rise, &square);
        }
        fp2_multiply(&l->slopes[i], &l->slopes[i], &rise);
        loops_line(l, i, f, &l->slopes[i]);
        g2_add_by_slope(sum, sum, added, &l->slopes[i]);
    }
}

/* Frobenius of E(Fp12), on the twist. */
static void g2_frobenius(g2_affine *out, const g2_affine *p) {
    fp2_t square;
    fp2_square(&square, &frobenius_of_w);
    fp2_conjugate(&out->x, &p->x);
    fp2_conjugate(&out->y, &p->y);
    fp2_multiply(&out->x, &out->x, &square);
    fp2_multiply(&out->y, &out->y, &square);
    fp2_multiply(&out->y, &out->y, &frobenius_of_w);
}

/* Set `other` to its Frobenius. */
static void loops_frobenius(loops *l) {
    for (u32 i = 0; i < l->n; i++) g2_frobenius(&l->other[i], &l->other[i]);
}

static void loops_negate(loops *l) {
    for (u32 i = 0; i < l->n; i++) fp2_negate(&l->other[i].y, &l->other[i].y);
}

/* A digit of 6u + 2, with the next bits of 3 (6u + 2) and of itself. */
static int loop_digit(u32 i) {
    static const u256 count = {{0x9d797039be763ba8u, 1}}, triple = {{0xd86c50ad3b62b2f8u, 4}};
    return bit_of(&triple, i + 1) - bit_of(&count, i + 1);
}

/* f = the product of all Miller functions. Also finds out whether all Q are in the subgroup: those
 * are the points where (6u + 2) Q + F Q - F^2 Q + F^3 Q = 0, F Frobenius, because the resultant of
 * that and of F^2 - t F + q, which is 0 for every point, has only r in common with the number of
 * points (Dai, Lin, Zhao, Zhou, "Fast subgroup membership testings for G1, G2 and GT on
 * pairing-friendly curves", 2022).
 */
static void loops_run(loops *l, fp12_t *f) {
    *f = fp12_one;
    for (u32 i = 0; i < l->n; i++) l->sum[i] = l->q[i];
    for (u32 digit = LOOP_DIGITS - 1; digit-- > 0;) {
        fp12_square(f);
        loops_step(l, f, 0);
        if (!loop_digit(digit)) continue;
        for (u32 i = 0; i < l->n; i++) l->other[i] = l->q[i];
        if (loop_digit(digit) < 0) loops_negate(l);
        loops_step(l, f, l->other);
    }
    for (u32 i = 0; i < l->n; i++) l->other[i] = l->q[i];
    loops_frobenius(l);
    loops_step(l, f, l->other);
    loops_frobenius(l);
    loops_negate(l);
    loops_step(l, f, l->other);
    loops_frobenius(l); /* of -F^2 Q, and so what the sum has to be */
    for (u32 i = 0; i < l->n; i++) {
        if (!fp2_equal(&l->sum[i].x, &l->other[i].x) || !fp2_equal(&l->sum[i].y, &l->other[i].y))
            l->all_in_subgroup = 0;
    }
}

/* a^-u, for a whose inverse is its conjugate. */
static void fp12_power_minus_u(fp12_t *out, const fp12_t *a) {
    fp12_t power = *a;
    for (u32 i = 62; i-- > 0;) {
        fp12_square(&power);
        if (curve_u >> i & 1) fp12_multiply(&power, &power, a);
    }
    fp12_conjugate(out, &power);
}

/* Whether f^((q^12 - 1)/r) = 1. The last part of the exponent is taken times a number that r does
 * not divide, as 1 + 6u + 12u^2 + 12u^3 + (4u + 6u^2 + 12u^3) q + (6u + 6u^2 + 12u^3) q^2
 * + (4u + 6u^2 + 12u^3 - 1) q^3 (Fuentes-Castaneda, Knapp, Rodriguez-Henriquez, "Faster hashing to
 * G2", 2011).
 */
static int power_is_one(const fp12_t *f) {
    fp12_t a, minus_2u, six_u, six_u2, sum, part, total;
    /* a = f^((q^6 - 1)(q^2 + 1)) */
    fp12_invert(&part, f);
    fp12_conjugate(&a, f);
    fp12_multiply(&part, &a, &part);
    fp12_frobenius(&a, &part, 2);
    fp12_multiply(&a, &a, &part);
    /* Powers of a by what their names say; an inverse is a conjugate from here on. */
    fp12_power_minus_u(&part, &a);
    fp12_multiply(&minus_2u, &part, &part);
    fp12_multiply(&part, &minus_2u, &minus_2u);
    fp12_multiply(&part, &part, &minus_2u);
    fp12_conjugate(&six_u, &part);
    fp12_power_minus_u(&six_u2, &part);
    fp12_multiply(&part, &six_u2, &six_u2);
    fp12_power_minus_u(&sum, &part);
    fp12_conjugate(&sum, &sum); /* 12u^3 */
    fp12_multiply(&sum, &sum, &six_u2);
    fp12_multiply(&sum, &sum, &six_u); /* 6u + 6u^2 + 12u^3 */
    fp12_multiply(&total, &sum, &six_u2);
    fp12_multiply(&total, &total, &a);
    fp12_frobenius(&part, &sum, 2);
    fp12_multiply(&total, &total, &part);
    fp12_multiply(&sum, &sum, &minus_2u); /* 4u + 6u^2 + 12u^3 */
    fp12_frobenius(&part, &sum, 1);
    fp12_multiply(&total, &total, &part);
    fp12_conjugate(&part, &a);
    fp12_multiply(&part, &part, &sum);
    fp12_frobenius(&part, &part, 3);
    fp12_multiply(&total, &total, &part);
    return fp12_is_one(&total);
}

/* What is found of a product of pairings. */
enum { IS_ONE = 0, IS_NOT_ONE = 1, P_OFF_CURVE = 2, Q_OFF_CURVE = 3, Q_OUTSIDE_SUBGROUP = 4 };

/* Bring a plain point into Montgomery form; returns 0 if it is not on the curve. */
#define FROM_PLAIN(group, field)                                                                \
    static int group##_from_plain(group##_affine *p) {                                          \
        if (!field##_is_reduced(&p->x) || !field##_is_reduced(&p->y)) return 0;                 \
        field##_from_plain(&p->x, &p->x);                                                       \
        field##_from_plain(&p->y, &p->y);                                                       \
        return group##_is_on_curve(p);                                                          \
    }

FROM_PLAIN(g1, fp)
FROM_PLAIN(g2, fp2)

/* Compare the product of e(P, Q) with one, each P the sum of the next counts[i] scalars times points;
 * points are plain, and changed. P may be infinity, Q may not.
 */
static u32 multiply_pairings(
    g1_affine *points, const u256 *scalars, const u32 *counts, g2_affine *q, u32 n
) {
    loops l;
    fp12_t f;
    u32 n_points = 0;
    for (u32 i = 0; i < n; i++) n_points += counts[i];
    for (u32 i = 0; i < n_points; i++)
        if (!g1_from_plain(&points[i])) return P_OFF_CURVE;
    for (u32 i = 0; i < n; i++)
        if (!g2_from_plain(&q[i]) || g2_is_infinity(&q[i])) return Q_OFF_CURVE;
    if (!loops_make(&l, q, n)) return OUT_OF_MEMORY;
    loops_scale(&l, points, scalars, counts);
    loops_run(&l, &f);
    if (!l.all_in_subgroup) return Q_OUTSIDE_SUBGROUP;
    return power_is_one(&f) ? IS_ONE : IS_NOT_ONE;
}
