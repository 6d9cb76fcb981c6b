/* What the host calls. Addresses are offsets into linear memory; integers there are plain, 32
 * bytes, little-endian, unless said otherwise.
 */
#include "edwards.h"
#include "groth16.h"
#include "pairing.h"
#include "poseidon.h"

u32 EXPORT(allocate)(u32 size) {
    return take(size);
}

/* Overwrite and give back all that was allocated since `mark` was. */
void EXPORT(release)(u32 mark) {
    drop(mark);
}

void EXPORT(poseidon2_parameters)(const fr_t *parameters) {
    poseidon_set_parameters(parameters);
}

/* Hash `n` pairs; return 0 and stop at an input that is not below r, else 1. */
u32 EXPORT(poseidon2_pairs)(const fr_t (*pairs)[2], fr_t *hashes, u32 n) {
    for (u32 i = 0; i < n; i++) {
        if (!fr_is_reduced(&pairs[i][0]) || !fr_is_reduced(&pairs[i][1])) return 0;
        poseidon_hash(&hashes[i], pairs[i]);
    }
    return 1;
}

/* out[i] = scalars[i] points[i], on Baby Jubjub. */
void EXPORT(edwards_multiply_plain)(
    const edwards_affine *points, const u256 *scalars, u32 n, edwards_affine *out
) {
    for (u32 i = 0; i < n; i++) edwards_multiply(&out[i], &points[i], &scalars[i]);
}

/* Whether a proving key can be one: 0, or the number of the .zkey section that is wrong. */
u32 EXPORT(groth16_check)(const proving_key *key, const u8 *coefficients) {
    return check_key(key, coefficients);
}

/* Returns 1, or 0 where memory is out. */
u32 EXPORT(groth16_prove)(
    const proving_key *key, const u256 *witness, const u256 *r, const u256 *s, proof *out
) {
    return prove(key, witness, r, s, out);
}

/* Buckets, and their inversions, pay from here on. */
enum { FEW = 128 };

/* Sum scalars[i] points[i]; (0, 0) is infinity. Returns 0 at a point off the curve, else 1. */
#define MULTI_SCALE(group)                                                                      \
    u32 EXPORT(group##_multi_scale_plain)(                                                      \
        group##_affine *points, const u256 *scalars, u32 n, group##_affine *out                 \
    ) {                                                                                         \
        group##_sum sum;                                                                        \
        for (u32 i = 0; i < n; i++)                                                             \
            if (!group##_from_plain(&points[i])) return 0;                                      \
        if (n < FEW) {                                                                          \
            group##_scale_few(&sum, points, scalars, n);                                        \
        } else if (!group##_multi_scale(&sum, points, scalars, n)) {                            \
            return 0;                                                                           \
        }                                                                                       \
        group##_to_plain(out, &sum);                                                            \
        return 1;                                                                               \
    }

MULTI_SCALE(g1)
MULTI_SCALE(g2)

/* The product of e(P, q[i]), each P the sum of the next counts[i] terms: IS_ONE, or what else. */
u32 EXPORT(pairings_multiply)(
    g1_affine *points, const u256 *scalars, const u32 *counts, g2_affine *q, u32 n
) {
    return multiply_pairings(points, scalars, counts, q, n);
}

/* What the tests compare with other implementations: a + b, a - b, a b, 1/a and whether a is below
 * the modulus. The first three are right for a and b below it.
 */
#define ARITHMETIC(field)                                                                       \
    u32 EXPORT(field##_arithmetic)(const field##_t *a, const field##_t *b, field##_t out[4]) {  \
        field##_t x, y;                                                                         \
        field##_from_plain(&x, a);                                                              \
        field##_from_plain(&y, b);                                                              \
        field##_add(&out[0], &x, &y);                                                           \
        field##_subtract(&out[1], &x, &y);                                                      \
        field##_multiply(&out[2], &x, &y);                                                      \
        field##_invert(&out[3], &x);                                                            \
        for (u32 i = 0; i < 4; i++) field##_to_plain(&out[i], &out[i]);                         \
        return (u32)field##_is_reduced(a);                                                      \
    }

ARITHMETIC(fp)
ARITHMETIC(fr)
ARITHMETIC(fp2)

/* Of 7 elements a below 2p and b below p, taken as they are: the sum of a[i] b[i] 2^-256. */
void EXPORT(fr_dot_of_7)(const fr_t a[7], const fr_t b[7], fr_t *out) {
    fr_dot(out, a, b, 7);
    fr_reduce(out, out);
}

/* Of the target field: a b, 1/a, a^q, a^2, and a times the line 1 + b[1] w + b[3] w^3. */
void EXPORT(fp12_arithmetic)(const fp12_t *a, const fp12_t *b, fp12_t out[5]) {
    fp12_t x, y;
    for (u32 i = 0; i < 6; i++) {
        fp2_from_plain(&x.c[i], &a->c[i]);
        fp2_from_plain(&y.c[i], &b->c[i]);
    }
    fp12_multiply(&out[0], &x, &y);
    fp12_invert(&out[1], &x);
    fp12_frobenius(&out[2], &x, 1);
    out[3] = out[4] = x;
    fp12_square(&out[3]);
    fp12_multiply_by_line(&out[4], &y.c[1], &y.c[3]);
    for (u32 i = 0; i < 30; i++) fp2_to_plain(&out[i / 6].c[i % 6], &out[i / 6].c[i % 6]);
}

/* Also for the tests: values on the 2^log_size-th roots of unity to those on their odd coset. */
u32 EXPORT(values_to_odd_coset)(fr_t *values, u32 log_size) {
    domain d;
    if (!domain_make(&d, log_size)) return 0;
    for (u32 i = 0; i < d.size; i++) fr_from_plain(&values[i], &values[i]);
    to_odd_coset(&d, values);
    for (u32 i = 0; i < d.size; i++) fr_to_plain(&values[i], &values[i]);
    return 1;
}
