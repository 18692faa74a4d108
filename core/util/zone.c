#include "config.h"
#include "core/util/zone.h"
#include "core/util/date.h"
#include "core/util/fs.h"
#include "core/util/zone_rule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ZONE_FOLDER "/usr/share/zoneinfo"
#define ZONE_FILE_MAX (256u << 10) /* bytes; the largest today has 4 KiB */
#define ZONE_NAME_MAX 64
#define HEADER 44
#define DAY 86400
#define OFFSET_MAX (26 * 3600) /* seconds; RFC 8536: -25 h to 26 h */

/* Times beyond these, of the years 0 to 9999, are taken for them: nothing overflows. */
#define TIME_MIN (-62167219200)
#define TIME_MAX 253402300799

struct sr_zone {
    size_t len;
    int64_t *at;     /* transitions, rising */
    int32_t *offset; /* from then on */
    int32_t first;   /* before all of them */
    int has_rule;
    struct sr_zone_rule rule; /* after all of them */
};

/* --- reading --- */

struct block {
    const unsigned char *times, *indices, *types;
    size_t time_size, times_len, types_len;
};

static uint64_t big_endian(const unsigned char *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static int corrupt(struct sr_error *err)
{
    return sr_fail(err, SR_E_CORRUPT, "it is no file of the time zone database");
}

/* The block that begins at *pos, which is moved past it. */
static int block_read(const unsigned char *data, size_t len, size_t *pos, size_t time_size,
                      struct block *ret, struct sr_error *err)
{
    if (len - *pos < HEADER || memcmp(data + *pos, "TZif", 4) != 0)
        return corrupt(err);
    uint64_t counts[6]; /* UTC flags, standard flags, leap seconds, times, types, letters */
    for (size_t i = 0; i < 6; i++)
        counts[i] = big_endian(data + *pos + 20 + 4 * i, 4);
    uint64_t size = counts[0] + counts[1] + counts[2] * (time_size + 4) +
                    counts[3] * (time_size + 1) + counts[4] * 6 + counts[5];
    const unsigned char *p = data + *pos + HEADER;
    if (size > len - *pos - HEADER || counts[4] == 0)
        return corrupt(err);
    if (counts[2] > 0)
        return sr_fail(err, SR_E_UNSUPPORTED, "the zone counts leap seconds");
    *ret = (struct block){.times = p,
                          .indices = p + counts[3] * time_size,
                          .types = p + counts[3] * (time_size + 1),
                          .time_size = time_size,
                          .times_len = counts[3],
                          .types_len = counts[4]};
    *pos += HEADER + size;
    return SR_OK;
}

static int offset_read(const struct block *b, size_t type, int32_t *ret)
{
    int64_t v = (int32_t)big_endian(b->types + 6 * type, 4);
    *ret = (int32_t)v;
    return v > -OFFSET_MAX && v < OFFSET_MAX;
}

static int transitions_read(struct sr_zone *z, const struct block *b, struct sr_error *err)
{
    z->at = calloc(b->times_len + 1, sizeof *z->at);
    z->offset = calloc(b->times_len + 1, sizeof *z->offset);
    if (!z->at || !z->offset)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (!offset_read(b, 0, &z->first))
        return corrupt(err);
    for (size_t i = 0; i < b->times_len; i++) {
        uint64_t t = big_endian(b->times + i * b->time_size, b->time_size);
        z->at[i] = b->time_size == 4 ? (int32_t)(uint32_t)t : (int64_t)t;
        if (b->indices[i] >= b->types_len || !offset_read(b, b->indices[i], &z->offset[i]) ||
            (i > 0 && z->at[i] <= z->at[i - 1]))
            return corrupt(err);
    }
    z->len = b->times_len;
    return SR_OK;
}

/* A line of its own at the end; empty: no rule. */
static int footer_read(struct sr_zone *z, const char *p, size_t len, struct sr_error *err)
{
    const char *end = len > 1 && *p == '\n' ? memchr(p + 1, '\n', len - 1) : NULL;
    if (!end)
        return corrupt(err);
    p++;
    if (p == end)
        return SR_OK;
    if (sr_zone_rule_parse(p, (size_t)(end - p), &z->rule) != 0)
        return sr_fail(err, SR_E_CORRUPT, "its rule for the future cannot be read");
    z->has_rule = 1;
    return SR_OK;
}

int sr_zone_read(const void *data, size_t len, struct sr_zone **ret, struct sr_error *err)
{
    struct block b = {0};
    size_t pos = 0;
    struct sr_zone *z = calloc(1, sizeof *z);
    int rc = z ? SR_OK : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = block_read(data, len, &pos, 4, &b, err);
    int modern = rc == SR_OK && ((const unsigned char *)data)[4] >= '2';
    if (modern)
        rc = block_read(data, len, &pos, 8, &b, err);
    if (rc == SR_OK)
        rc = transitions_read(z, &b, err);
    if (rc == SR_OK && modern)
        rc = footer_read(z, (const char *)data + pos, len - pos, err);
    if (rc != SR_OK) {
        sr_zone_free(z);
        return rc;
    }
    *ret = z;
    return SR_OK;
}

static int name_is_sane(const char *name)
{
    size_t n = strlen(name);
    return n <= ZONE_NAME_MAX && *name != '/' && *name != '.' && !strstr(name, "/.") &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/.") == n;
}

int sr_zone_load(const char *name, struct sr_zone **ret, struct sr_error *err)
{
    char path[sizeof ZONE_FOLDER + ZONE_NAME_MAX + 2];
    struct sr_error e = SR_ERROR_INIT;
    struct sr_buf b;
    if (!*name || strcasecmp(name, "UTC") == 0) {
        *ret = NULL;
        return SR_OK;
    }
    if (!name_is_sane(name))
        return sr_fail(err, SR_E_CONFIG, "'%.64s' is no name of a time zone, as in Europe/Berlin",
                       name);
    (void)snprintf(path, sizeof path, ZONE_FOLDER "/%s", name);
    sr_buf_init(&b, ZONE_FILE_MAX);
    int rc = sr_fs_read_file(path, &b, &e);
    if (rc == SR_OK && (rc = sr_zone_read(b.data, b.len, ret, &e)) != SR_OK)
        (void)sr_error_wrap(&e, "%s", path);
    sr_buf_done(&b);
    if (rc == SR_OK || rc == SR_E_NO_MEMORY)
        return rc == SR_OK ? SR_OK : sr_error_copy(err, &e);
    return sr_fail(err, SR_E_CONFIG,
                   "there is no time zone '%s' here (%s); names are as in Europe/Berlin, and the "
                   "package tzdata has them",
                   name, e.text);
}

void sr_zone_free(struct sr_zone *z)
{
    if (!z)
        return;
    free(z->at);
    free(z->offset);
    free(z);
}

/* --- asking --- */

int32_t sr_zone_offset(const struct sr_zone *z, int64_t t)
{
    if (!z)
        return 0;
    t = t < TIME_MIN ? TIME_MIN : t > TIME_MAX ? TIME_MAX : t;
    if (z->has_rule && (z->len == 0 || t >= z->at[z->len - 1]))
        return sr_zone_rule_offset(&z->rule, t);
    size_t lo = 0, hi = z->len; /* the number of transitions that t has passed */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (z->at[mid] <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo == 0 ? z->first : z->offset[lo - 1];
}

int64_t sr_zone_day(const struct sr_zone *z, int64_t t)
{
    t = t < TIME_MIN ? TIME_MIN : t > TIME_MAX ? TIME_MAX : t;
    return sr_floor_div(t + sr_zone_offset(z, t), DAY);
}

int64_t sr_zone_day_start(const struct sr_zone *z, int64_t day)
{
    int64_t local = day * DAY;
    /* Midnight by the clock of the day before, and by that of the day after: where they differ, the
     * earlier moment may still be the day before. */
    int64_t a = local - sr_zone_offset(z, local - DAY), b = local - sr_zone_offset(z, local + DAY);
    int64_t early = a < b ? a : b, late = a < b ? b : a;
    return sr_zone_day(z, early) >= day && sr_zone_day(z, early - 1) < day ? early : late;
}
