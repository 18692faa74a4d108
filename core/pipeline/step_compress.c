#include "config.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/gzip_blocks.h"
#include "core/pipeline/step_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_ISAL
#include <isa-l.h>
#endif

/* Levels of ISA-L come first in gzip's range: at its level 1 it is as small as `gzip -6` on a dump
 * and ten times faster. zlib takes over where smaller is worth several times the time. */
#ifdef HAVE_ISAL
#define ISAL_LEVELS 3
#else
#define ISAL_LEVELS 0
#endif
#define ZSTD_LEVEL_MAX 19 /* above, the window alone is past the memory we promise */
#define THREADS_MAX 64
#define THREADS_DEFAULT_MAX 4

struct compress {
    struct sr_step step;
    enum sr_compression kind;
    int level;
    unsigned threads;
};

int sr_compress_check(const struct sr_compress_options *o, struct sr_error *err)
{
    int most = 0;
    const char *name = "none";
    switch (o->kind) {
    case SR_COMPRESS_NONE:
        break;
    case SR_COMPRESS_GZIP:
        most = 9;
        name = "gzip";
        break;
    case SR_COMPRESS_ZSTD:
        most = ZSTD_LEVEL_MAX;
        name = "zstd";
        break;
    default:
        return sr_fail(err, SR_E_CONFIG, "unknown compression %d", (int)o->kind);
    }
    if (most > 0 && (o->level < 0 || o->level > most))
        return sr_fail(err, SR_E_CONFIG,
                       "compression level %d is outside what %s offers: 1 to %d, 0 for the default",
                       o->level, name, most);
    if (o->threads > THREADS_MAX)
        return sr_fail(err, SR_E_CONFIG,
                       "%u compression threads are too many: 1 to %d, 0 for the default",
                       o->threads, THREADS_MAX);
    return SR_OK;
}

/* Fast levels keep up with any dump on one thread; slow ones get what the machine has. */
static unsigned default_threads(int fast)
{
    long cores = fast ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
    if (cores < 1)
        return 1;
    return cores > THREADS_DEFAULT_MAX ? THREADS_DEFAULT_MAX : (unsigned)cores;
}

static int run_gzip(const struct compress *c, struct sr_flow *f, struct sr_error *err)
{
    int isal = c->level <= ISAL_LEVELS;
    if (c->threads > 1)
        return sr_gzip_blocks_run(c->level, isal, c->threads, f, err);
    struct sr_codec *codec;
#ifdef HAVE_ISAL
    codec = isal ? sr_codec_gzip_isal_new(c->level) : sr_codec_gzip_zlib_new(c->level);
#else
    codec = sr_codec_gzip_zlib_new(c->level);
#endif
    if (!codec)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for gzip level %d", c->level);
    int rc = sr_codec_run(codec, f, err);
    sr_codec_free(codec);
    return rc;
}

static int run_zstd(const struct compress *c, struct sr_flow *f, struct sr_error *err)
{
    struct sr_codec *codec = sr_codec_zstd_new(c->level, c->threads);
    if (!codec)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for zstd level %d", c->level);
    int rc = sr_codec_run(codec, f, err);
    sr_codec_free(codec);
    return rc;
}

static int compress_run(struct sr_step *s, struct sr_flow *f, struct sr_error *err)
{
    const struct compress *c = (const struct compress *)s;
    switch (c->kind) {
    case SR_COMPRESS_GZIP:
        return run_gzip(c, f, err);
    case SR_COMPRESS_ZSTD:
        return run_zstd(c, f, err);
    default:
        return sr_flow_pass(f, err);
    }
}

static int compress_start(struct sr_step *s, struct sr_error *err)
{
    const struct compress *c = (const struct compress *)s;
    struct sr_compress_options o = {.kind = c->kind, .level = c->level, .threads = c->threads};
    return sr_compress_check(&o, err);
}

static void compress_free(struct sr_step *s)
{
    free(s);
}

static const struct sr_step_ops compress_ops = {
    .name = "compress", .start = compress_start, .run = compress_run, .free = compress_free};

struct sr_step *sr_step_compress_new(const struct sr_compress_options *o)
{
    struct compress *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->step.ops = &compress_ops;
    c->step.phase = SR_PHASE_COMPRESS;
    c->kind = o->kind;
    c->level = o->level != 0 ? o->level : 1;
    int fast = o->kind == SR_COMPRESS_ZSTD ? c->level <= 2 : c->level <= ISAL_LEVELS;
    c->threads = o->threads != 0 ? o->threads : default_threads(fast);
    return &c->step;
}

const char *sr_compress_backend(enum sr_compression kind)
{
    switch (kind) {
    case SR_COMPRESS_GZIP:
#ifdef HAVE_ISAL
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
        return "ISA-L " TEXT(ISAL_MAJOR_VERSION) "." TEXT(ISAL_MINOR_VERSION);
#else
        return "zlib " ZLIB_VERSION;
#endif
    case SR_COMPRESS_ZSTD:
        return "zstd " ZSTD_VERSION_STRING;
    default:
        return "none";
    }
}
