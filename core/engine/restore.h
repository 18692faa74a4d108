/* Bringing a backup back into a database.
 *
 *     struct sr_restore_options o = {.backup = "latest", .confirm = ask, ...};
 *     rc = sr_restore_run(&ctx, &o, &r, &err);
 *     sr_restore_result_done(&r)
 *
 * Order: what (path wins over a backup of that name), where, the production guard, everything that
 * can be checked without touching the target (digests of the stored bytes, key, whole structure
 * where no digest vouches for it), the question, other connections ended, the restore, tables
 * counted.
 */
#ifndef SR_ENGINE_RESTORE_H
#define SR_ENGINE_RESTORE_H

#include "core/engine/context.h"

struct sr_restore_options {
    const char *backup;   /* BACKUP or FILE */
    const char *store;    /* --store; NULL: any */
    const char *database; /* narrows `latest`, and picks one of several in a set */
    const char *label;
    const char *into; /* database name or URL; NULL: the connection's own */
    const char *role;
    int create, clean, if_exists, no_owner, no_acl;
    unsigned jobs; /* 0: cores, at most 4 */
    int yes;       /* do not ask */
    int force;     /* with ENV=production: the guard gives way */
    /* Asks a question on the terminal; nonzero: yes. NULL: no terminal, so SR_E_REFUSED says --yes.
     */
    int (*confirm)(void *ctx, const char *question);
    void *confirm_ctx;
};

struct sr_restore_result {
    char *what;   /* the object's key or the file */
    char *target; /* user@host:port/database */
    uint64_t tables;
    uint64_t bytes; /* read from the store or file */
    int connections_ended;
    double seconds;
    struct sr_strlist notes; /* reminders and warnings for the operator */
};

int sr_restore_run(struct sr_context *ctx, const struct sr_restore_options *o,
                   struct sr_restore_result *ret, struct sr_error *err);
void sr_restore_result_done(struct sr_restore_result *r);

#endif
