/* The number-theoretic transform over Fr, from the 2^k-th roots of unity to their odd coset.
 *
 * With w a primitive root of order 2n, the roots are w^(2i) and the odd coset is w^(2i + 1).
 */
#pragma once
#include "fields.h"
#include "memory.h"

typedef struct {
    u32 log_size, size;
    fr_t size_inverse;
    fr_t *powers; /* w^i for i < 2 size */
} domain;

/* Returns 0 where memory is out. `log_size` is at most 27. */
static int domain_make(domain *d, u32 log_size) {
    u256 exponent = {FR_MODULUS};
    fr_t root = {{5, 0, 0, 0}}, size = {{1ull << log_size, 0, 0, 0}}; /* 5 generates Fr* */
    exponent.limb[0] -= 1;
    for (u32 i = 0; i <= log_size; i++) { /* (r - 1) / 2n */
        for (u32 j = 0; j < 4; j++)
            exponent.limb[j] =
                exponent.limb[j] >> 1 | (j < 3 ? exponent.limb[j + 1] << 63 : 0);
    }
    fr_from_plain(&root, &root);
    fr_power(&root, &root, &exponent);
    fr_from_plain(&size, &size);
    fr_invert(&d->size_inverse, &size);
    d->log_size = log_size;
    d->size = 1u << log_size;
    d->powers = (fr_t *)take(2 * d->size * sizeof(fr_t));
    if (!d->powers) return 0;
    d->powers[0] = fr_one;
    for (u32 i = 1; i < 2 * d->size; i++) fr_multiply(&d->powers[i], &d->powers[i - 1], &root);
    return 1;
}

static u32 reversed_bits(u32 value, u32 bits) {
    u32 reversed = 0;
    for (u32 i = 0; i < bits; i++) reversed |= (value >> i & 1) << (bits - 1 - i);
    return reversed;
}

/* Values on the roots to n times the coefficients, these in bit-reversed order (Gentleman-Sande). */
static void to_coefficients(const domain *d, fr_t *values) {
    for (u32 half = d->size / 2; half; half /= 2) {
        u32 stride = d->size / half;
        for (u32 start = 0; start < d->size; start += 2 * half) {
            for (u32 i = 0; i < half; i++) {
                fr_t *low = &values[start + i], *high = low + half, difference;
                fr_subtract(&difference, low, high);
                fr_add(low, low, high);
                fr_multiply(high, &difference, &d->powers[(2 * d->size - i * stride) % (2 * d->size)]);
            }
        }
    }
}

/* Coefficients in bit-reversed order to values on the roots (Cooley-Tukey). */
static void to_values(const domain *d, fr_t *values) {
    for (u32 half = 1; half < d->size; half *= 2) {
        u32 stride = d->size / half;
        for (u32 start = 0; start < d->size; start += 2 * half) {
            for (u32 i = 0; i < half; i++) {
                fr_t *low = &values[start + i], *high = low + half, product;
                fr_multiply(&product, high, &d->powers[i * stride]);
                fr_subtract(high, low, &product);
                fr_add(low, low, &product);
            }
        }
    }
}

/* A polynomial's values on the roots to its values on their odd coset. */
static void to_odd_coset(const domain *d, fr_t *values) {
    to_coefficients(d, values);
    for (u32 i = 0; i < d->size; i++) {
        fr_multiply(&values[i], &values[i], &d->size_inverse);
        fr_multiply(&values[i], &values[i], &d->powers[reversed_bits(i, d->log_size)]);
    }
    to_values(d, values);
}
