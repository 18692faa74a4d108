/* Scratch databases: where a backup is restored to be tested, and surely taken away again.
 *
 *     sr_scratch_open(target, &s, &err);              // connects; clears up after the dead
 *     sr_scratch_roles(s, &roles, &missing, &err);    // stubs of roles that are not here
 *     sr_scratch_make(s, "app_test" or NULL, &err);   // the database; its name: sr_scratch_name
 *     ... restore, compare ...
 *     sr_scratch_drop(s, &err);                       // and another one may be made
 *     sr_scratch_close(s, &left);                     // stubs go; left: what could not be removed
 *
 * Nothing that is not marked is ever dropped, and of a run's own database the OID must be the one
 * that it made: a name alone is no ground. A database is created under a name that no other can
 * have, "strongroom_test_" and 32 hex digits of which half are a digest of the other half; so there
 * is no moment in which it exists unmarked. One that the operator named is created so, too, gets a
 * comment that fits its future name and nothing else, and is then renamed. Stub roles are created
 * and commented on in one transaction. A comment that was copied to another database or role, or
 * whose owner was renamed by somebody who wants to keep it, does not fit and counts for nothing.
 *
 * Who may clear up: every run holds an advisory lock on the server in shared mode, from before its
 * first mark to after its last, and the session's end gives it back, also that of a killed run.
 * Whoever gets it exclusively knows that no run lives, and removes everything that is marked. The
 * lock belongs to the maintenance database, as advisory locks do: postgres, and template1 where the
 * server has no database of that name (and not where it merely cannot be connected to, lest two
 * runs lock in two places).
 *
 * One thread at a time. */
#ifndef SR_SOURCE_PG_SCRATCH_H
#define SR_SOURCE_PG_SCRATCH_H

#include "core/source/pg_conn.h"

#define SR_SCRATCH_NAME_SIZE 64
#define SR_SCRATCH_COMMENT_SIZE 160

/* --- marks; pure --- */

enum sr_scratch_kind {
    SR_SCRATCH_DATABASE,
    SR_SCRATCH_ROLE,
};
/* SR_E_IO when there is no randomness. */
int sr_scratch_name_make(char out[SR_SCRATCH_NAME_SIZE], struct sr_error *err);
int sr_scratch_name_ok(const char *name);
/* The comment that marks the database or role of that name. */
int sr_scratch_comment_make(enum sr_scratch_kind kind, const char *name,
                            char out[SR_SCRATCH_COMMENT_SIZE], struct sr_error *err);
/* comment may be NULL. */
int sr_scratch_comment_ok(enum sr_scratch_kind kind, const char *name, const char *comment);

/* --- on a server --- */

struct sr_scratch;

/* Connects to the server of t, removes what dead runs left where no other run lives (logged, and
 * added to removed as texts), and takes the lock. SR_E_DATABASE. */
int sr_scratch_open(const struct sr_pg_target *t, struct sr_strlist *removed,
                    struct sr_scratch **ret, struct sr_error *err);
struct sr_pg_conn *sr_scratch_control(struct sr_scratch *s);
int sr_scratch_is_superuser(const struct sr_scratch *s);

/* Makes a role without rights for each of roles that the server does not have, where this role may;
 * what could not be made is added to ret_missing, and those made to ret_made. */
int sr_scratch_roles(struct sr_scratch *s, const struct sr_strlist *roles,
                     struct sr_strlist *ret_made, struct sr_strlist *ret_missing,
                     struct sr_error *err);
/* name NULL: one that cannot collide. SR_E_EXISTS: there is a database of that name that no test
 * made; SR_E_BUSY: another test's; SR_E_UNTESTABLE: this role may create none. One at a time: one
 * that could not be dropped before is tried again first, and while it is there no other is made. */
int sr_scratch_make(struct sr_scratch *s, const char *name, struct sr_error *err);
const char *sr_scratch_name(const struct sr_scratch *s); /* "" while there is none */
/* Ends what is connected to it, takes subscriptions out that came with the dump, drops it. SR_OK
 * when there is none. */
int sr_scratch_drop(struct sr_scratch *s, struct sr_error *err);
/* Drops the database if it is still there, and stubs that no other run may need. What stays behind
 * is logged and added to left (may be NULL); the next run or sweep finds it by its mark. NULL is
 * fine. */
void sr_scratch_close(struct sr_scratch *s, struct sr_strlist *left);

/* Removes what dead runs left on that server, or with dry_run only says what; texts are added to
 * ret: "database strongroom_test_..." While a run lives nothing is done, and *ret_clear is 0; also
 * when something could not be removed. */
int sr_scratch_sweep(const struct sr_pg_target *t, int dry_run, struct sr_strlist *ret,
                     int *ret_clear, struct sr_error *err);
/* What of it is there now, by a connection that is open already; also what living runs use. */
int sr_scratch_marked(struct sr_pg_conn *c, struct sr_strlist *ret_databases,
                      struct sr_strlist *ret_roles, struct sr_error *err);

#endif
