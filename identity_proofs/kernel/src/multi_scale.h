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
    u8 *unlike; /* of each pair to add, whether its points differ in x */
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
    w->unlike = (u8 *)take(n / 2);
    return w->digits && w->counts && w->sorted && w->inverses && w->products && w->unlike;
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

/* The denominator of the slope between two points. Returns 0, with anything but zero, where there
 * is none. No point has y = 0: both groups have odd order, also outside the subgroup.
 */
static inline u8 GROUP(slope_denominator)(
    FIELD(t) *out, const GROUP(affine) *p, const GROUP(affine) *q
) {
    FIELD(subtract)(out, &q->x, &p->x);
    if (!GROUP(is_infinity)(p) && !GROUP(is_infinity)(q) && !FIELD(is_zero)(out)) return 1;
    FIELD(double)(out, &p->y);
    if (GROUP(is_infinity)(p)) *out = FIELD(one);
    return 0;
}

/* out = p + q from their slope */
static inline void GROUP(add_by_slope)(
    GROUP(affine) *out, const GROUP(affine) *p, const GROUP(affine) *q, const FIELD(t) *slope
) {
    FIELD(t) x, y;
    FIELD(square)(&x, slope);
    FIELD(subtract)(&x, &x, &p->x);
    FIELD(subtract)(&x, &x, &q->x);
    FIELD(subtract)(&y, &p->x, &x);
    FIELD(multiply)(&y, &y, slope);
    FIELD(subtract)(&out->y, &y, &p->y);
    out->x = x;
}

/* out = p + q, given the inverse of their slope's denominator; `out` may be p or q. */
static inline void GROUP(add_unlike)(
    GROUP(affine) *out, const GROUP(affine) *p, const GROUP(affine) *q, const FIELD(t) *inverse
) {
    FIELD(t) slope;
    FIELD(subtract)(&slope, &q->y, &p->y);
    FIELD(multiply)(&slope, &slope, inverse);
    GROUP(add_by_slope)(out, p, q, &slope);
}

/* The same where x is equal or a point is infinity: `inverse` is 1/2y. */
static CALLED void GROUP(add_like)(
    GROUP(affine) *out, const GROUP(affine) *p, const GROUP(affine) *q, const FIELD(t) *inverse
) {
    FIELD(t) slope, square;
    if (GROUP(is_infinity)(p)) {
        *out = *q;
    } else if (GROUP(is_infinity)(q)) {
        *out = *p;
    } else if (FIELD(equal)(&p->y, &q->y)) {
        FIELD(square)(&square, &p->x);
        FIELD(double)(&slope, &square);
        FIELD(add)(&slope, &slope, &square);
        FIELD(multiply)(&slope, &slope, inverse);
        GROUP(add_by_slope)(out, p, q, &slope);
    } else {
        *out = (GROUP(affine)){0};
    }
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
    for (u32 i = 0; i < w->n_buckets; from += w->counts[i++]) {
        for (u32 j = 0; j + 1 < w->counts[i]; j += 2, n_pairs++) {
            FIELD(t) *denominator = &w->inverses[n_pairs];
            w->unlike[n_pairs] = GROUP(slope_denominator)(denominator, &from[j], &from[j + 1]);
        }
    }
    if (!n_pairs) return 0;
    GROUP(invert_all)(w->inverses, w->products, n_pairs);
    GROUP(affine) *to = w->sorted;
    from = w->sorted;
    for (u32 i = 0; i < w->n_buckets; i++) {
        const u32 count = w->counts[i];
        for (u32 j = 0; j + 1 < count; j += 2, pair++, to++) {
            const FIELD(t) *inverse = &w->inverses[pair];
            if (w->unlike[pair]) {
                GROUP(add_unlike)(to, &from[j], &from[j + 1], inverse);
            } else {
                GROUP(add_like)(to, &from[j], &from[j + 1], inverse);
            }
        }
        if (count % 2) *to++ = from[count - 1];
        from += count;
        w->counts[i] = (count + 1) / 2;
    }
    return n_pairs;
}

/* Sort the points and add up each bucket's, which `sorted` then holds without gaps. */
static void GROUP(fill_buckets)(GROUP(bench) *w, const GROUP(affine) *points) {
    GROUP(sort)(w, points);
    while (GROUP(halve_buckets)(w));
}

/* out = the sum of i times the i-th of n buckets, from 1; these end at `end`. Returns their start.
 * It is the sum of all partial sums from the last bucket on.
 */
