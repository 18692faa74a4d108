#include "common/http_private.h"
#include "common/cleanup.h"

#include <libxml/parser.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
    /* Both count, or remember, that they were called: by another plugin, or the program itself. */
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    xmlInitParser();
}

int32_t sc_http_global_init(struct sc_error *err)
{
    (void)pthread_once(&global_once, global_init);
    const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);
    if (!(v->features & CURL_VERSION_SSL))
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED, "libcurl %s was built without TLS",
                       v->version);
    /* Two plugins may be loading at once, each with a once of its own. */
    if (!(v->features & CURL_VERSION_THREADSAFE))
        return sc_fail(err, SR_STORAGE_E_UNSUPPORTED,
                       "libcurl %s was built without thread-safe initialisation", v->version);
    return SR_STORAGE_OK;
}

static void options_done(struct sc_http_options *o)
{
    const char *const strings[] = {o->label,   o->user_agent, o->ca_file,
                                   o->ca_path, o->ca_setting, o->proxy};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        free((void *)(uintptr_t)strings[i]);
}

/* NULL stays NULL; 0 when memory is out. */
static int copied(const char **s, const char *fallback)
{
    const char *from = *s && **s ? *s : fallback;
    *s = from ? strdup(from) : NULL;
    return *s || !from;
}

static int32_t options_copy(struct sc_http_options *o, const struct sc_http_options *from,
                            struct sc_error *err)
{
    *o = *from;
    const char *proxy = from->proxy;
    /* All of them first, so that what was not copied is not freed. */
    int good = copied(&o->label, "http");
    good &= copied(&o->user_agent, "strongroom");
    good &= copied(&o->ca_file, NULL);
    good &= copied(&o->ca_path, NULL);
    good &= copied(&o->ca_setting, "the setting for the CA file");
    o->proxy = proxy ? strdup(proxy) : NULL; /* "" says something: none */
    good &= o->proxy || !proxy;
    if (!good)
        return sc_fail_memory(err);
    if (o->connect_ms == 0)
        o->connect_ms = 15000;
    if (o->stall_s == 0)
        o->stall_s = 60;
    if (o->connections_max == 0)
        o->connections_max = 8;
    if (o->ca_file && access(o->ca_file, R_OK) != 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "%s names %s, which cannot be read", o->ca_setting,
                       o->ca_file);
    if (o->ca_path && access(o->ca_path, R_OK | X_OK) != 0)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the folder of CA certificates %s cannot be read",
                       o->ca_path);
    return SR_STORAGE_OK;
}

int32_t sc_http_new(const struct sr_storage_host *host, const struct sc_http_options *options,
                    struct sc_http **ret, struct sc_error *err)
{
    struct sc_http *h = calloc(1, sizeof *h);
    if (!h)
        return sc_fail_memory(err);
    h->host = host;
    int32_t rc = options_copy(&h->options, options, err);
    if (rc == SR_STORAGE_OK && !(h->multi = curl_multi_init()))
        rc = sc_fail_memory(err);
    if (rc == SR_STORAGE_OK &&
        (curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING) != CURLM_OK ||
         curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->options.connections_max) !=
             CURLM_OK))
        rc = sc_fail(err, SR_STORAGE_E_INTERNAL, "libcurl refuses an option");
    if (rc != SR_STORAGE_OK) {
        sc_http_free(h);
        return rc;
    }
    if (h->options.insecure)
        sc_log(
            host, SR_STORAGE_LOG_WARN,
            "%s: the server's certificate is NOT verified: anybody on the way can read and alter "
            "what is stored and steal the credentials",
            h->options.label);
    *ret = h;
    return SR_STORAGE_OK;
}

void sc_http_free(struct sc_http *http)
{
    if (!http)
        return;
    while (http->transfers) {
        struct sc_call *call = http->transfers->call;
        if (http->transfers->state != SC_OVER)
            call->code = sc_fail(&call->error, SR_STORAGE_E_CANCELLED, "the store is closed");
        sc_http_remove(http, call);
    }
    if (http->multi)
        (void)curl_multi_cleanup(http->multi);
    options_done(&http->options);
    free(http);
}

unsigned sc_http_busy(const struct sc_http *http)
{
    return http->busy;
}

uint64_t sc_http_clock(const struct sc_http *http)
{
    return http->host->monotonic(http->host) / 1000000;
}

uint64_t sc_http_deadline(const struct sr_storage_host *host)
{
    uint64_t ns = host->deadline(host);
    return ns ? ns / 1000000 : UINT64_MAX;
}

void sc_call_done(struct sc_call *call)
{
    if (call->transfer_)
        sc_http_remove(call->transfer_->http, call);
    sc_request_done(&call->request);
    sc_headers_done(&call->response.headers);
    sc_buf_done(&call->response.body);
}

void sc_call_commits(struct sc_call *call)
{
    call->stall_s = SC_COMMIT_STALL_S;
    call->retry = &sc_retry_commit;
}

int32_t sc_wait_until(const struct sr_storage_host *host, uint64_t until_ms, int even_cancelled,
                      struct sc_error *err)
{
    uint64_t deadline = even_cancelled ? UINT64_MAX : sc_http_deadline(host);
    for (;;) {
        uint64_t now = host->monotonic(host) / 1000000;
        if (!even_cancelled && host->is_cancelled(host))
            return sc_fail(err, SR_STORAGE_E_CANCELLED, "cancelled while waiting");
        if (now >= deadline)
            return sc_fail(err, SR_STORAGE_E_TIMEOUT, "the deadline passed while waiting");
        if (now >= until_ms)
            return SR_STORAGE_OK;
        uint64_t left = (until_ms < deadline ? until_ms : deadline) - now;
        /* Without a descriptor cancellation is looked for ten times a second. One that is readable
         * already would end every wait of who waits all the same. */
        struct pollfd p = {.fd = host->cancel_fd(host), .events = POLLIN};
        uint64_t most = p.fd < 0 ? 100 : 60000;
        (void)poll(&p, p.fd < 0 || even_cancelled ? 0 : 1, (int)(left < most ? left : most));
    }
}

int32_t sc_wait(const struct sr_storage_host *host, uint64_t ms, struct sc_error *err)
{
    uint64_t now = host->monotonic(host) / 1000000;
    return sc_wait_until(host, ms < UINT64_MAX - now ? now + ms : UINT64_MAX, 0, err);
}
