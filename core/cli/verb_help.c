#include "config.h"
#include "core/cli/help.h"
#include "core/cli/options.h"
#include "core/cli/output.h"
#include "core/cli/verbs.h"

static const struct sr_option options[] = {
    /* For the tests that compare man page and completion with what is accepted. */
    {.name = "dump-options",
     .help = "print verb, option and argument, separated by tabs",
     .hidden = 1},
    {.name = NULL},
};

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const struct sr_verb *v = NULL;
    struct sr_buf b;
    int rc = SR_OK;
    if (cli->args->operands.len > 0) {
        rc = sr_verb_find(sr_verbs, cli->args->operands.items[0], &v, err);
        if (rc != SR_OK)
            return rc;
    }
    if (cli->out->json) {
        const struct sr_verb *const one[] = {v, NULL};
        sr_output_document(cli->out, sr_help_json(v ? one : sr_verbs, sr_common_options));
        return SR_OK;
    }
    sr_buf_init(&b, 1 << 20);
    if (sr_args_flag(cli->args, "dump-options"))
        rc = sr_help_dump(sr_verbs, sr_common_options, &b);
    else
        rc = v ? sr_help_verb(v, sr_common_options, &b)
               : sr_help_general(sr_verbs, sr_common_options, &b);
    if (rc != SR_OK)
        (void)sr_fail(err, rc, "out of memory while putting the help text together");
    else
        sr_output_text(cli->out, sr_buf_str(&b));
    sr_buf_done(&b);
    return rc;
}

const struct sr_verb sr_verb_help = {
    .name = "help",
    .summary = "this, or all about one verb",
    .synopsis = "[VERB]",
    .about =
        "Without a verb, lists the verbs and the options that all of them take. With one, tells "
        "what it does, its options, examples and exit codes.",
    .examples = "strongroom help\nstrongroom help backup",
    .options = options,
    .operand = "VERB",
    .operands_max = 1,
    .run = run,
};
