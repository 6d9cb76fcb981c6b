/* A prime field of 254 bits, its elements in Montgomery form (times 2^256) and below 2p.
 *
 * A template: include it with FIELD(name) giving the prefix, and MODULUS, TWICE_MODULUS,
 * MINUS_INVERSE (-1/p mod 2^64), ONE (2^256 mod p) and SQUARE (2^512 mod p) the constants.
 *
 * Products come out below ab/2^256 + p, and p/2^256 is 0.19: where a and b are below 2p, so is
 * their product, without a last subtraction (Walter, "Montgomery exponentiation needs no final
 * subtractions", 1999). Each element but zero has two forms then; zero has 0 and p.
 *
 * Multiplication: Acar's CIOS, without the extra words, which two free top bits allow
 * (Koc, Acar, Kaliski, "Analyzing and Comparing Montgomery Multiplication Algorithms", 1996).
 */

typedef struct {
    u64 limb[4];
} FIELD(t);

static const u64 FIELD(modulus)[4] = MODULUS;
static const u256 FIELD(twice_modulus) = {TWICE_MODULUS};
static const FIELD(t) FIELD(one) = {ONE};
static const FIELD(t) FIELD(square_of_radix) = {SQUARE};

/* Whether all bits are zero: one of the two forms of the element zero. */
static inline int FIELD(is_null)(const FIELD(t) *a) {
    return (a->limb[0] | a->limb[1] | a->limb[2] | a->limb[3]) == 0;
}

static CALLED int FIELD(is_zero)(const FIELD(t) *a) {
    const u64 *p = FIELD(modulus);
    return FIELD(is_null)(a) | (((a->limb[0] ^ p[0]) | (a->limb[1] ^ p[1]) |
                                 (a->limb[2] ^ p[2]) | (a->limb[3] ^ p[3])) == 0);
}

/* Bring a value below 2 bound below the bound. */
static inline void FIELD(reduce_once)(FIELD(t) *out, const u64 a[4], const u256 *bound) {
    const u256 value = {{a[0], a[1], a[2], a[3]}};
    u256 less;
    u64 keep = -subtract_256(&less, &value, bound);
    for (int i = 0; i < 4; i++) out->limb[i] = (a[i] & keep) | (less.limb[i] & ~keep);
}

/* Of an element's two forms, the one below p. */
static inline void FIELD(reduce)(FIELD(t) *out, const FIELD(t) *a) {
    static const u256 modulus = {MODULUS};
    FIELD(reduce_once)(out, a->limb, &modulus);
}

static inline int FIELD(is_reduced)(const FIELD(t) *a) {
    const u256 modulus = {MODULUS};
    u256 less;
    return (int)subtract_256(&less, (const u256 *)a, &modulus);
}

static inline void FIELD(add)(FIELD(t) *out, const FIELD(t) *a, const FIELD(t) *b) {
    u256 sum;
    add_256(&sum, (const u256 *)a, (const u256 *)b);
    FIELD(reduce_once)(out, sum.limb, &FIELD(twice_modulus));
}

static inline void FIELD(subtract)(FIELD(t) *out, const FIELD(t) *a, const FIELD(t) *b) {
    u256 difference, correction = FIELD(twice_modulus);
    u64 wrapped = -subtract_256(&difference, (const u256 *)a, (const u256 *)b);
    for (int i = 0; i < 4; i++) correction.limb[i] &= wrapped;
    add_256((u256 *)out, &difference, &correction);
}

static inline int FIELD(equal)(const FIELD(t) *a, const FIELD(t) *b) {
    FIELD(t) difference;
    FIELD(subtract)(&difference, a, b);
    return FIELD(is_zero)(&difference);
}

static inline void FIELD(negate)(FIELD(t) *out, const FIELD(t) *a) {
    static const FIELD(t) zero;
    FIELD(subtract)(out, &zero, a);
}

static CALLED void FIELD(multiply)(FIELD(t) *out, const FIELD(t) *a, const FIELD(t) *b) {
    u64 t[4] = {0, 0, 0, 0};
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        u128 product = (u128)a->limb[0] * b->limb[i] + t[0];
        u64 factor = (u64)product * MINUS_INVERSE;
        u128 cleared = (u128)factor * FIELD(modulus)[0] + (u64)product;
#pragma clang loop unroll(full)
        for (int j = 1; j < 4; j++) {
            product = (u128)a->limb[j] * b->limb[i] + t[j] + (u64)(product >> 64);
            cleared = (u128)factor * FIELD(modulus)[j] + (u64)product + (u64)(cleared >> 64);
            t[j - 1] = (u64)cleared;
        }
        t[3] = (u64)(product >> 64) + (u64)(cleared >> 64);
    }
    for (int i = 0; i < 4; i++) out->limb[i] = t[i];
}

/* out = the sum of a[i] b[i], with one reduction for all: n is at most 3, or 7 for b[i] below p. The
 * sum's uppermost word is a wide one, since three products may be more than five words hold.
 */
static INLINED void FIELD(dot)(FIELD(t) *out, const FIELD(t) *a, const FIELD(t) *b, u32 n) {
    u64 t[4] = {0, 0, 0, 0};
    u128 top = 0;
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
#pragma clang loop unroll(full)
        for (u32 k = 0; k < n; k++) {
            u128 product = 0;
#pragma clang loop unroll(full)
            for (int j = 0; j < 4; j++) {
                product = (u128)a[k].limb[j] * b[k].limb[i] + t[j] + (u64)(product >> 64);
                t[j] = (u64)product;
            }
            top += (u64)(product >> 64);
        }
        u64 factor = t[0] * MINUS_INVERSE;
        u128 cleared = (u128)factor * FIELD(modulus)[0] + t[0];
#pragma clang loop unroll(full)
        for (int j = 1; j < 4; j++) {
            cleared = (u128)factor * FIELD(modulus)[j] + t[j] + (u64)(cleared >> 64);
            t[j - 1] = (u64)cleared;
        }
        top += (u64)(cleared >> 64);
        t[3] = (u64)top;
        top >>= 64;
    }
    FIELD(reduce_once)(out, t, &FIELD(twice_modulus));
}

static inline void FIELD(square)(FIELD(t) *out, const FIELD(t) *a) {
    FIELD(multiply)(out, a, a);
}

static inline void FIELD(double)(FIELD(t) *out, const FIELD(t) *a) {
    FIELD(add)(out, a, a);
}

static void FIELD(power)(FIELD(t) *out, const FIELD(t) *a, const u256 *exponent) {
    FIELD(t) power = FIELD(one), base = *a;
    for (u32 i = 0; i < 256; i++) {
        if (bit_of(exponent, i)) FIELD(multiply)(&power, &power, &base);
        FIELD(square)(&base, &base);
    }
    *out = power;
}

/* The inverse by Fermat, a^(p - 2); that of zero is zero. */
static void FIELD(invert)(FIELD(t) *out, const FIELD(t) *a) {
    u256 exponent = {MODULUS};
    exponent.limb[0] -= 2;
    FIELD(power)(out, a, &exponent);
}

static inline void FIELD(from_plain)(FIELD(t) *out, const FIELD(t) *plain) {
    FIELD(multiply)(out, plain, &FIELD(square_of_radix));
    FIELD(reduce)(out, out);
}

static inline void FIELD(to_plain)(FIELD(t) *out, const FIELD(t) *a) {
    static const FIELD(t) plain_one = {{1, 0, 0, 0}};
    FIELD(multiply)(out, a, &plain_one);
    FIELD(reduce)(out, out);
}
