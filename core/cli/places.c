#include "config.h"
#include "core/cli/places.h"
#include "core/engine/watch.h"

static void places_watch(struct sr_context *ctx, struct sr_places *ret)
{
    ret->ctx = ctx;
    sr_watch_stores(ctx, &ret->stores);
}

int sr_places_open(struct sr_context *ctx, const char *only, int read_only, struct sr_places *ret,
                   struct sr_error *err)
{
    int rc = sr_stores_open_as(ctx->cfg, only, read_only, &ret->stores, err);
    if (rc == SR_OK)
        places_watch(ctx, ret);
    return rc;
}

int sr_places_open_reachable(struct sr_context *ctx, const char *only, struct sr_places *ret,
                             struct sr_error *err)
{
    int rc = sr_stores_open_reachable(ctx->cfg, only, 1, &ret->stores, err);
    if (rc == SR_OK)
        places_watch(ctx, ret);
    return rc;
}

void sr_places_close(struct sr_places *p)
{
    if (!p->ctx)
        return;
    sr_unwatch_stores(p->ctx, &p->stores);
    sr_stores_close(&p->stores);
    p->ctx = NULL;
}
