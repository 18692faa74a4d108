#include "config.h"
#include "core/pipeline/codec.h"

int sr_codec_run(struct sr_codec *c, struct sr_flow *f, struct sr_error *err)
{
    struct sr_codec_io io = {0};
    while (!io.done) {
        int rc = SR_OK;
        if (io.in_len == 0 && !io.eof) {
            rc = sr_flow_take(f, &io.in, &io.in_len, err);
            io.eof = rc == SR_OK && io.in_len == 0;
        }
        /* Until the codec leaves room it has more to give from what it took. */
        int full = 1;
        while (rc == SR_OK && full && !io.done) {
            unsigned char *room = NULL;
            rc = sr_flow_room(f, &room, &io.out_cap, err);
            if (rc != SR_OK)
                break;
            io.out = room;
            size_t in_before = io.in_len;
            rc = c->ops->process(c, &io, err);
            if (rc != SR_OK)
                break;
            size_t given = (size_t)(io.out - room);
            full = io.out_cap == 0;
            if (given == 0 && !full && !io.done && (io.eof || in_before > 0) &&
                io.in_len == in_before)
                return sr_fail(err, SR_E_INTERNAL, "a codec makes no progress");
            if (io.in_len > 0)
                full = 1;
            if (given > 0)
                rc = sr_flow_put(f, given, err);
        }
        if (rc != SR_OK)
            return rc;
    }
    return SR_OK;
}

void sr_codec_free(struct sr_codec *c)
{
    if (c)
        c->ops->free(c);
}

struct sr_codec *sr_codec_gunzip_new(void)
{
#ifdef HAVE_ISAL
    return sr_codec_gunzip_isal_new();
#else
    return sr_codec_gunzip_zlib_new();
#endif
}
