#include "common/parts.h"

#define MIB (UINT64_C(1) << 20)

static uint64_t product(uint64_t a, uint64_t b)
{
    return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t within(uint64_t v, uint64_t least, uint64_t most)
{
    return v < least ? least : v > most ? most : v;
}

static void largest(struct sc_plan *p)
{
    p->largest = sum(sum(product(p->first, p->until_first),
                         product(p->middle, p->until_middle - p->until_first)),
                     product(p->last, p->max_parts - p->until_middle));
}

int sc_plan_make(const struct sc_limits *l, uint64_t size_hint, struct sc_plan *ret)
{
    struct sc_plan p = {.max_parts = l->max_parts};
    p.memory = product(l->part_size, (uint64_t)l->concurrency + 1);
    p.first = p.middle = p.last = l->part_size;
    p.until_first = p.until_middle = l->max_parts;
    if (!l->constant) {
        p.until_first = (l->max_parts + 1) / 2;
        p.until_middle = p.until_first + (l->max_parts - p.until_first) / 2;
        p.middle = within(p.memory / 3, l->part_size, l->part_most);
        p.last = within(p.memory / 2, l->part_size, l->part_most);
    }
    largest(&p);
    if (size_hint != UINT64_MAX && size_hint > p.largest) {
        /* The length is known: parts that are just large enough, whole MiB of them. */
        uint64_t need = (size_hint - 1) / l->max_parts + 1;
        uint64_t all = (need + MIB - 1) / MIB * MIB;
        uint64_t most = within(p.memory / 2, l->part_size, l->part_most);
        p.first = p.middle = p.last = all < most ? all : most;
        p.until_first = p.until_middle = l->max_parts;
        largest(&p);
    }
    *ret = p;
    return size_hint != UINT64_MAX && size_hint > p.largest ? -1 : 0;
}

uint64_t sc_plan_size(const struct sc_plan *p, unsigned number)
{
    if (number == 0 || number > p->max_parts)
        return 0;
    return number <= p->until_first ? p->first : number <= p->until_middle ? p->middle : p->last;
}
