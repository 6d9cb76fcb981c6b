/* A group of points on y^2 = x^3 + b. A template: GROUP(name) gives the prefix, FIELD(name) the
 * coordinates' field, CURVE_B the constant b.
 *
 * Sums are kept as (X, Y, ZZ, ZZZ) with x = X/ZZ, y = Y/ZZZ, ZZ^3 = ZZZ^2, and ZZ = 0 at infinity:
 * "XYZZ coordinates" of the Explicit-Formulas Database (Bernstein, Lange), whose names for the
 * formulas are given below.
 */

typedef struct {
    FIELD(t) x, y;
} GROUP(affine); /* (0, 0) is the point at infinity */

typedef struct {
    FIELD(t) x, y, zz, zzz;
} GROUP(sum);

static const FIELD(t) GROUP(b) = CURVE_B;

static inline int GROUP(is_infinity)(const GROUP(affine) *p) {
    return FIELD(is_null)(&p->x) && FIELD(is_null)(&p->y);
}

/* Also whether its coordinates are below the modulus. */
static int GROUP(is_on_curve)(const GROUP(affine) *p) {
    FIELD(t) left, right;
    if (!FIELD(is_reduced)(&p->x) || !FIELD(is_reduced)(&p->y)) return 0;
    FIELD(square)(&left, &p->y);
    FIELD(square)(&right, &p->x);
    FIELD(multiply)(&right, &right, &p->x);
    FIELD(add)(&right, &right, &GROUP(b));
    return GROUP(is_infinity)(p) || FIELD(equal)(&left, &right);
}

/* dbl-2008-s-1 */
static void GROUP(double)(GROUP(sum) *p) {
    FIELD(t) u, v, w, s, m;
    FIELD(double)(&u, &p->y);
    FIELD(square)(&v, &u);
    FIELD(multiply)(&w, &u, &v);
    FIELD(multiply)(&s, &p->x, &v);
    FIELD(square)(&u, &p->x);
    FIELD(double)(&m, &u);
    FIELD(add)(&m, &m, &u);
    FIELD(square)(&p->x, &m);
    FIELD(subtract)(&p->x, &p->x, &s);
    FIELD(subtract)(&p->x, &p->x, &s);
    FIELD(subtract)(&s, &s, &p->x);
    FIELD(multiply)(&m, &m, &s);
    FIELD(multiply)(&u, &w, &p->y);
    FIELD(subtract)(&p->y, &m, &u);
    FIELD(multiply)(&p->zz, &p->zz, &v);
    FIELD(multiply)(&p->zzz, &p->zzz, &w);
}

/* What both additions share: u2 and s2 are the other point's x and y, both points' x1, y1 = `p`'s,
 * all over one denominator. Returns 0 where the points are equal or opposite.
 */
static inline int GROUP(add_common)(
    GROUP(sum) *p, FIELD(t) *x1, FIELD(t) *y1, FIELD(t) *u2, FIELD(t) *s2
) {
    FIELD(t) pp, ppp, q;
    FIELD(subtract)(u2, u2, x1);
    FIELD(subtract)(s2, s2, y1);
    if (FIELD(is_zero)(u2)) return 0;
    FIELD(square)(&pp, u2);
    FIELD(multiply)(&ppp, &pp, u2);
    FIELD(multiply)(&q, x1, &pp);
    FIELD(multiply)(y1, y1, &ppp);
    FIELD(square)(&p->x, s2);
    FIELD(subtract)(&p->x, &p->x, &ppp);
    FIELD(subtract)(&p->x, &p->x, &q);
    FIELD(subtract)(&p->x, &p->x, &q);
    FIELD(subtract)(&q, &q, &p->x);
    FIELD(multiply)(&q, &q, s2);
    FIELD(subtract)(&p->y, &q, y1);
    FIELD(multiply)(&p->zz, &p->zz, &pp);
    FIELD(multiply)(&p->zzz, &p->zzz, &ppp);
    return 1;
}