static const GROUP(affine) *GROUP(weigh_buckets)(
    GROUP(sum) *out, const u32 *counts, const GROUP(affine) *end, u32 n
) {
    GROUP(sum) partial = {0};
    *out = partial;
    for (u32 i = n; i-- > 0;) {
        if (counts[i]) GROUP(add_affine)(&partial, --end, 0);
        GROUP(add)(out, &partial);
    }
    return end;
}

/* The bucket sums of all windows, one after the other, and how to weigh them all at once: a bucket
 * counts (high << low_bits) + low times, so it goes into a coarse bucket for its high part, and
 * into one for its low part. That takes two affine additions a bucket; partial sums take two
 * projective ones.
 */
typedef struct {
    u32 n, low_bits, n_coarse; /* n_coarse: coarse buckets of one window */
    GROUP(affine) *sums;
    u32 *buckets; /* window << 16 | weight */
} GROUP(windows);

/* Add what a window's buckets hold. */
static void GROUP(keep_buckets)(GROUP(windows) *all, const GROUP(bench) *w, u32 window) {
    for (u32 i = 0, j = 0; i < w->n_buckets; i++) {
        if (!w->counts[i]) continue;
        all->sums[all->n] = w->sorted[j++];
        all->buckets[all->n++] = window << 16 | (i + 1);
    }
}

/* out[i] = the sum of the i-th window's buckets, weighed by the high or the low part. */
static void GROUP(weigh_part)(
    GROUP(sum) *out, const GROUP(windows) *all, GROUP(bench) *w, u32 n_windows, int high
) {
    for (u32 i = 0; i < all->n; i++) {
        const u32 window = all->buckets[i] >> 16, weight = all->buckets[i] & 0xffff;
        const u32 part = high ? weight >> all->low_bits : weight & ((1u << all->low_bits) - 1);
        w->digits[i] = (i16)(part ? window * all->n_coarse + part : 0);
    }
    w->n = all->n;
    GROUP(fill_buckets)(w, all->sums);
    const GROUP(affine) *end = w->sorted;
    for (u32 i = 0; i < w->n_buckets; i++) end += w->counts[i];
    for (u32 i = n_windows; i-- > 0;)
        end = GROUP(weigh_buckets)(&out[i], &w->counts[i * all->n_coarse], end, all->n_coarse);
}

/* out = the sum of scalars[i] points[i]. Returns 0 where memory is out. Its time depends on the
 * scalars.
 */
static int GROUP(multi_scale)(
    GROUP(sum) *out, const GROUP(affine) *points, const u256 *scalars, u32 n
) {
    const u32 bits = digit_bits(n), n_windows = digit_count(bits), n_buckets = 1u << (bits - 1);
    const u32 mark = take(0), low_bits = (bits - 1) / 2, n_sums = n_windows * n_buckets;
    GROUP(windows) all = {0, low_bits, n_buckets >> low_bits, 0, 0};
    GROUP(bench) bench, coarse;
    recoded *digits = (recoded *)take(n * sizeof *digits);
    GROUP(sum) *high = (GROUP(sum) *)take(2 * n_windows * sizeof *high), *low = high + n_windows;
    all.sums = (GROUP(affine) *)take(n_sums * sizeof *all.sums);
    all.buckets = (u32 *)take(n_sums * sizeof *all.buckets);
    if (!digits || !high || !all.sums || !all.buckets) return 0;
    if (!GROUP(bench_make)(&bench, n, n_buckets)) return 0;
    if (!GROUP(bench_make)(&coarse, n_sums, n_windows * all.n_coarse)) return 0;

    recode(digits, scalars, n, bits);
    for (u32 window = 0; window < n_windows; window++) {
        for (u32 i = 0; i < n; i++) bench.digits[i] = digit_of(&digits[i], window, bits);
        GROUP(fill_buckets)(&bench, points);
        GROUP(keep_buckets)(&all, &bench, window);
    }
    GROUP(weigh_part)(high, &all, &coarse, n_windows, 1);
    GROUP(weigh_part)(low, &all, &coarse, n_windows, 0);
    *out = (GROUP(sum)){0};
    for (u32 window = n_windows; window-- > 0;) {
        for (u32 i = low_bits; i < bits; i++) GROUP(double)(out);
        GROUP(add)(out, &high[window]);
        for (u32 i = 0; i < low_bits; i++) GROUP(double)(out);
        GROUP(add)(out, &low[window]);
    }
    drop(mark);
    return 1;
}
