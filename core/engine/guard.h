/* The production guard: is this target one that may only be restored into on purpose? */
#ifndef SR_ENGINE_GUARD_H
#define SR_ENGINE_GUARD_H

#include "core/config/config.h"

/* Armed when ENV (or ENVIRONMENT) is production, or when "host/database" matches a pattern of
 * BACKUP_PRODUCTION_TARGETS; then ENV=production and force are both needed. host "" or a path
 * counts as localhost. SR_OK, or SR_E_REFUSED that says what armed it and what to give. */
int sr_guard_check(const struct sr_config *cfg, const char *host, const char *database, int force,
                   struct sr_error *err);
/* For what must not go there on any account: SR_E_REFUSED where host/database matches a pattern of
 * BACKUP_PRODUCTION_TARGETS, whatever ENV says. */
int sr_guard_check_named(const struct sr_config *cfg, const char *host, const char *database,
                         struct sr_error *err);

#endif
