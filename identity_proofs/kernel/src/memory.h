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

/* The compiler calls these for structures, which consist of 64-bit words. */
__attribute__((no_builtin)) void *memcpy(void *to, const void *from, unsigned long size) {
    for (u32 i = 0; i < size / 8; i++) ((u64 *)to)[i] = ((const u64 *)from)[i];
    return to;
}

__attribute__((no_builtin)) void *memset(void *to, int value, unsigned long size) {
    for (u32 i = 0; i < size / 8; i++) ((u64 *)to)[i] = (u8)value * 0x0101010101010101u;
    return to;
}
