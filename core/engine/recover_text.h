/* RECOVER.txt: how to get data back with gpg, gunzip and psql alone. Each store has one. */
#ifndef SR_ENGINE_RECOVER_TEXT_H
#define SR_ENGINE_RECOVER_TEXT_H

#include "core/store/store.h"

/* Puts it into the store unless one is there. That it cannot be is a warning: no backup depends on
 * it. */
void sr_recover_text_save(struct sr_store_rw *store);

/* For a store that lists nothing of ours: SR_OK when it is one all the same, since RECOVER.txt is
 * there and its last backup went. SR_E_NOT_FOUND: it never was, or it is not the place that was
 * meant (an unmounted disk's empty folder, another bucket). */
int sr_recover_text_check(struct sr_store *store, struct sr_error *err);

#endif
