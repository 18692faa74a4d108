#include "config.h"
#include "core/cli/output.h"
#include "core/cli/verbs.h"

static int run(struct sr_cli *cli, struct sr_error *err)
{
    (void)err;
    if (cli->out->json)
        sr_output_document(cli->out, json_pack("{s:s}", "version", PACKAGE_VERSION));
    sr_output_line(cli->out, "strongroom %s", PACKAGE_VERSION);
    return SR_OK;
}

const struct sr_verb sr_verb_version = {
    .name = "version",
    .summary = "which strongroom this is",
    .synopsis = "",
    .about = "Prints the version of the program and of the libraries that make the bytes: "
             "compression and encryption.",
    .run = run,
};
