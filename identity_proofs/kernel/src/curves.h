/* BN254's groups: G1 is y^2 = x^3 + 3 over Fp, G2 lies on y^2 = x^3 + 3/(9 + i) over Fp2. */
#pragma once
#include "fields.h"
#include "memory.h"
#include "digits.h"

#define GROUP(name) g1_##name
#define FIELD(name) fp_##name
#define CURVE_B \
    {{0x7a17caa950ad28d7u, 0x1f6ac17ae15521b9u, \
       0x334bea4e696bd284u, 0x2a1f6744ce179d8eu}}
#include "group.h"
#include "multi_scale.h"
#undef GROUP
#undef FIELD
#undef CURVE_B

#define GROUP(name) g2_##name
#define FIELD(name) fp2_##name
#define CURVE_B \
    {{{{0x3bf938e377b802a8u, 0x020b1b273633535du, \
       0x26b7edf049755260u, 0x2514c6324384a86du}}, \
      {{0x38e7ecccd1dcff67u, 0x65f0b37d93ce0d3eu, \
       0xd749d0dd22ac00aau, 0x0141b9ce4a688d4du}}}}
#include "group.h"
#include "multi_scale.h"
#undef GROUP
#undef FIELD
#undef CURVE_B