/* Where x is equal: the point doubled, or infinity. */
static void GROUP(add_same_x)(GROUP(sum) *p, const FIELD(t) *y_difference) {
    if (FIELD(is_zero)(y_difference)) {
        GROUP(double)(p);
    } else {
        *p = (GROUP(sum)){0};
    }
}

/* p += q, or p -= q; madd-2008-s */
static void GROUP(add_affine)(GROUP(sum) *p, const GROUP(affine) *q, int negate) {
    FIELD(t) y = q->y, x1 = p->x, y1 = p->y, u2, s2;
    if (GROUP(is_infinity)(q)) return;
    if (negate) FIELD(negate)(&y, &y);
    if (FIELD(is_zero)(&p->zz)) {
        *p = (GROUP(sum)){q->x, y, FIELD(one), FIELD(one)};
        return;
    }
    FIELD(multiply)(&u2, &q->x, &p->zz);
    FIELD(multiply)(&s2, &y, &p->zzz);
    if (!GROUP(add_common)(p, &x1, &y1, &u2, &s2)) GROUP(add_same_x)(p, &s2);
}

/* p += q; add-2008-s */
static void GROUP(add)(GROUP(sum) *p, const GROUP(sum) *q) {
    FIELD(t) x1, y1, u2, s2;
    if (FIELD(is_zero)(&q->zz)) return;
    if (FIELD(is_zero)(&p->zz)) {
        *p = *q;
        return;
    }
    FIELD(multiply)(&x1, &p->x, &q->zz);
    FIELD(multiply)(&y1, &p->y, &q->zzz);
    FIELD(multiply)(&u2, &q->x, &p->zz);
    FIELD(multiply)(&s2, &q->y, &p->zzz);
    if (!GROUP(add_common)(p, &x1, &y1, &u2, &s2)) {
        GROUP(add_same_x)(p, &s2);
    } else {
        FIELD(multiply)(&p->zz, &p->zz, &q->zz);
        FIELD(multiply)(&p->zzz, &p->zzz, &q->zzz);
    }
}

/* The coordinates come out below the modulus. */
static void GROUP(to_affine)(GROUP(affine) *out, const GROUP(sum) *p) {
    FIELD(t) inverse, square;
    FIELD(invert)(&inverse, &p->zzz); /* 0 at infinity, as wanted */
    FIELD(multiply)(&out->y, &p->y, &inverse);
    FIELD(multiply)(&square, &inverse, &p->zz); /* 1/Z */
    FIELD(square)(&square, &square);
    FIELD(multiply)(&out->x, &p->x, &square);
    FIELD(reduce)(&out->x, &out->x);
    FIELD(reduce)(&out->y, &out->y);
}

static void GROUP(to_plain)(GROUP(affine) *out, const GROUP(sum) *p) {
    GROUP(to_affine)(out, p);
    FIELD(to_plain)(&out->x, &out->x);
    FIELD(to_plain)(&out->y, &out->y);
}

static int GROUP(any_bit)(const u256 *scalars, u32 n, u32 index) {
    int any = 0;
    for (u32 i = 0; i < n; i++) any |= bit_of(&scalars[i], index);
    return any;
}

/* out = the sum of scalars[i] p[i], for few: bit by bit, with the doublings shared (Straus, "Addition
 * chains of vectors", 1964).
 */
static void GROUP(scale_few)(
    GROUP(sum) *out, const GROUP(affine) *p, const u256 *scalars, u32 n
) {
    u32 bits = 256;
    while (bits && !GROUP(any_bit)(scalars, n, bits - 1)) bits--;
    *out = (GROUP(sum)){0};
    while (bits-- > 0) {
        GROUP(double)(out);
        for (u32 i = 0; i < n; i++)
            if (bit_of(&scalars[i], bits)) GROUP(add_affine)(out, &p[i], 0);
    }
}

static void GROUP(scale)(GROUP(sum) *out, const GROUP(affine) *p, const u256 *scalar) {
    GROUP(scale_few)(out, p, scalar, 1);
}
