/* What the files of the doctor share. */
#ifndef SR_ENGINE_DOCTOR_PRIVATE_H
#define SR_ENGINE_DOCTOR_PRIVATE_H

#include "core/engine/doctor.h"

struct sr_doctor {
    struct sr_context *ctx;
    struct sr_doctor_result *result;
    int out_of_memory;
};

/* Adds a line; remedy may be NULL. */
void sr_doctor_add(struct sr_doctor *d, enum sr_doctor_level level, const char *what,
                   const char *remedy, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Plugins, settings of stores, the stores themselves, and what runs have left in them. */
void sr_doctor_stores(struct sr_doctor *d);

#endif
