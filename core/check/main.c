/* strongroom-plugin-check PLUGIN [KEY=VALUE ...]: is this plugin true to the storage interface? */
#include "config.h"
#include "core/check/check.h"
#include "core/check/watch.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
    "Usage: strongroom-plugin-check [OPTION...] PLUGIN [KEY=VALUE...]\n"
    "\n"
    "Tries every promise of strongroom/storage.h against one storage plugin and prints TAP: a "
    "line\n"
    "for each promise, \"ok\" or \"not ok\"; what could not be tried is an \"ok\" with SKIP and "
    "the "
    "reason.\n"
    "The plugin runs in a child process: one that crashes, exits or hangs is reported as well.\n"
    "\n"
    "PLUGIN is a name, looked for as strongroom does (BACKUP_PLUGIN_PATH, then the installation's\n"
    "folder), or a file. KEY=VALUE are the plugin's own settings, as in dir=/tmp/x; those not "
    "given\n"
    "are taken from BACKUP_<PLUGIN>_<KEY>, or the file that BACKUP_<PLUGIN>_<KEY>_FILE names, in "
    "the\n"
    "environment: the way for secrets. Everything is stored below a prefix of its own and deleted "
    "at\n"
    "the end.\n"
    "\n"
    "Options:\n"
    "  --quick                  the object of unknown length has 64 MiB, not 1 GiB\n"
    "  --large SIZE             or as many bytes as this\n"
    "  --keys N                 objects of the long listing (default: 1000)\n"
    "  --only GROUP,...         only these groups of promises\n"
    "  --list                   the groups, and what each tries\n"
    "  --wrong KEY=VALUE        a setting with which the credential is wrong; each of these four "
    "may\n"
    "                           be given several times, and what is not given is skipped\n"
    "  --unreachable KEY=VALUE  a setting with which no server is reached\n"
    "  --silent KEY=VALUE       a setting with which the server takes connections and never "
    "answers\n"
    "  --forgetful KEY=VALUE    a setting with which the answer to the end of a save is lost\n"
    "  --patience TIME          without a sign of life for so long the plugin hangs (default: 2m)\n"
    "  --slack SIZE             so much memory may each round keep, as some TLS libraries do\n"
    "                           (default: 16B)\n"
    "  --help                   this text\n"
    "\n"
    "Exit status:\n"
    "  0  every promise that was tried held\n"
    "  1  one was broken, or the plugin crashed, exited or hung\n"
    "  2  it could not be tried: wrong usage, refused while loading, or it could not be opened\n"
    "\n"
    "Examples:\n"
    "  strongroom-plugin-check local dir=/tmp/x\n"
    "  strongroom-plugin-check --quick ./hello.so url=https://example.org/ --wrong token=wrong\n";

struct group {
    const char *name, *what;
    void (*run)(struct check *c);
};

static const struct group groups[] = {
    {"describing", "settings, capabilities, place; what loading does to the process",
     check_describing},
    {"saving",
     "sizes around every boundary, 1 GiB of unknown length, readers, create-only, late names",
     check_saving},
    {"keys", "every legal character, case, long names, deep names", check_keys},
    {"failing", "readers that fail, cancelled saves: nothing visible, nothing left", check_failing},
    {"blocking", "calls that wait end when they are cancelled or their time is up", check_blocking},
    {"racing", "two savers of one key", check_racing},
    {"listing", "1,000 keys over several pages, prefix, start_after, stopping, cancelling",
     check_listing},
    {"fetching", "ranges at all edges, stopping, cancelling, an object that changes meanwhile",
     check_fetching},
    {"deleting", "once, twice, what never was", check_deleting},
    {"optional", "delete_many, stat, check, copy, sweep, where the plugin has them",
     check_optional},
    {"versions", "what was replaced, what is locked until a date", check_versions},
    {"handles", "several at once, over and over without a leak, structs of a later header",
     check_handles},
    {"trouble", "a wrong credential, no server, a silent one, a lost answer", check_trouble},
    {NULL, NULL, NULL},
};

static int wanted(const struct check *c, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = c->only; at && *at; at += *at == ',') {
        size_t len = strcspn(at, ",");
        if (len == n && memcmp(at, name, n) == 0)
            return 1;
        at += len;
    }
    return c->only == NULL;
}

