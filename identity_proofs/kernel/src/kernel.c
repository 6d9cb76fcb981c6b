/* What the host calls. Addresses are offsets into linear memory; integers there are plain, 32
 * bytes, little-endian, unless said otherwise.
 */
#include "memory.h"
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
