/* How an object of unknown length is cut into parts (pure).
 *
 *     struct sc_plan p;
 *     sc_plan_make(&limits, size_hint, &p)  0, or -1: larger than any plan (see p.largest)
 *     size = sc_plan_size(&p, number)       of part number 1, 2, ...; 0: no part of that number
 *     p.memory                              bytes of buffers that may be alive at once
 *     p.largest                             the largest object
 *
 * MEMORY is part_size x (concurrency + 1): so many parts are on their way while one more fills. It
 * is never passed. Parts keep the size that was set for the first half of the numbers that a store
 * allows; then they grow, at lower concurrency, within the same memory: a third of it until three
 * quarters of the numbers, half of it until the last. With constant parts (R2 takes no others) all
 * are alike. When the length is known and no plan from part_size on reaches it, all parts are as
 * large as it takes, at most half of the memory. */
#ifndef SC_PARTS_H
#define SC_PARTS_H

#include <stdint.h>

struct sc_limits {
    uint64_t part_size;
    uint64_t part_most; /* the largest part that the store takes */
    unsigned concurrency, max_parts;
    int constant;
};

struct sc_plan {
    uint64_t first, middle, last; /* sizes of the three stretches */
    unsigned until_first, until_middle, max_parts;
    uint64_t memory, largest;
};

/* size_hint: UINT64_MAX when it is not known. */
int sc_plan_make(const struct sc_limits *l, uint64_t size_hint, struct sc_plan *ret);
uint64_t sc_plan_size(const struct sc_plan *p, unsigned number);

#endif
