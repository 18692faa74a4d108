/* The host's side of the border: the services handed to a plugin, one struct per handle.
 *
 *     sr_host_new(&options, &h, &err)
 *     sr_host_enter(h);                       // services answer from here ...
 *     rc = table->open(sr_host_services(h), ...)
 *     sr_host_leave(h);                       // ... to here
 *     if (rc != SR_STORAGE_OK) return sr_host_error(h, rc, "opening store %s", name, &err)
 *     sr_host_retire(h)                       // when the handle is closed
 *
 * A service that is called outside a call (a thread that lives on after close) is a promise broken:
 * it does nothing and says so in the log once. For that to be safe retired hosts stay in memory for
 * a while; see sr_host_retire.
 *
 * Secrets that were handed out are remembered until the host is retired, and replaced by *** in
 * every text that comes back over the border.
 */
#ifndef SR_PLUGIN_HOST_H
#define SR_PLUGIN_HOST_H

#include "core/plugin/settings.h"
#include "core/util/clock.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

#include <strongroom/storage.h>

struct sr_host;

struct sr_host_options {
    const char *label;                    /* who in messages: "store dr (plugin s3)" */
    const char *file;                     /* of the plugin */
    const struct sr_clock *clock;         /* must outlive the host */
    const struct sr_setting_view *values; /* NULL: every setting is unset; must outlive the host */
};

int sr_host_new(const struct sr_host_options *o, struct sr_host **ret, struct sr_error *err);
/* No service answers any more. The memory is reused for a new host only after many others were
 * retired, so that a late call of a thread that a plugin left behind finds valid memory. NULL is
 * fine. */
void sr_host_retire(struct sr_host *h);

const struct sr_storage_host *sr_host_services(const struct sr_host *h);

/* Opens and closes the window in which services answer. enter forgets an earlier error. */
void sr_host_enter(struct sr_host *h);
void sr_host_leave(struct sr_host *h);
/* Only between enter and leave: what callbacks (reader, writer, emitter) use to find the call under
 * way. NULL outside of one, after saying once in the log that what was called too late. lock is
 * held until sr_host_call_put, so that leave waits for a callback that is still running. */
void sr_host_call_set(struct sr_host *h, void *call);
void *sr_host_call_get(struct sr_host *h, const char *what);
void sr_host_call_put(struct sr_host *h);

/* Turns what a slot returned into core's terms: SR_OK for SR_STORAGE_OK, else *err is filled with
 * the plugin's own text (or one made from the code) behind "label: doing: ". A code that is not in
 * the interface becomes SR_E_INTERNAL and says so. */
int sr_host_error(struct sr_host *h, int32_t code, const char *doing, struct sr_error *err);
/* Nonzero once a service was called outside a call since the host was made; also when retired. */
int sr_host_was_misused(const struct sr_host *h);
/* The code and text that set_error was given in this call; 0 and "" when it was not called. Valid
 * until the next enter. */
int32_t sr_host_said(const struct sr_host *h, const char **ret_text);

/* What the plugin has said that it chose by itself, since the host was made: its verbose log lines
 * that begin with "using " (where credentials came from), secrets replaced, whether they were
 * logged or not; each once, the first eight. Only while no call is under way; valid until the next
 * one. */
const struct sr_strlist *sr_host_choices(const struct sr_host *h);

void sr_host_cancel(struct sr_host *h); /* any thread */
void sr_host_resume(struct sr_host *h);
int sr_host_is_cancelled(const struct sr_host *h);
/* Monotonic nanoseconds by which calls must return; 0: no limit. */
void sr_host_deadline(struct sr_host *h, uint64_t deadline);

/* Replaces every secret that was handed out by ***, in place. */
void sr_host_redact(const struct sr_host *h, char *text);

#endif
