/* RECOVER.txt: how to get data back with gpg, gunzip and psql alone. Each store has one. */
#ifndef SR_ENGINE_RECOVER_TEXT_H
#define SR_ENGINE_RECOVER_TEXT_H

#include "core/store/store.h"

/* Puts it into the store unless one is there. That it cannot be is a warning: no backup depends on
 * it. */
void sr_recover_text_save(struct sr_store_rw *store);

#endif
