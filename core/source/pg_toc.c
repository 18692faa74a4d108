#include "config.h"
#include "core/source/pg_toc.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_SIZE 11 /* PGDMP, three version bytes, size of int, size of offset, format */
#define INT_SIZE 5    /* a sign and four bytes; no pg_dump ever wrote another size */
#define OFFSET_SIZE 9 /* a flag and eight bytes, likewise */
#define ENTRIES_MAX 1000000u
#define NONE SIZE_MAX

enum format {
    FORMAT_CUSTOM = 1,
};

enum offset_flag {
    OFFSET_NOT_SET = 1,
    OFFSET_SET = 2,
    OFFSET_NO_DATA = 3,
};

enum block {
    BLOCK_DATA = 1,
    BLOCK_BLOBS = 3,
};

enum kind {
    KIND_BYTE,
    KIND_INT,
    KIND_STRING,
    KIND_STRINGS, /* until one that is NULL */
    KIND_OFFSET,
    KIND_END,
};

enum meaning {
    SKIP,
    COUNT,
    DUMP_ID,
    OFFSET,
};

struct field {
    enum kind kind;
    int since, until; /* minor versions that have it; 0: all */
    enum meaning meaning;
};

/* What follows the magic, in the order of pg_backup_archiver's ReadHead and ReadToc. */
static const struct field fields[] = {
    {KIND_INT, 0, 14, SKIP},   /* compression level */
    {KIND_BYTE, 15, 0, SKIP},  /* compression algorithm */
    {KIND_INT, 0, 0, SKIP},    /* time of the dump: second */
    {KIND_INT, 0, 0, SKIP},    /* minute */
    {KIND_INT, 0, 0, SKIP},    /* hour */
    {KIND_INT, 0, 0, SKIP},    /* day */
    {KIND_INT, 0, 0, SKIP},    /* month */
    {KIND_INT, 0, 0, SKIP},    /* year */
    {KIND_INT, 0, 0, SKIP},    /* daylight saving */
    {KIND_STRING, 0, 0, SKIP}, /* database */
    {KIND_STRING, 0, 0, SKIP}, /* server version */
    {KIND_STRING, 0, 0, SKIP}, /* pg_dump version */
    {KIND_INT, 0, 0, COUNT},
#define ENTRY_FIRST 13
    {KIND_INT, 0, 0, DUMP_ID},   {KIND_INT, 0, 0, SKIP}, /* has data */
    {KIND_STRING, 0, 0, SKIP},                           /* catalogue's oid */
    {KIND_STRING, 0, 0, SKIP},                           /* oid */
    {KIND_STRING, 0, 0, SKIP},                           /* tag */
    {KIND_STRING, 0, 0, SKIP},                           /* description */
    {KIND_INT, 0, 0, SKIP},                              /* section */
    {KIND_STRING, 0, 0, SKIP},                           /* definition */
    {KIND_STRING, 0, 0, SKIP},                           /* DROP statement */
    {KIND_STRING, 0, 0, SKIP},                           /* COPY statement */
    {KIND_STRING, 0, 0, SKIP},                           /* schema */
    {KIND_STRING, 0, 0, SKIP},                           /* tablespace */
    {KIND_STRING, 14, 0, SKIP},                          /* access method */
    {KIND_INT, 16, 0, SKIP},                             /* kind of relation */
    {KIND_STRING, 0, 0, SKIP},                           /* owner */
    {KIND_STRING, 0, 0, SKIP},                           /* with oids */
    {KIND_STRINGS, 0, 0, SKIP},                          /* dependencies */
    {KIND_OFFSET, 0, 0, OFFSET}, {KIND_END, 0, 0, SKIP},
};

/* What the machine waits for. */
enum phase {
    PHASE_MAGIC,
    PHASE_FIELD,
    PHASE_BLOCK, /* a block's type: the only place where an archive may end */
    PHASE_BLOCK_ID,
    PHASE_CHUNK, /* length of a piece of data; 0 ends the run */
    PHASE_OID,   /* of the next large object; 0 ends the block */
    PHASE_LOST,  /* not understood: the rest is not looked at */
};

