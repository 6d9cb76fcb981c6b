/* What the host calls. Addresses are offsets into linear memory; integers there are plain, 32
 * bytes, little-endian, unless said otherwise.
 */
#include "groth16.h"
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

/* Sum scalars[i] points[i]; (0, 0) is infinity. Returns 0 at a point off the curve, else 1. */
#define MULTI_SCALE(group, field)                                                               \
    u32 EXPORT(group##_multi_scale_plain)(                                                      \
        group##_affine *points, const u256 *scalars, u32 n, group##_affine *out                 \
    ) {                                                                                         \
        group##_sum sum;                                                                        \
        for (u32 i = 0; i < n; i++) {                                                           \
            if (!field##_is_reduced(&points[i].x) || !field##_is_reduced(&points[i].y)) return 0; \
            field##_from_plain(&points[i].x, &points[i].x);                                     \
            field##_from_plain(&points[i].y, &points[i].y);                                     \
            if (!group##_is_on_curve(&points[i])) return 0;                                     \
        }                                                                                       \
        if (!group##_multi_scale(&sum, points, scalars, n)) return 0;                           \
        group##_to_plain(out, &sum);                                                            \
        return 1;                                                                               \
    }

MULTI_SCALE(g1, fp)
MULTI_SCALE(g2, fp2)

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

/* Also for the tests: values on the 2^log_size-th roots of unity to those on their odd coset. */
u32 EXPORT(values_to_odd_coset)(fr_t *values, u32 log_size) {
    domain d;
    if (!domain_make(&d, log_size)) return 0;
    for (u32 i = 0; i < d.size; i++) fr_from_plain(&values[i], &values[i]);
    to_odd_coset(&d, values);
    for (u32 i = 0; i < d.size; i++) fr_to_plain(&values[i], &values[i]);
    return 1;
}
