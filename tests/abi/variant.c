/* Plugins that must not load, one per VARIANT_*; built by tests/abi/negotiation.sh. */
#include <strongroom/storage.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int32_t load_well(const struct sr_storage_host *host)
{
    (void)host;
    return SR_STORAGE_OK;
}

static int32_t open_it(const struct sr_storage_host *host,
                       const struct sr_storage_open_options *options, void **ret)
{
    (void)host;
    (void)options;
    (void)ret;
    return SR_STORAGE_E_UNSUPPORTED;
}

static void close_it(void *handle)
{
    (void)handle;
}

static int32_t save_it(void *h, const struct sr_storage_object *o,
                       const struct sr_storage_reader *r, const struct sr_storage_save_options *p,
                       struct sr_storage_saved *s)
{
    (void)h, (void)o, (void)r, (void)p, (void)s;
    return SR_STORAGE_E_UNSUPPORTED;
}

static int32_t list_it(void *h, const struct sr_storage_list_options *o,
                       const struct sr_storage_emitter *e)
{
    (void)h, (void)o, (void)e;
    return SR_STORAGE_E_UNSUPPORTED;
}

static int32_t fetch_it(void *h, const struct sr_storage_fetch_options *o,
                        const struct sr_storage_writer *w)
{
    (void)h, (void)o, (void)w;
    return SR_STORAGE_E_UNSUPPORTED;
}

static int32_t delete_it(void *h, const struct sr_storage_delete_options *o,
                         struct sr_storage_deletion *d)
{
    (void)h, (void)o, (void)d;
    return SR_STORAGE_E_UNSUPPORTED;
}

#define ROW(k)                                                             \
    {                                                                      \
        .size = sizeof(struct sr_storage_setting), .key = (k), .help = "x" \
    }

static struct sr_storage_setting settings[] = {ROW("one"), ROW("two"), {0}};

static struct sr_storage_plugin plugin = {
    .size = sizeof plugin,
    .api_version = SR_STORAGE_API_VERSION,
    .name = "variant",
    .version = "1.0",
    .description = "Refused",
    .license = "MIT",
    .settings = settings,
    .load = load_well,
    .open = open_it,
    .close = close_it,
    .save = save_it,
    .list = list_it,
    .fetch = fetch_it,
    .delete_object = delete_it,
};

#if defined VARIANT_CONSTRUCTOR_CRASHES
__attribute__((constructor)) static void start(void)
{
    raise(SIGSEGV);
}
#elif defined VARIANT_CONSTRUCTOR_EXITS
__attribute__((constructor)) static void start(void)
{
    (void)printf("ok\n"); /* must not pass for the probe's own answer */
    exit(0);
}
#elif defined VARIANT_CONSTRUCTOR_ABORTS
__attribute__((constructor)) static void start(void)
{
    abort();
}
#elif defined VARIANT_CONSTRUCTOR_PRINTS
__attribute__((constructor)) static void start(void)
{
    (void)printf("welcome to libexample\n");
}
#elif defined VARIANT_CONSTRUCTOR_CLOSES
__attribute__((constructor)) static void start(void)
{
    (void)close(STDOUT_FILENO);
}
#elif defined VARIANT_CONSTRUCTOR_REPLACES
__attribute__((constructor)) static void start(void)
{
    if (!freopen("/dev/null", "w", stdout))
        abort();
}
#elif defined VARIANT_CONSTRUCTOR_HANGS
__attribute__((constructor)) static void start(void)
{
    for (;;)
        (void)pause();
}
#endif

#if defined VARIANT_LOAD_EXITS || defined VARIANT_LOAD_CRASHES || defined VARIANT_LOAD_HANGS || \
    defined VARIANT_LOAD_CRASHES_LATER || defined VARIANT_LOAD_FAILS || defined VARIANT_LOAD_ASKS
static int32_t load_badly(const struct sr_storage_host *host)
{
#if defined VARIANT_LOAD_CRASHES
    abort();
#elif defined VARIANT_LOAD_EXITS
    exit(0);
#elif defined VARIANT_LOAD_HANGS
    for (;;)
        (void)pause();
#elif defined VARIANT_LOAD_CRASHES_LATER
    /* Well behaved while it is tried. */
    if (strcmp(program_invocation_short_name, "strongroom-probe") == 0)
        return SR_STORAGE_OK;
    raise(SIGSEGV);
#elif defined VARIANT_LOAD_ASKS
    char buf[8];
    if (host->setting(host, "one", buf, sizeof buf) != -1)
        abort();
#endif
    host->set_error(host, SR_STORAGE_E_UNAVAILABLE, "libexample is too old");
    return SR_STORAGE_E_UNAVAILABLE;
}
#endif

