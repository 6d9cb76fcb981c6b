/* Poseidon of two inputs (width 3) over Fr, in the form of Grassi et al. 2021, appendix B: the
 * partial rounds run in a basis where only the first lane mixes with the others.
 *
 * The parameters come from identity_proofs/poseidon_parameters.py.
 */
#pragma once
#include "fields.h"

enum { WIDTH = 3, HALF_FULL_ROUNDS = 4, PARTIAL_ROUNDS = 57 };

static struct {
    fr_t mix[WIDTH][WIDTH];
    fr_t first[HALF_FULL_ROUNDS][WIDTH];
    struct {
        fr_t constant, row[WIDTH], column[WIDTH - 1];
    } partial[PARTIAL_ROUNDS];
    fr_t leave_basis[WIDTH - 1][WIDTH - 1];
    fr_t last[HALF_FULL_ROUNDS][WIDTH];
} poseidon;

static void poseidon_set_parameters(const fr_t *plain) {
    fr_t *parameters = (fr_t *)&poseidon;
    for (u32 i = 0; i < sizeof poseidon / sizeof *plain; i++)
        fr_from_plain(&parameters[i], &plain[i]);
}

static void fifth_power(fr_t *x, const fr_t *constant) {
    fr_t square;
    fr_add(x, x, constant);
    fr_square(&square, x);
    fr_square(&square, &square);
    fr_multiply(x, x, &square);
}

static void add_product(fr_t *sum, const fr_t *a, const fr_t *b) {
    fr_t product;
    fr_multiply(&product, a, b);
    fr_add(sum, sum, &product);
}

static CALLED void mix_lanes(fr_t *out, const fr_t row[WIDTH], const fr_t state[WIDTH]) {
    fr_dot(out, row, state, WIDTH);
}

static void full_rounds(fr_t state[WIDTH], const fr_t constants[HALF_FULL_ROUNDS][WIDTH]) {
    for (u32 round = 0; round < HALF_FULL_ROUNDS; round++) {
        fr_t mixed[WIDTH];
        for (u32 i = 0; i < WIDTH; i++) fifth_power(&state[i], &constants[round][i]);
        for (u32 i = 0; i < WIDTH; i++) mix_lanes(&mixed[i], poseidon.mix[i], state);
        for (u32 i = 0; i < WIDTH; i++) state[i] = mixed[i];
    }
}

static void partial_rounds(fr_t state[WIDTH]) {
    for (u32 round = 0; round < PARTIAL_ROUNDS; round++) {
        fr_t mixed;
        fifth_power(&state[0], &poseidon.partial[round].constant);
        mix_lanes(&mixed, poseidon.partial[round].row, state);
        for (u32 i = 1; i < WIDTH; i++)
            add_product(&state[i], &poseidon.partial[round].column[i - 1], &state[0]);
        state[0] = mixed;
    }
    fr_t left[2] = {state[1], state[2]};
    for (u32 i = 0; i < WIDTH - 1; i++) {
        fr_multiply(&state[i + 1], &poseidon.leave_basis[i][0], &left[0]);
        add_product(&state[i + 1], &poseidon.leave_basis[i][1], &left[1]);
    }
}

/* Hash two plain integers below r to one. */
static void poseidon_hash(fr_t *out, const fr_t pair[2]) {
    fr_t state[WIDTH] = {{{0, 0, 0, 0}}};
    fr_from_plain(&state[1], &pair[0]);
    fr_from_plain(&state[2], &pair[1]);
    full_rounds(state, poseidon.first);
    partial_rounds(state);
    full_rounds(state, poseidon.last);
    fr_to_plain(out, &state[0]);
}