struct entry {
    int id;
    unsigned char found, taken;
    uint64_t toc_at;
    uint64_t data_at, data_end; /* end: 0 until it has passed */
};

struct sr_pg_toc {
    enum phase phase;
    size_t field;
    int minor;
    int left; /* entries still to come */
    int id;   /* of the entry or block being read */
    int in_blobs;

    unsigned char acc[16]; /* the number being read */
    size_t have, want;
    uint64_t skip; /* bytes of a string or of data to step over */
    uint64_t pos;  /* of the next byte to be looked at */

    uint64_t toc_size;
    uint64_t block_at;
    struct entry *passing; /* whose block is passing; NULL: none, or nobody's */
    struct entry *entries; /* those whose offset is not set; sorted by id once all are there */
    size_t len, cap;
    char problem[96];
};

int sr_pg_toc_new(struct sr_pg_toc **ret, struct sr_error *err)
{
    struct sr_pg_toc *t = calloc(1, sizeof *t);
    if (!t)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    t->phase = PHASE_MAGIC;
    t->want = MAGIC_SIZE;
    *ret = t;
    return SR_OK;
}

void sr_pg_toc_free(struct sr_pg_toc *t)
{
    if (!t)
        return;
    free(t->entries);
    free(t);
}

__attribute__((format(printf, 2, 3))) static void lose(struct sr_pg_toc *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(t->problem, sizeof t->problem, fmt, ap);
    va_end(ap);
    t->phase = PHASE_LOST;
    free(t->entries);
    t->entries = t->passing = NULL;
    t->len = t->cap = 0;
}

static void await(struct sr_pg_toc *t, enum phase phase)
{
    t->phase = phase;
    t->want = phase == PHASE_BLOCK ? 1 : INT_SIZE;
}

/* A number that fits an int, as pg_restore reads it; 0 when it does not. */
static int number(struct sr_pg_toc *t, int *ret)
{
    uint32_t v = (uint32_t)t->acc[1] | (uint32_t)t->acc[2] << 8 | (uint32_t)t->acc[3] << 16 |
                 (uint32_t)t->acc[4] << 24;
    if (v > INT_MAX) {
        lose(t, "a number is out of range");
        return 0;
    }
    *ret = t->acc[0] ? -(int)v : (int)v;
    return 1;
}

