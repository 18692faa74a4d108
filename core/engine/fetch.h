/* Bringing stored backups here, and giving dumps of other scripts a manifest. */
#ifndef SR_ENGINE_FETCH_H
#define SR_ENGINE_FETCH_H

#include "core/engine/context.h"
#include "core/store/stores.h"

struct sr_fetch_options {
    const char *backup; /* BACKUP */
    const char *store, *database, *label;
    const char *output; /* folder; "-": standard output (one object); NULL: the working folder */
    int decrypt;        /* undo the encryption (not the compression) */
    int out_fd;         /* where "-" goes */
};

/* Files are written under a temporary name and appear whole, checked against the digests, never
 * replacing. ret_files: paths written. */
int sr_fetch_run(struct sr_context *ctx, const struct sr_fetch_options *o,
                 struct sr_strlist *ret_files, struct sr_error *err);

struct sr_adopt_options {
    const struct sr_strlist *files;
    const char *source; /* --database; NULL: the settings' database */
    const char *store;  /* NULL: the first one */
};
struct sr_adopted {
    char *file, *set;
};
/* Files that lie in a local store's folder are adopted where they are; others are copied into the
 * store. Digests are computed, contents checked (readable dump, end marker where it can be seen).
 */
int sr_adopt_run(struct sr_context *ctx, const struct sr_adopt_options *o, struct sr_adopted **ret,
                 size_t *ret_len, struct sr_error *err);
void sr_adopted_free(struct sr_adopted *a, size_t len);

#endif
