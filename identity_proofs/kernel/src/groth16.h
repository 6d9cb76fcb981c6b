/* Groth16 over a snarkjs proving key: Groth, "On the Size of Pairing-Based Non-interactive
 * Arguments", EUROCRYPT 2016, with the quotient evaluated on the domain's odd coset.
 *
 * The key's parts lie in memory as they do in the .zkey file: points in Montgomery form,
 * coefficients of the constraint matrices in it twice.
 */
#pragma once
#include "curves.h"
#include "transform.h"

typedef struct __attribute__((packed)) {
    u32 matrix, row, signal; /* matrix 0 is A, 1 is B */
    fr_t value;
} term;

typedef struct {
    g1_affine alpha1, beta1;
    g2_affine beta2, gamma2;
    g1_affine delta1;
    g2_affine delta2;
} key_points;

typedef struct {
    u32 n_signals, n_public, log_domain, n_terms;
    const key_points *points;
    const term *terms;
    const g1_affine *a;
    const g2_affine *b2;
    const g1_affine *c, *b1, *h; /* one after the other, without a gap */
} proving_key;

typedef struct {
    g1_affine a;
    g2_affine b;
    g1_affine c;
} proof;

enum { SUBGROUP_ROUNDS = 16 };

/* The numbers that the .zkey format gives its sections; SOUND and OUT_OF_MEMORY are none. */
enum { SOUND = 0, POINTS = 2, TERMS = 4, A = 5, B1 = 6, B2 = 7, C = 8, H = 9, OUT_OF_MEMORY = 255 };

static int all_on_curve(const g1_affine *points, u32 n) {
    for (u32 i = 0; i < n; i++)
        if (!g1_is_on_curve(&points[i])) return 0;
    return 1;
}

static int is_in_subgroup(const g2_affine *point) {
    static const u256 order = {FR_MODULUS};
    g2_sum product;
    if (!g2_is_on_curve(point)) return 0;
    g2_scale(&product, point, &order);
    return fp2_is_zero(&product.zz);
}

/* Whether all points are in the subgroup: 16 sums with random coefficients of 8 bits are.
 *
 * The cofactor's least prime divisor is 10,069, so the 256 coefficients differ modulo the order of
 * any part outside the subgroup: such a part vanishes from a sum with probability 1/256 at most,
 * from all with 2^-128. `coefficients` has 16 n bytes, unknown to whoever made the points.
 */
static int all_in_subgroup(const g2_affine *points, const u8 *coefficients, u32 n) {
    const u32 mark = take(0);
    g2_bench bench;
    int sound = g2_bench_make(&bench, n, 128);
    for (u32 i = 0; i < n; i++) sound = sound && g2_is_on_curve(&points[i]);
    for (u32 round = 0; sound && round < SUBGROUP_ROUNDS; round++) {
        g2_sum sum = {0};
        g2_affine combination;
        for (u32 i = 0; i < n; i++) bench.digits[i] = (i16)(coefficients[round * n + i] - 128);
        g2_fill_buckets(&bench, points);
        const g2_affine *end = bench.sorted;
        for (u32 i = 0; i < bench.n_buckets; i++) end += bench.counts[i];
        g2_weigh_buckets(&sum, bench.counts, end, bench.n_buckets);
        g2_to_affine(&combination, &sum);
        sound = is_in_subgroup(&combination);
    }
    drop(mark);
    return sound;
}

/* Returns SOUND, or the first section with an impossible number or point. */
static u32 check_key(const proving_key *key, const u8 *coefficients) {
    const key_points *points = key->points;
    const g1_affine g1[] = {points->alpha1, points->beta1, points->delta1};
    const g2_affine g2[] = {points->beta2, points->gamma2, points->delta2};
    for (u32 i = 0; i < 3; i++) {
        if (!g1_is_on_curve(&g1[i]) || g1_is_infinity(&g1[i])) return POINTS;
        if (!is_in_subgroup(&g2[i]) || g2_is_infinity(&g2[i])) return POINTS;
    }
    for (u32 i = 0; i < key->n_terms; i++) {
        const term *t = &key->terms[i];
        if (t->matrix > 1 || t->row >> key->log_domain || t->signal >= key->n_signals) return TERMS;
        fr_t value = t->value;
        if (!fr_is_reduced(&value)) return TERMS;
    }
    if (!all_on_curve(key->a, key->n_signals)) return A;
    if (!all_on_curve(key->b1, key->n_signals)) return B1;
    if (!all_in_subgroup(key->b2, coefficients, key->n_signals)) return B2;
    if (!all_on_curve(key->c, key->n_signals - key->n_public - 1)) return C;
    if (!all_on_curve(key->h, 1u << key->log_domain)) return H;
    return SOUND;
}