static int entry_compare(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static struct entry *entry_find(const struct sr_pg_toc *t, int id)
{
    struct entry key = {.id = id};
    return t->len ? bsearch(&key, t->entries, t->len, sizeof key, entry_compare) : NULL;
}

static void toc_complete(struct sr_pg_toc *t)
{
    t->toc_size = t->pos;
    if (t->len)
        qsort(t->entries, t->len, sizeof *t->entries, entry_compare);
    for (size_t i = 1; i < t->len; i++)
        if (t->entries[i].id == t->entries[i - 1].id) {
            lose(t, "two entries have the number %d", t->entries[i].id);
            return;
        }
    await(t, PHASE_BLOCK);
}

/* Goes on to the next field that this version has. */
static void field_next(struct sr_pg_toc *t)
{
    for (;;) {
        t->field++;
        if (fields[t->field].kind == KIND_END) {
            t->left--;
            t->field = ENTRY_FIRST - 1;
            if (t->left == 0) {
                toc_complete(t);
                return;
            }
            continue;
        }
        const struct field *f = &fields[t->field];
        if ((f->since && t->minor < f->since) || (f->until && t->minor > f->until))
            continue;
        t->phase = PHASE_FIELD;
        t->want = f->kind == KIND_BYTE ? 1 : f->kind == KIND_OFFSET ? OFFSET_SIZE : INT_SIZE;
        return;
    }
}

static void take_magic(struct sr_pg_toc *t)
{
    const unsigned char *b = t->acc;
    if (memcmp(b, "PGDMP", 5) != 0)
        lose(t, "not a pg_dump archive");
    else if (b[5] != 1 || b[6] < 12 || b[6] > 16)
        lose(t, "archive version %d.%d is not known", b[5], b[6]);
    else if (b[8] != INT_SIZE - 1 || b[9] != OFFSET_SIZE - 1)
        lose(t, "integers of %d and offsets of %d bytes are not known", b[8], b[9]);
    else if (b[10] != FORMAT_CUSTOM)
        lose(t, "archive format %d is not the custom format", b[10]);
    if (t->phase == PHASE_LOST)
        return;
    t->minor = b[6];
    t->field = NONE;
    field_next(t);
}

static void take_offset(struct sr_pg_toc *t)
{
    if (t->acc[0] != OFFSET_NOT_SET)
        return;
    if (t->len == ENTRIES_MAX) {
        lose(t, "more than %u entries", ENTRIES_MAX);
        return;
    }
    if (t->len == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        struct entry *e = realloc(t->entries, cap * sizeof *e);
        if (!e) {
            lose(t, "out of memory");
            return;
        }
        t->entries = e;
        t->cap = cap;
    }
    t->entries[t->len++] = (struct entry){.id = t->id, .toc_at = t->pos - t->want};
}

static void take_field(struct sr_pg_toc *t)
{
    const struct field *f = &fields[t->field];
    int n = 0;
    if (f->kind != KIND_BYTE && f->kind != KIND_OFFSET && !number(t, &n))
        return;
    if ((f->kind == KIND_STRING || f->kind == KIND_STRINGS) && n > 0)
        t->skip = (uint64_t)n;
    if (f->kind == KIND_STRINGS && n >= 0)
        return; /* another one follows */
    switch (f->meaning) {
    case COUNT:
        if (n <= 0) {
            lose(t, "the table of contents has %d entries", n);
            return;
        }
        t->left = n;
        break;
    case DUMP_ID:
        if (n <= 0) {
            lose(t, "an entry has the number %d", n);
            return;
        }
        t->id = n;
        break;
    case OFFSET:
        take_offset(t);
        break;
    case SKIP:
        break;
    }
    if (t->phase != PHASE_LOST)
        field_next(t);
}

static void take_block(struct sr_pg_toc *t)
{
    if (t->acc[0] != BLOCK_DATA && t->acc[0] != BLOCK_BLOBS) {
        lose(t, "a block of data has the type %d", t->acc[0]);
        return;
    }
    t->in_blobs = t->acc[0] == BLOCK_BLOBS;
    t->block_at = t->pos - 1;
    await(t, PHASE_BLOCK_ID);
}

static void take_block_id(struct sr_pg_toc *t)
{
    int id;
    if (!number(t, &id))
        return;
    struct entry *e = entry_find(t, id);
    if (e && e->found) {
        lose(t, "the data of entry %d comes twice", id);
        return;
    }
    if (e) {
        e->found = 1;
        e->data_at = t->block_at;
    }
    t->passing = e;
    await(t, t->in_blobs ? PHASE_OID : PHASE_CHUNK);
}

static void block_complete(struct sr_pg_toc *t)
{
    if (t->passing)
        t->passing->data_end = t->pos;
    t->passing = NULL;
    await(t, PHASE_BLOCK);
}

static void take_chunk(struct sr_pg_toc *t)
{
    int n;
    if (!number(t, &n))
        return;
    if (n < 0)
        lose(t, "a piece of data has a negative length");
    else if (n > 0)
        t->skip = (uint64_t)n;
    else if (t->in_blobs)
        await(t, PHASE_OID);
    else
        block_complete(t);
}

static void take_oid(struct sr_pg_toc *t)
{
    /* Oids use all 32 bits, so that the range of an int does not apply. */
    int zero = !(t->acc[1] | t->acc[2] | t->acc[3] | t->acc[4]);
    if (zero)
        block_complete(t);
    else
        await(t, PHASE_CHUNK);
}

static void take(struct sr_pg_toc *t)
{
    switch (t->phase) {
    case PHASE_MAGIC:
        take_magic(t);
        break;
    case PHASE_FIELD:
        take_field(t);
        break;
    case PHASE_BLOCK:
        take_block(t);
        break;
    case PHASE_BLOCK_ID:
        take_block_id(t);
        break;
    case PHASE_CHUNK:
        take_chunk(t);
        break;
    case PHASE_OID:
        take_oid(t);
        break;
    case PHASE_LOST:
        break;
    }
}

void sr_pg_toc_feed(struct sr_pg_toc *t, const void *data, size_t len)
{
    const unsigned char *p = data, *end = p + len;
    while (p < end && t->phase != PHASE_LOST) {
        size_t left = (size_t)(end - p);
        size_t n;
        if (t->skip) {
            n = t->skip < left ? (size_t)t->skip : left;
            t->skip -= n;
        } else {
            n = t->want - t->have < left ? t->want - t->have : left;
            memcpy(t->acc + t->have, p, n);
            t->have += n;
        }
        p += n;
        t->pos += n;
        if (t->have == t->want) {
            t->have = 0;
            take(t);
        }
    }
}

enum sr_pg_toc_state sr_pg_toc_state(const struct sr_pg_toc *t)
{
    if (t->toc_size)
        return SR_TOC_READ;
    return t->phase == PHASE_LOST ? SR_TOC_UNKNOWN : SR_TOC_READING;
}

uint64_t sr_pg_toc_size(const struct sr_pg_toc *t)
{
    return t->toc_size;
}

const char *sr_pg_toc_problem(const struct sr_pg_toc *t)
{
    return t->phase == PHASE_LOST ? t->problem : NULL;
}

static int at_end(const struct sr_pg_toc *t)
{
    return t->phase == PHASE_BLOCK && !t->have && !t->skip;
}

int sr_pg_toc_end(const struct sr_pg_toc *t, struct sr_error *err)
{
    if (t->phase == PHASE_LOST)
        return SR_OK;
    if (!t->toc_size)
        return sr_fail(err, SR_E_CORRUPT,
                       "the archive ends after %llu bytes, within its table of contents",
                       (unsigned long long)t->pos);
    if (!at_end(t))
        return sr_fail(err, SR_E_CORRUPT,
                       "the archive ends after %llu bytes, in the middle of a table's data",
                       (unsigned long long)t->pos);
    size_t missing = 0;
    for (size_t i = 0; i < t->len; i++)
        missing += !t->entries[i].found;
    if (missing)
        return sr_fail(err, SR_E_CORRUPT,
                       "the archive ends after %llu bytes, and the data of %zu of its %zu tables "
                       "never came",
                       (unsigned long long)t->pos, missing, t->len);
    return SR_OK;
}

int sr_pg_toc_patch(const struct sr_pg_toc *t, size_t i, struct sr_pg_toc_patch *ret)
{
    if (!at_end(t) || i >= t->len || !t->entries[i].found)
        return 0;
    const struct entry *e = &t->entries[i];
    *ret = (struct sr_pg_toc_patch){.at = e->toc_at, .len = OFFSET_SIZE};
    ret->bytes[0] = e->taken ? OFFSET_NO_DATA : OFFSET_SET;
    for (size_t b = 0; b < OFFSET_SIZE - 1; b++)
        ret->bytes[1 + b] = (unsigned char)(e->data_at >> (8 * b));
    return 1;
}

int sr_pg_toc_passing(const struct sr_pg_toc *t, int *ret_id, uint64_t *ret_at)
{
    if (!t->passing || t->in_blobs)
        return 0;
    *ret_id = t->passing->id;
    *ret_at = t->passing->data_at;
    return 1;
}

uint64_t sr_pg_toc_block_end(const struct sr_pg_toc *t, int id)
{
    const struct entry *e = entry_find(t, id);
    return e ? e->data_end : 0;
}

void sr_pg_toc_taken(struct sr_pg_toc *t, int id)
{
    struct entry *e = entry_find(t, id);
    if (e)
        e->taken = 1;
}
