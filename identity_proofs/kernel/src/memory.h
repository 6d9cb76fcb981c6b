/* A stack of blocks in linear memory: take blocks, then drop all since a mark.
 *
 * What is dropped is overwritten, so no witness and no blinding outlives the proof it was for.
 */
#pragma once
#include "word.h"

#define PAGE 65536u

extern u8 __heap_base;
static u32 top;

static void overwrite(u32 start, u32 end) {
    for (volatile u64 *word = (volatile u64 *)start; (u32)word < end; word++) *word = 0;
}

/* Return the address of `size` bytes, aligned to 64, or 0 if memory cannot grow so far. */
static u32 take(u32 size) {
    if (!top) top = ((u32)&__heap_base + 63) & ~63u;
    u32 room = __builtin_wasm_memory_size(0) * PAGE - top;
    if (size > ~0u - PAGE - top) return 0;
    if (size > room && __builtin_wasm_memory_grow(0, (size - room + PAGE - 1) / PAGE) == ~0ul)
        return 0;
    u32 start = top;
    top += (size + 63) & ~63u;
    return start;
}

static void drop(u32 mark) {
    overwrite(mark, top);
    top = mark;
}

/* The compiler calls these for copies and clears of structures. */
__attribute__((no_builtin)) void *memcpy(void *to, const void *from, unsigned long size) {
    for (u8 *t = to, *end = t + size; t < end; t++, from = (const u8 *)from + 1)
        *t = *(const u8 *)from;
    return to;
}

__attribute__((no_builtin)) void *memset(void *to, int value, unsigned long size) {
    for (u8 *t = to, *end = t + size; t < end; t++) *t = (u8)value;
    return to;
}
