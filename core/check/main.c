/* strongroom-plugin-check PLUGIN [KEY=VALUE ...]: is this plugin true to the storage interface? */
#include "config.h"
#include "core/check/check.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
    "usage: strongroom-plugin-check [--large SIZE] [--keys N] PLUGIN [KEY=VALUE ...]\n"
    "\n"
    "Tries every promise of strongroom/storage.h against one storage plugin and prints TAP.\n"
    "PLUGIN is a name, looked for as strongroom does (BACKUP_PLUGIN_PATH, then\n"
    "the installation's folder), or a file. KEY=VALUE are the plugin's own settings, as in "
    "dir=/tmp/x;\n"
    "those not given are taken from BACKUP_<PLUGIN>_<KEY> in the environment: the way for "
    "secrets.\n"
    "Everything is stored below a prefix of its own and deleted at the end.\n"
    "\n"
    "  --large SIZE   of the object of unknown length (default 64MiB)\n"
    "  --keys N       of the long listing (default 1000)\n"
    "\n"
    "Exit status: 0 every promise held, 1 one was broken, 2 the plugin could not be tried.\n";

static int parse(int argc, char **argv, struct check *c)
{
    static const struct option options[] = {
        {"large", required_argument, NULL, 'l'},
        {"keys", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    uint64_t keys = c->keys;
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (o == 'h') {
            (void)fputs(usage_text, stdout);
            exit(0);
        }
        if ((o == 'l' && sr_parse_size(optarg, &c->large) != SR_OK) ||
            (o == 'k' && (sr_parse_u64(optarg, &keys) != SR_OK || keys > 1000000)) || o == '?')
            return -1;
    }
    c->keys = (unsigned)keys;
    if (optind >= argc)
        return -1;
    c->which = argv[optind++];
    for (; optind < argc; optind++)
        if (!strchr(argv[optind], '=') || sr_strlist_add(&c->values, argv[optind]) != SR_OK)
            return -1;
    return 0;
}

int main(int argc, char **argv)
{
    struct check c = {.large = CHECK_LARGE, .keys = 1000};
    struct sr_error err = SR_ERROR_INIT;
    if (parse(argc, argv, &c) != 0) {
        (void)fputs(usage_text, stderr);
        return 2;
    }
    sr_log_setup(SR_LOG_WARN, SR_LOG_TEXT);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (check_begin(&c, getenv("BACKUP_PLUGIN_PATH"), &err) != SR_OK) {
        (void)printf("Bail out! %s\n", err.text);
        check_done(&c);
        return 2;
    }
    check_describing(&c);
    check_saving(&c);
    check_failing(&c);
    check_racing(&c);
    check_listing(&c);
    check_fetching(&c);
    check_deleting(&c);
    check_ending(&c);
    int status = check_end(&c);
    check_done(&c);
    return status;
}
