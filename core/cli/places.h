/* The stores a verb works with, opened so that a signal wakes a call that hangs.
 *
 *     struct sr_places p = {0};
 *     rc = sr_places_open(cli->ctx, sr_args_str(cli->args, "store"), 1, &p, err);
 *     ... p.stores ...
 *     sr_places_close(&p);
 */
#ifndef SR_CLI_PLACES_H
#define SR_CLI_PLACES_H

#include "core/engine/context.h"
#include "core/store/stores.h"

struct sr_places {
    struct sr_stores stores;
    struct sr_context *ctx;
};

/* only: names, comma-separated; NULL: every store of the settings. read_only: nothing is made, and
 * a store that is not there is an error. ctx must outlive *ret. */
int sr_places_open(struct sr_context *ctx, const char *only, int read_only, struct sr_places *ret,
                   struct sr_error *err);
/* Read only, and without those that cannot be opened, as long as one can (stores.closed). */
int sr_places_open_reachable(struct sr_context *ctx, const char *only, struct sr_places *ret,
                             struct sr_error *err);
void sr_places_close(struct sr_places *p); /* a zeroed one is fine */

#endif
