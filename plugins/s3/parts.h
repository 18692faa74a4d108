/* How an object of unknown length is cut into parts (pure).
 *
 *     struct s3_plan p;
 *     s3_plan_make(&limits, size_hint, &p)     0, or -1: larger than any plan (p.largest says how
 * large) size = s3_plan_size(&p, number)          of part number 1, 2, ...; 0: no part of that
 * number p.memory                                 bytes of buffers that may be alive at once
 *     p.largest                                the largest object
 *
 * MEMORY is part_size x (concurrency + 1): so many parts are on their way while one more fills. It
 * is never passed. Parts keep the size that was set for the first half of the numbers that a store
 * allows; then they grow, at lower concurrency, within the same memory: a third of it until three
 * quarters of the numbers, half of it until the last. With constant parts (R2 takes no others) all
 * are alike. When the length is known and no plan from part_size on reaches it, all parts are as
 * large as it takes, at most half of the memory. */
#ifndef S3_PARTS_H
#define S3_PARTS_H

#include <stdint.h>

#define S3_PART_LEAST (UINT64_C(5) << 20) /* but for the last one */
#define S3_PART_MOST (UINT64_C(5) << 30)
#define S3_SINGLE_MOST (UINT64_C(5) << 30) /* of one PUT */
#define S3_PARTS_MOST 10000u

struct s3_limits {
    uint64_t part_size;
    unsigned concurrency, max_parts;
    int constant;
};

struct s3_plan {
    uint64_t first, middle, last; /* sizes of the three stretches */
    unsigned until_first, until_middle, max_parts;
    uint64_t memory, largest;
};

/* size_hint: UINT64_MAX when it is not known. */
int s3_plan_make(const struct s3_limits *l, uint64_t size_hint, struct s3_plan *ret);
uint64_t s3_plan_size(const struct s3_plan *p, unsigned number);

#endif
