/* The audit log: one compact JSON line per event, appended whole.
 *
 *     sr_audit_open(cfg, clock, &audit, &err);
 *     sr_audit_event(audit, "db_backup_started", "trigger", "cli", "dump_path", key, NULL);
 *
 * Lines begin {"time":"...","action":"..." and hold names and values in the order given; grep
 * '"action":"db_backup_failed"' finds them. BACKUP_AUDIT_LOG: a path, "-" for standard error,
 * "off"; default BACKUP_DIR/.strongroom/audit.log, mode 0600. Any thread. */
#ifndef SR_ENGINE_AUDIT_H
#define SR_ENGINE_AUDIT_H

#include "core/config/config.h"
#include "core/util/clock.h"

struct sr_audit;
int sr_audit_open(const struct sr_config *cfg, const struct sr_clock *clock, struct sr_audit **ret,
                  struct sr_error *err);
/* Pairs name, value (const char *), ended by NULL; a NULL value leaves its name out; a name
 * beginning with
 * '#' has its value written as a number (the '#' dropped). Context (user_id, ip_address, trace_id)
 * is added from the settings when set. A line that cannot be written is logged as a warning once.
 */
void sr_audit_event(struct sr_audit *a, const char *action, ...) __attribute__((sentinel));
void sr_audit_close(struct sr_audit *a);

#endif