/* Nonzero when every name in --only is a group's. */
static int only_ok(const char *only)
{
    for (const char *at = only; at && *at; at += *at == ',') {
        size_t len = strcspn(at, ",");
        const struct group *g = groups;
        while (g->name && (strlen(g->name) != len || memcmp(g->name, at, len) != 0))
            g++;
        if (!g->name) {
            (void)fprintf(stderr, "strongroom-plugin-check: there is no group '%.*s'; see --list\n",
                          (int)len, at);
            return 0;
        }
        at += len;
    }
    return 1;
}

enum { WRONG = 256, QUICK, LARGE, KEYS, ONLY, LIST, PATIENCE, SLACK, HELP };

static int option(struct check *c, int o, const char *arg)
{
    uint64_t keys = c->keys;
    switch (o) {
    case QUICK:
        c->quick = 1;
        c->large = CHECK_QUICK;
        return 0;
    case LARGE:
        return sr_parse_size(arg, &c->large) == SR_OK ? 0 : -1;
    case KEYS:
        if (sr_parse_u64(arg, &keys) != SR_OK || keys > 1000000)
            return -1;
        c->keys = (unsigned)keys;
        return 0;
    case ONLY:
        c->only = arg;
        return only_ok(arg) ? 0 : -1;
    case PATIENCE:
        return sr_parse_duration(arg, &c->patience) == SR_OK && c->patience > 0 ? 0 : -1;
    case SLACK:
        return sr_parse_size(arg, &c->slack) == SR_OK && c->slack > 0 ? 0 : -1;
    default:
        /* The four that hold settings, in the order of enum check_alt. */
        if (o < 0 || o >= CHECK_ALTS || !strchr(arg, '='))
            return -1;
        return sr_strlist_add(&c->alt[o], arg) == SR_OK ? 0 : -1;
    }
}

static int told(int o)
{
    if (o == HELP)
        (void)printf("%s\nGroups:\n", usage_text);
    for (const struct group *g = groups; (o == HELP || o == LIST) && g->name; g++)
        (void)printf("%s%-11s %s\n", o == HELP ? "  " : "", g->name, g->what);
    return o == HELP || o == LIST;
}

/* 0 go on, 1 done, -1 wrong usage. */
static int parse(int argc, char **argv, struct check *c)
{
    static const struct option options[] = {
        {"wrong", required_argument, NULL, CHECK_WRONG},
        {"unreachable", required_argument, NULL, CHECK_UNREACHABLE},
        {"silent", required_argument, NULL, CHECK_SILENT},
        {"forgetful", required_argument, NULL, CHECK_FORGETFUL},
        {"quick", no_argument, NULL, QUICK},
        {"large", required_argument, NULL, LARGE},
        {"keys", required_argument, NULL, KEYS},
        {"only", required_argument, NULL, ONLY},
        {"list", no_argument, NULL, LIST},
        {"patience", required_argument, NULL, PATIENCE},
        {"slack", required_argument, NULL, SLACK},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (told(o))
            return 1;
        if (option(c, o, optarg) != 0)
            return -1;
    }
    if (optind >= argc)
        return -1;
    c->which = argv[optind++];
    for (; optind < argc; optind++)
        if (!strchr(argv[optind], '=') || sr_strlist_add(&c->values, argv[optind]) != SR_OK)
            return -1;
    return 0;
}

static int tried(struct check *c)
{
    struct sr_error err = SR_ERROR_INIT;
    if (check_begin(c, getenv("BACKUP_PLUGIN_PATH"), &err) != SR_OK) {
        (void)fprintf(c->out ? c->out : stdout, "Bail out! %s\n", err.text);
        check_done(c);
        return 2;
    }
    for (const struct group *g = groups; g->name; g++)
        if (wanted(c, g->name))
            g->run(c);
        else
            check_skip(c, g->name, "--only names other groups");
    check_ending(c);
    int status = check_end(c);
    check_done(c);
    return status;
}

int main(int argc, char **argv)
{
    static struct check c = {
        .large = CHECK_LARGE, .keys = 1000, .alt_now = -1, .patience = 120, .slack = 16};
    struct sr_error err = SR_ERROR_INIT;
    int rc = parse(argc, argv, &c);
    if (rc < 0)
        (void)fputs(usage_text, stderr);
    if (rc != 0)
        return rc < 0 ? 2 : 0;
    sr_log_setup(SR_LOG_WARN, SR_LOG_TEXT);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int status = 2;
    if (check_watch_new(&c, &err) == SR_OK)
        status = check_watch_run(&c, tried);
    else
        (void)printf("Bail out! %s\n", err.text);
    check_watch_done(&c);
    for (int i = 0; i < CHECK_ALTS; i++)
        sr_strlist_done(&c.alt[i]);
    sr_strlist_done(&c.values);
    return status;
}
