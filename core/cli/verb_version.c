#include "config.h"
#include "core/cli/output.h"
#include "core/cli/verbs.h"
#include "core/pipeline/keys.h"
#include "core/pipeline/step.h"

static int run(struct sr_cli *cli, struct sr_error *err)
{
    const char *gzip = sr_compress_backend(SR_COMPRESS_GZIP);
    const char *zstd = sr_compress_backend(SR_COMPRESS_ZSTD);
    const char *gpg = sr_gpg_version();
    (void)err;
    if (cli->out->json)
        sr_output_document(cli->out,
                           json_pack("{s:s, s:o, s:o, s:o}", "version", PACKAGE_VERSION, "gzip",
                                     sr_json_text_or_null(gzip), "zstd", sr_json_text_or_null(zstd),
                                     "gpg", sr_json_text_or_null(*gpg ? gpg : NULL)));
    sr_output_line(cli->out, "strongroom %s", PACKAGE_VERSION);
    sr_output_line(cli->out, "gzip  %s", gzip);
    sr_output_line(cli->out, "zstd  %s", zstd);
    sr_output_line(cli->out, "gpg   %s",
                   *gpg ? gpg : "not found: encryption by key is not possible");
    return SR_OK;
}

const struct sr_verb sr_verb_version = {
    .name = "version",
    .summary = "which strongroom this is, and what compresses and encrypts",
    .synopsis = "",
    .about = "Prints the version of the program and of what makes the bytes: compression and gpg.",
    .run = run,
};