/* Multiply the constraint matrices A and B with the witness. */
static void evaluate_constraints(const proving_key *key, const u256 *witness, fr_t *a, fr_t *b) {
    for (u32 i = 0; i < 1u << key->log_domain; i++) a[i] = b[i] = (fr_t){{0, 0, 0, 0}};
    for (u32 i = 0; i < key->n_terms; i++) {
        const term *t = &key->terms[i];
        fr_t *sum = &(t->matrix ? b : a)[t->row], value = t->value;
        fr_t signal = *(const fr_t *)&witness[t->signal], product;
        fr_multiply(&product, &value, &signal); /* v R^2 times plain w is v w in Montgomery form */
        fr_add(sum, sum, &product);
    }
}

/* The values of A B - C on the odd coset, as plain scalars; `h` divides by the vanishing
 * polynomial. Returns them in the first of three blocks, or 0 where memory is out.
 */
static u256 *quotient(const proving_key *key, const u256 *witness) {
    domain d;
    const u32 size = 1u << key->log_domain;
    fr_t *a = (fr_t *)take(3 * size * sizeof *a), *b = a + size, *c = b + size;
    if (!a || !domain_make(&d, key->log_domain)) return 0;
    evaluate_constraints(key, witness, a, b);
    for (u32 i = 0; i < size; i++) fr_multiply(&c[i], &a[i], &b[i]);
    to_odd_coset(&d, a);
    to_odd_coset(&d, b);
    to_odd_coset(&d, c);
    for (u32 i = 0; i < size; i++) {
        fr_multiply(&a[i], &a[i], &b[i]);
        fr_subtract(&a[i], &a[i], &c[i]);
        fr_to_plain(&a[i], &a[i]);
    }
    return (u256 *)a;
}

/* Add what the three sums of C have, taken as one, which needs fewer buckets: c by the private
 * signals, b1 by r times the signals, h by the quotient. Returns 0 where memory is out.
 */
static int sum_for_c(const proving_key *key, const u256 *witness, const u256 *r, g1_sum *out) {
    const u32 n = key->n_signals, n_private = n - key->n_public - 1, size = 1u << key->log_domain;
    u256 *scalars = (u256 *)take((n_private + n + size) * sizeof *scalars), *next = scalars;
    const u256 *h_scalars = quotient(key, witness);
    fr_t blinding;
    if (!scalars || !h_scalars) return 0;
    for (u32 i = n - n_private; i < n; i++) *next++ = witness[i];
    fr_from_plain(&blinding, (const fr_t *)r);
    for (u32 i = 0; i < n; i++) {
        fr_t *scalar = (fr_t *)next++;
        fr_multiply(scalar, &blinding, (const fr_t *)&witness[i]);
        fr_reduce(scalar, scalar);
    }
    for (u32 i = 0; i < size; i++) *next++ = h_scalars[i];
    return g1_multi_scale(out, key->c, scalars, n_private + n + size);
}

static void g1_add_scaled(g1_sum *sum, const g1_affine *point, const u256 *scalar) {
    g1_sum product;
    g1_scale(&product, point, scalar);
    g1_add(sum, &product);
}

/* The proof for a satisfying witness, blinded by the random scalars r and s; all plain. Returns 0
 * where memory is out.
 */
static int prove(
    const proving_key *key, const u256 *witness, const u256 *r, const u256 *s, proof *out
) {
    const key_points *points = key->points;
    const u32 n = key->n_signals;
    g1_affine a_affine;
    g1_sum a, c;
    g2_sum b, blinding;
    if (!g1_multi_scale(&a, key->a, witness, n) || !g2_multi_scale(&b, key->b2, witness, n) ||
        !sum_for_c(key, witness, r, &c))
        return 0;

    /* A = alpha + sum + r delta, B = beta + sum + s delta */
    g1_add_affine(&a, &points->alpha1, 0);
    g1_add_scaled(&a, &points->delta1, r);
    g2_add_affine(&b, &points->beta2, 0);
    g2_scale(&blinding, &points->delta2, s);
    g2_add(&b, &blinding);

    /* C = sums + s A + r B - r s delta, where r B is r beta, what is in the sums, and r s delta */
    g1_to_affine(&a_affine, &a);
    g1_add_scaled(&c, &a_affine, s);
    g1_add_scaled(&c, &points->beta1, r);

    g1_to_plain(&out->a, &a);
    g2_to_plain(&out->b, &b);
    g1_to_plain(&out->c, &c);
    return 1;
}
