/* A parent that watches the process in which a plugin is tried.
 *
 *     check_watch_new(&c)                     shared memory, a scratch folder
 *     status = check_watch_run(&c, tried)     tried(c) runs in a child; its result is the status
 *     check_watch_done(&c)
 *
 * A child that ends otherwise than by returning from tried, or shows no sign of life for
 * c->patience seconds, is a broken promise: "Bail out!" with the call it was in, status 1.
 */
#ifndef SR_CHECK_WATCH_H
#define SR_CHECK_WATCH_H

#include "core/check/check.h"

int check_watch_new(struct check *c, struct sr_error *err);
int check_watch_run(struct check *c, int (*tried)(struct check *c));
void check_watch_done(struct check *c);

/* In the child: a sign of life; what is being called (static), for the parent's last words. */
void check_beat(struct check *c);
void check_doing(struct check *c, const char *what);
const char *check_was_doing(const struct check *c);

/* In the child: what is around the plugin and none of its business. begin before it is loaded:
 * standard streams, working and temporary folder are ones of our own, and TAP goes to c->out. */
int check_around_begin(struct check *c, struct sr_error *err);
/* Once the settings are known: the folders beside the plugin's own. */
void check_around_folders(struct check *c);
/* Tells whether all of that is as it was. */
void check_around_end(struct check *c);
void check_around_done(struct check *c);

#endif
