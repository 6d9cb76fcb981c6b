/* Sums of many multiples of points: Pippenger's buckets, filled by additions of affine points that
 * share one inversion (Montgomery's trick): 6 products an addition, where projective ones take 10.
 * A template, included after group.h.
 */

/* Where one digit of n scalars is worked on. */
typedef struct {
    u32 n, n_buckets;
    i16 *digits;
    u32 *counts;          /* points in each bucket, then their number up to it */
    GROUP(affine) *sorted; /* the points, bucket after bucket */
    FIELD(t) *inverses, *products;
} GROUP(bench);

/* Returns 0 where memory is out. */
static int GROUP(bench_make)(GROUP(bench) *w, u32 n, u32 n_buckets) {
    w->n = n;
    w->n_buckets = n_buckets;
    w->digits = (i16 *)take(n * sizeof *w->digits);
    w->counts = (u32 *)take(n_buckets * sizeof *w->counts);
    w->sorted = (GROUP(affine) *)take(n * sizeof *w->sorted);
    w->inverses = (FIELD(t) *)take(n / 2 * sizeof *w->inverses);
    w->products = (FIELD(t) *)take(n / 2 * sizeof *w->products);
    return w->digits && w->counts && w->sorted && w->inverses && w->products;
}

/* Replace each of n values, none of which is zero, by its inverse. */
static void GROUP(invert_all)(FIELD(t) *values, FIELD(t) *products, u32 n) {
    FIELD(t) product = FIELD(one), inverse;
    for (u32 i = 0; i < n; i++) {
        products[i] = product;
        FIELD(multiply)(&product, &product, &values[i]);
    }
    FIELD(invert)(&inverse, &product);
    for (u32 i = n; i-- > 0;) {
        FIELD(multiply)(&products[i], &products[i], &inverse);
        FIELD(multiply)(&inverse, &inverse, &values[i]);
        values[i] = products[i];
    }
}

/* The denominator of the slope between two points, or anything but zero where there is none. No
 * point has y = 0: both groups have odd order, also outside the subgroup.
 */
static void GROUP(slope_denominator)(
    FIELD(t) *out, const GROUP(affine) *p, const GROUP(affine) *q
) {
    FIELD(subtract)(out, &q->x, &p->x);
    if (GROUP(is_infinity)(p) || GROUP(is_infinity)(q)) {
        *out = FIELD(one);
    } else if (FIELD(is_zero)(out)) {
        FIELD(double)(out, &p->y);
    }
}

/* out = p + q, given the inverse of their slope's denominator; `out` may be p or q. */
static void GROUP(add_by_slope)(
    GROUP(affine) *out, const GROUP(affine) *p, const GROUP(affine) *q, const FIELD(t) *inverse
) {
    FIELD(t) slope, x, y;
    if (GROUP(is_infinity)(p)) {
        *out = *q;
        return;
    }
    if (GROUP(is_infinity)(q)) {
        *out = *p;
        return;
    }
    if (!FIELD(equal)(&p->x, &q->x)) {
        FIELD(subtract)(&slope, &q->y, &p->y);
    } else if (FIELD(equal)(&p->y, &q->y)) {
        FIELD(square)(&x, &p->x);
        FIELD(double)(&slope, &x);
        FIELD(add)(&slope, &slope, &x);
    } else {
        *out = (GROUP(affine)){0};
        return;
    }
    FIELD(multiply)(&slope, &slope, inverse);
    FIELD(square)(&x, &slope);
    FIELD(subtract)(&x, &x, &p->x);
    FIELD(subtract)(&x, &x, &q->x);
    FIELD(subtract)(&y, &p->x, &x);
    FIELD(multiply)(&y, &y, &slope);
    FIELD(subtract)(&out->y, &y, &p->y);
    out->x = x;
}

/* Put the points into the order of their buckets, those of negative digits negated. */
static void GROUP(sort)(GROUP(bench) *w, const GROUP(affine) *points) {
    u32 start = 0;
    for (u32 i = 0; i < w->n_buckets; i++) w->counts[i] = 0;
    for (u32 i = 0; i < w->n; i++) {
        if (GROUP(is_infinity)(&points[i])) w->digits[i] = 0;
        int digit = w->digits[i];
        if (digit) w->counts[(digit < 0 ? -digit : digit) - 1]++;
    }
    for (u32 i = 0; i < w->n_buckets; i++) {
        u32 count = w->counts[i];
        w->counts[i] = start;
        start += count;
    }
    for (u32 i = 0; i < w->n; i++) {
        int digit = w->digits[i];
        if (!digit) continue;
        GROUP(affine) *place = &w->sorted[w->counts[(digit < 0 ? -digit : digit) - 1]++];
        *place = points[i];
        if (digit < 0) FIELD(negate)(&place->y, &place->y);
    }
    for (u32 i = w->n_buckets; i-- > 1;) w->counts[i] -= w->counts[i - 1];
}

/* Add neighbours in each bucket, which halves it. Returns how many additions that took. */
static u32 GROUP(halve_buckets)(GROUP(bench) *w) {
    u32 n_pairs = 0, pair = 0;
    const GROUP(affine) *from = w->sorted;
    for (u32 i = 0; i < w->n_buckets; from += w->counts[i++])
        for (u32 j = 0; j + 1 < w->counts[i]; j += 2)
            GROUP(slope_denominator)(&w->inverses[n_pairs++], &from[j], &from[j + 1]);
    if (!n_pairs) return 0;
    GROUP(invert_all)(w->inverses, w->products, n_pairs);
    GROUP(affine) *to = w->sorted;
    from = w->sorted;
    for (u32 i = 0; i < w->n_buckets; i++) {
        const u32 count = w->counts[i];
        for (u32 j = 0; j + 1 < count; j += 2)
            GROUP(add_by_slope)(to++, &from[j], &from[j + 1], &w->inverses[pair++]);
        if (count % 2) *to++ = from[count - 1];
        from += count;
        w->counts[i] = (count + 1) / 2;
    }
    return n_pairs;
}

/* out += the sum of digits[i] points[i] */
static void GROUP(add_by_digit)(GROUP(sum) *out, GROUP(bench) *w, const GROUP(affine) *points) {
    GROUP(sum) partial = {0};
    GROUP(sort)(w, points);
    while (GROUP(halve_buckets)(w));
    const GROUP(affine) *last = w->sorted;
    for (u32 i = 0; i < w->n_buckets; i++) last += w->counts[i];
    for (u32 i = w->n_buckets; i-- > 0;) { /* the sum of all partial sums from the last bucket on */
        if (w->counts[i]) GROUP(add_affine)(&partial, --last, 0);
        GROUP(add)(out, &partial);
    }
}

/* out = the sum of scalars[i] points[i]. Returns 0 where memory is out. Its time depends on the
 * scalars.
 */
static int GROUP(multi_scale)(
    GROUP(sum) *out, const GROUP(affine) *points, const u256 *scalars, u32 n
) {
    const u32 bits = digit_bits(n), mark = take(0);
    recoded *digits = (recoded *)take(n * sizeof *digits);
    GROUP(bench) bench;
    *out = (GROUP(sum)){0};
    if (!digits || !GROUP(bench_make)(&bench, n, 1u << (bits - 1))) return 0;
    recode(digits, scalars, n, bits);
    for (u32 window = digit_count(bits); window-- > 0;) {
        for (u32 i = 0; i < bits; i++) GROUP(double)(out);
        for (u32 i = 0; i < n; i++) bench.digits[i] = digit_of(&digits[i], window, bits);
        GROUP(add_by_digit)(out, &bench, points);
    }
    drop(mark);
    return 1;
}
