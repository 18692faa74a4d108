/* Proofs of a backup, for `list` (by their names) and `show` (by what is in them). Pure but for the
 * output. */
#ifndef SR_CLI_REPORT_PROOFS_H
#define SR_CLI_REPORT_PROOFS_H

#include "core/cli/output.h"
#include "core/engine/prover.h"

/* An array, {"rung", "outcome", "time"} each; names of no known rung are left out. */
json_t *sr_proof_names_json(const struct sr_strlist *suffixes);
/* The same with what else a proof tells; "problem" is null, or why it counts for nothing. */
json_t *sr_proofs_json(const struct sr_proofs *p);
/* A line or more for each. */
void sr_proofs_print(struct sr_output *o, const struct sr_proofs *p);

#endif
