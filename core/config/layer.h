/* One level of settings: what the flags, the environment or one file say, by name.
 *
 *     struct sr_layer l = {.origin = SR_ORIGIN_DOTENV};
 *     sr_layer_read_file(&l, ".env", &warnings, &err)  or  sr_layer_add() for each, sr_layer_seal()
 *     sr_layer_get(&l, "BACKUP_DIR")
 *     sr_layer_done(&l);
 *
 * A name that is set to nothing counts as not set. Private to core/config. After sealing, any
 * thread may read.
 */
#ifndef SR_CONFIG_LAYER_H
#define SR_CONFIG_LAYER_H

#include "core/config/config.h"

struct sr_pair {
    char *name, *value;
    unsigned line; /* 0: not from a file */
    size_t order;  /* of appearance */
};

struct sr_layer {
    enum sr_origin origin;
    char *file;   /* as the operator named it; NULL: not a file */
    char *folder; /* absolute; where its relative paths count from; NULL: the working folder */
    struct sr_pair *pairs;
    size_t len, cap;
};

/* Copies. Only before sr_layer_seal. */
int sr_layer_add(struct sr_layer *l, const char *name, size_t name_len, const char *value,
                 unsigned line);
/* Sorts, and keeps one pair of each name: the last, or the first when keep_first. Names of which
 * several lines were given are told in warnings (may be NULL). */
int sr_layer_seal(struct sr_layer *l, int keep_first, struct sr_strlist *warnings);
/* Reads and seals a file of NAME=VALUE lines; cwd is the absolute working folder, or NULL when it
 * is unknown. With optional, a missing file leaves the layer empty. */
int sr_layer_read_file(struct sr_layer *l, const char *path, int optional, const char *cwd,
                       struct sr_strlist *warnings, struct sr_error *err);
/* The pair with a value, or NULL. */
const struct sr_pair *sr_layer_get(const struct sr_layer *l, const char *name);
/* Nonzero when name is one that a container runtime has set in the environment for a service:
 * <X>_SERVICE_HOST, <X>_PORT_443_TCP_ADDR, ... Of a service "backup-s3" they begin like settings of
 * a store s3, and nobody wrote them. */
int sr_layer_is_injected(const struct sr_layer *l, const char *name);
/* "environment", ".env:12", "flag". */
void sr_layer_origin_text(const struct sr_layer *l, const struct sr_pair *p, char *out, size_t cap);
void sr_layer_done(struct sr_layer *l); /* overwrites the values, which may be secrets */

#endif
