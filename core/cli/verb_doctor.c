#include "config.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"

static int run(struct sr_cli *cli, struct sr_error *err)
{
    struct sr_doctor_result result = {0};
    int rc = sr_doctor_run(cli->ctx, &result, err);
    if (rc == SR_OK) {
        sr_report_doctor(cli->out, &result);
        if (result.blockers > 0)
            rc = sr_fail(err, SR_E_UNAVAILABLE, "%d thing%s would stop a backup here",
                         result.blockers, result.blockers == 1 ? "" : "s");
    }
    sr_doctor_result_done(&result);
    return rc;
}

const struct sr_verb sr_verb_doctor = {
    .name = "doctor",
    .summary = "everything that would stop tonight's backup or a restore, all at once",
    .synopsis = "",
    .about =
        "Checks settings, tools, every database that is backed up and its rights, extensions, "
        "clocks, keys and their expiry, every store (where its credentials came from, writing, "
        "listing, reading, deleting, what its settings demand), disk space and parts against the "
        "size of the newest backups (of "
        "the databases, as an estimate, where there is none yet), retention rules that do "
        "nothing beside others or against a lock, runs that are alive, and what dead ones left; "
        "where a secret key is here, something is encrypted and opened again. Tells for each "
        "what was found and what to do. Nothing stops at the first, and nothing is taken that a "
        "backup needs: it may run at any time. Exit code 0 only when a backup would work; what "
        "would stop only a restore is a note.",
    .examples = "strongroom doctor\nstrongroom doctor --json",
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT,
    .run = run,
};
