/* Poseidon of two inputs (width 3) over Fr: Grassi et al., USENIX Security 2021. The partial rounds
 * run as a recurrence, explained with its constants in identity_proofs/kernel/poseidon_recurrence.py.
 */
#pragma once
#include "fields.h"

enum { WIDTH = 3, HALF_FULL_ROUNDS = 4, PARTIAL_ROUNDS = 57, TERMS_OF_Z = 4 };

static struct {
    fr_t mix[WIDTH][WIDTH];
    fr_t first[HALF_FULL_ROUNDS][WIDTH];
    fr_t enter[WIDTH][WIDTH]; /* mixes, then takes the lanes to x, z and the z before */
    struct {
        fr_t constant, row[TERMS_OF_Z];
    } partial[PARTIAL_ROUNDS];
    fr_t leave[WIDTH][WIDTH]; /* takes y, z and the z before to the lanes */
    fr_t last[HALF_FULL_ROUNDS][WIDTH];
} poseidon;

static void poseidon_set_parameters(const fr_t *plain) {
    fr_t *parameters = (fr_t *)&poseidon;
    for (u32 i = 0; i < sizeof poseidon / sizeof *plain; i++)
        fr_from_plain(&parameters[i], &plain[i]);
}

static void fifth_power(fr_t *out, const fr_t *x, const fr_t *constant) {
    fr_t sum, power;
    fr_add(&sum, x, constant);
    fr_square(&power, &sum);
    fr_square(&power, &power);
    fr_multiply(out, &sum, &power);
}

static CALLED void mix_lane(fr_t *out, const fr_t state[WIDTH], const fr_t row[WIDTH]) {
    fr_dot(out, state, row, WIDTH);
}

static void mix(fr_t state[WIDTH], const fr_t matrix[WIDTH][WIDTH]) {
    fr_t mixed[WIDTH];
    for (u32 i = 0; i < WIDTH; i++) mix_lane(&mixed[i], state, matrix[i]);
    for (u32 i = 0; i < WIDTH; i++) state[i] = mixed[i];
}

static void full_round(
    fr_t state[WIDTH], const fr_t constants[WIDTH], const fr_t matrix[WIDTH][WIDTH]
) {
    for (u32 i = 0; i < WIDTH; i++) fifth_power(&state[i], &state[i], &constants[i]);
    mix(state, matrix);
}

static CALLED void next_z(fr_t *out, const fr_t terms[TERMS_OF_Z], const fr_t row[TERMS_OF_Z]) {
    fr_dot(out, terms, row, TERMS_OF_Z);
}

static void partial_rounds(fr_t state[WIDTH]) {
    fr_t x = state[0], y, y_before = {{0, 0, 0, 0}}, z = state[1], z_before = state[2];
    for (u32 round = 0; round < PARTIAL_ROUNDS; round++) {
        fifth_power(&y, &x, &poseidon.partial[round].constant);
        fr_add(&x, &y, &z);
        const fr_t terms[TERMS_OF_Z] = {y, y_before, z, z_before};
        y_before = y;
        z_before = z;
        next_z(&z, terms, poseidon.partial[round].row);
    }
    state[0] = y;
    state[1] = z;
    state[2] = z_before;
}

/* Hash two plain integers below r to one. */
static void poseidon_hash(fr_t *out, const fr_t pair[2]) {
    fr_t state[WIDTH] = {{{0, 0, 0, 0}}};
    fr_from_plain(&state[1], &pair[0]);
    fr_from_plain(&state[2], &pair[1]);
    for (u32 i = 0; i < HALF_FULL_ROUNDS; i++)
        full_round(state, poseidon.first[i], i + 1 < HALF_FULL_ROUNDS ? poseidon.mix : poseidon.enter);
    partial_rounds(state);
    mix(state, poseidon.leave);
    for (u32 i = 0; i < HALF_FULL_ROUNDS; i++) full_round(state, poseidon.last[i], poseidon.mix);
    fr_to_plain(out, &state[0]);
}
