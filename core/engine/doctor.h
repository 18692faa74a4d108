/* Everything that would stop tonight's backup or a restore here, all at once.
 *
 * Each check adds a line; nothing stops at the first. Exit 0 only when a backup would work. */
#ifndef SR_ENGINE_DOCTOR_H
#define SR_ENGINE_DOCTOR_H

#include "core/engine/context.h"

enum sr_doctor_level {
    SR_DOCTOR_OK,
    SR_DOCTOR_NOTE,    /* works, but worth knowing */
    SR_DOCTOR_BLOCKER, /* a backup would fail */
};
struct sr_doctor_line {
    enum sr_doctor_level level;
    char *what; /* "store local", "database app", "recipient ops@example.org" */
    char *finding;
    char *remedy; /* NULL: none needed */
};
struct sr_doctor_result {
    struct sr_doctor_line *lines;
    size_t len;
    int blockers;
};
/* SR_OK also with blockers (see the count); an error only when the checks could not be run at all.
 */
int sr_doctor_run(struct sr_context *ctx, struct sr_doctor_result *ret, struct sr_error *err);
void sr_doctor_result_done(struct sr_doctor_result *r);

#endif