#if defined VARIANT_MISSING_SYMBOL
#define sr_storage_plugin_entry some_other_name
#endif

SR_STORAGE_EXPORT const struct sr_storage_plugin *sr_storage_plugin_entry(void);
const struct sr_storage_plugin *sr_storage_plugin_entry(void)
{
#if defined VARIANT_RETURNS_NULL
    return NULL;
#elif defined VARIANT_API_NEWER
    plugin.api_version = 7;
#elif defined VARIANT_API_ZERO
    plugin.api_version = 0;
#elif defined VARIANT_TOO_SMALL
    plugin.size = offsetof(struct sr_storage_plugin, delete_object);
#elif defined VARIANT_TINY
    plugin.size = 4;
#elif defined VARIANT_HUGE
    plugin.size = UINT64_C(1) << 40;
#elif defined VARIANT_NO_NAME
    plugin.name = NULL;
#elif defined VARIANT_BAD_NAME
    plugin.name = "../variant";
#elif defined VARIANT_LONG_NAME
    plugin.name = "variant-variant-variant-variant-x";
#elif defined VARIANT_OTHER_NAME
    plugin.name = "other";
#elif defined VARIANT_NO_DESCRIPTION
    plugin.description = NULL;
#elif defined VARIANT_CONTROL_CHARACTERS
    plugin.description = "\033[2J";
#elif defined VARIANT_NO_OPEN
    plugin.open = NULL;
#elif defined VARIANT_NO_CLOSE
    plugin.close = NULL;
#elif defined VARIANT_NO_SAVE
    plugin.save = NULL;
#elif defined VARIANT_NO_LIST
    plugin.list = NULL;
#elif defined VARIANT_NO_FETCH
    plugin.fetch = NULL;
#elif defined VARIANT_NO_DELETE
    plugin.delete_object = NULL;
#elif defined VARIANT_COPY_WITHOUT_SLOT
    plugin.capabilities = SR_CAP_COPY;
#elif defined VARIANT_ROW_SIZES
    settings[1].size += 8;
#elif defined VARIANT_ROW_TINY
    settings[0].size = 8;
#elif defined VARIANT_ROW_TWICE
    settings[1].key = "one";
#elif defined VARIANT_ROW_KEY
    settings[1].key = "Two";
#elif defined VARIANT_ROW_PREFIX
    settings[1].key = "prefix";
#elif defined VARIANT_ROW_CHOICE
    settings[1].type = SR_STORAGE_TYPE_CHOICE;
#elif defined VARIANT_ROW_HOSTS
    settings[1].key = "retention_days";
#elif defined VARIANT_ROW_TWIN
    settings[1].key = "one_file";
#elif defined VARIANT_ROW_LONG_KEY
    settings[1].key = "a2345678901234567890123456789012345678901234567890123456789012345";
#elif defined VARIANT_ROW_HELP
    settings[1].help = "red \033[31m";
#elif defined VARIANT_ROW_LONG_HELP
    static char help[600];
    for (unsigned i = 0; i + 1 < sizeof help; i++)
        help[i] = 'x';
    settings[1].help = help;
#elif defined VARIANT_ROW_CHOICES_LINES
    settings[1].type = SR_STORAGE_TYPE_CHOICE;
    settings[1].choices = "a|b\nc";
#elif defined VARIANT_ROWS_WITHOUT_END
    static struct sr_storage_setting many[1001];
    static char keys[1000][8];
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%u", i);
        many[i] = (struct sr_storage_setting)ROW(keys[i]);
    }
    plugin.settings = many;
#elif defined VARIANT_LOAD_EXITS || defined VARIANT_LOAD_CRASHES || defined VARIANT_LOAD_HANGS || \
    defined VARIANT_LOAD_CRASHES_LATER || defined VARIANT_LOAD_FAILS || defined VARIANT_LOAD_ASKS
    plugin.load = load_badly;
#elif defined VARIANT_ENTRY_CRASHES
    raise(SIGBUS);
#endif
    return &plugin;
}
