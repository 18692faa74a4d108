#include "config.h"
#include "core/pipeline/codec.h"

#include <stdlib.h>
#include <zstd.h>

/* Largest window that is accepted: 32 MiB, which `zstd --ultra -20` still stays within. A larger
 * one is a file made with --long, or an attack on our memory. */
#define WINDOW_LOG_MAX 25
/* Each worker holds one job; the library's default of four windows would be 8 to 32 MiB. */
#define JOB_SIZE (1 << 20)

/* From this level on, zstd's own tables would take up to 100 MiB for each worker. Bounded like
 * this, a process with four workers has a peak of 62 MiB at level 19 and 47 MiB at level 9 (which
 * stays as small in its output as before; unbounded: 71 MiB). */
#define BOUNDED_LEVEL 9
#define BOUNDED_WINDOW_LOG 21
#define BOUNDED_TABLE_LOG 20

struct zstd {
    struct sr_codec codec;
    ZSTD_CCtx *z;
};

static int zstd_process(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err)
{
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_cap, 0};
    size_t rc = ZSTD_compressStream2(((struct zstd *)c)->z, &out, &in,
                                     io->eof ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(rc))
        return sr_fail(err, SR_E_INTERNAL, "zstd cannot compress: %s", ZSTD_getErrorName(rc));
    sr_codec_advance(io, in.pos, out.pos);
    io->done = io->eof && rc == 0;
    return SR_OK;
}

static void zstd_free(struct sr_codec *c)
{
    ZSTD_freeCCtx(((struct zstd *)c)->z);
    free(c);
}

static const struct sr_codec_ops zstd_ops = {zstd_process, zstd_free};

static int zstd_set(ZSTD_CCtx *z, ZSTD_cParameter name, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(z, name, value));
}

static int zstd_set_level(ZSTD_CCtx *z, int level)
{
    int ok = zstd_set(z, ZSTD_c_compressionLevel, level) && zstd_set(z, ZSTD_c_checksumFlag, 1);
    if (ok && level >= BOUNDED_LEVEL)
        ok = zstd_set(z, ZSTD_c_windowLog, BOUNDED_WINDOW_LOG) &&
             zstd_set(z, ZSTD_c_chainLog, BOUNDED_TABLE_LOG) &&
             zstd_set(z, ZSTD_c_hashLog, BOUNDED_TABLE_LOG);
    return ok;
}

struct sr_codec *sr_codec_zstd_new(int level, unsigned threads)
{
    struct zstd *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->codec.ops = &zstd_ops;
    s->z = ZSTD_createCCtx();
    if (!s->z || !zstd_set_level(s->z, level)) {
        zstd_free(&s->codec);
        return NULL;
    }
    /* A library without threads refuses this and compresses on ours. */
    if (threads > 1 && zstd_set(s->z, ZSTD_c_nbWorkers, (int)threads))
        (void)zstd_set(s->z, ZSTD_c_jobSize, JOB_SIZE);
    return &s->codec;
}

struct unzstd {
    struct sr_codec codec;
    ZSTD_DCtx *z;
    int between; /* a frame ended; another may follow, or the end */
};

static int unzstd_process(struct sr_codec *c, struct sr_codec_io *io, struct sr_error *err)
{
    struct unzstd *u = (struct unzstd *)c;
    if (u->between && io->in_len == 0) {
        io->done = io->eof;
        return SR_OK;
    }
    ZSTD_inBuffer in = {io->in, io->in_len, 0};
    ZSTD_outBuffer out = {io->out, io->out_cap, 0};
    size_t rc = ZSTD_decompressStream(u->z, &out, &in);
    if (ZSTD_isError(rc))
        return sr_fail(err, SR_E_CORRUPT, "the zstd data is damaged: %s", ZSTD_getErrorName(rc));
    sr_codec_advance(io, in.pos, out.pos);
    u->between = rc == 0;
    if (u->between)
        io->done = io->eof && io->in_len == 0;
    else if (io->eof && io->in_len == 0 && io->out_cap > 0)
        return sr_fail(err, SR_E_CORRUPT, "the zstd data is cut off");
    return SR_OK;
}

static void unzstd_free(struct sr_codec *c)
{
    ZSTD_freeDCtx(((struct unzstd *)c)->z);
    free(c);
}

static const struct sr_codec_ops unzstd_ops = {unzstd_process, unzstd_free};

struct sr_codec *sr_codec_unzstd_new(void)
{
    struct unzstd *u = calloc(1, sizeof *u);
    if (!u)
        return NULL;
    u->codec.ops = &unzstd_ops;
    u->z = ZSTD_createDCtx();
    if (!u->z || ZSTD_isError(ZSTD_DCtx_setParameter(u->z, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
        unzstd_free(&u->codec);
        return NULL;
    }
    return &u->codec;
}
