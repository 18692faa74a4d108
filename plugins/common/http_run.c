#include "common/http_private.h"
#include "common/cleanup.h"

#include <stdio.h>
#include <string.h>

#define LOOK_MS 100 /* how often cancellation is looked for where the host has no descriptor */

static void destroy(struct sc_transfer *t)
{
    if (t->easy) {
        if (t->state == SC_RUNNING)
            (void)curl_multi_remove_handle(t->http->multi, t->easy);
        curl_easy_cleanup(t->easy);
    }
    sc_http_easy_done(t);
    free(t);
}

/* THE END OF A CALL */

static void over(struct sc_transfer *t, int32_t code, const char *text, const char *why_not)
{
    struct sc_call *c = t->call;
    struct sc_buf url = SC_BUF_INIT(SC_PATH_MAX + SC_QUERY_MAX + 1024);
    if (t->state == SC_RUNNING)
        (void)curl_multi_remove_handle(t->http->multi, t->easy);
    t->state = SC_OVER;
    sc_http_easy_done(t);
    c->code = code;
    if (code == SR_STORAGE_OK)
        return;
    /* Long keys are cut in the middle of the message rather than its end. */
    sc_request_url_text(&c->request, &url, 1);
    (void)sc_fail(&c->error, code, "%s %.400s: %s", c->request.method, sc_buf_str(&url), text);
    uint64_t ms = sc_http_clock(t->http) - t->began_ms;
    if (t->all_tries > 1)
        (void)sc_error_append(&c->error, " (%u tries in %llu.%llu s%s%s)", t->all_tries,
                              (unsigned long long)(ms / 1000),
                              (unsigned long long)(ms % 1000 / 100), why_not ? "; " : "",
                              why_not ? why_not : "");
    else if (why_not)
        (void)sc_error_append(&c->error, " (%s)", why_not);
    sc_buf_done(&url);
}

static int is_exempt(const struct sc_transfer *t)
{
    return (t->call->request.flags & SC_REQUEST_EVEN_CANCELLED) != 0;
}

/* Until when t may go on, on the client's clock. */
static uint64_t limit_of(const struct sc_transfer *t)
{
    uint64_t deadline = is_exempt(t) ? UINT64_MAX : sc_http_deadline(t->http->host);
    return deadline < t->limit_ms ? deadline : t->limit_ms;
}

/* Nobody knows how a request ended that came through whole and got no answer. */
static void note_loss(struct sc_transfer *t)
{
    if (t->call->response.phase == SC_PHASE_REPLY)
        t->call->in_doubt = t->call->unanswered = 1;
}

/* Ends t where its time is up or the call was cancelled. */
static void enforce_limits(struct sc_transfer *t, int cancelled, uint64_t now)
{
    char text[700];
    int stop = cancelled && !is_exempt(t);
    if (!stop && now < limit_of(t))
        return;
    if (t->state == SC_RUNNING) {
        t->call->response.phase = sc_http_phase(t, CURLE_ABORTED_BY_CALLBACK);
        note_loss(t);
        sc_http_log_try(t, stop ? "cancelled" : "time is up");
    }
    (void)snprintf(text, sizeof text, "%s%s%s", stop ? "cancelled" : "not done before the deadline",
                   t->last[0] ? ", after: " : "", t->last);
    over(t, stop ? SR_STORAGE_E_CANCELLED : SR_STORAGE_E_TIMEOUT, text, NULL);
}

/* ONE TRY */

static void warn_plain(struct sc_transfer *t)
{
    const struct sc_request *r = &t->call->request;
    if (t->http->warned_plain || strcmp(r->scheme, "http") != 0 ||
        (r->flags & SC_REQUEST_PLAIN_OK) || sc_host_is_loopback(r->host))
        return;
    t->http->warned_plain = 1;
    sc_log(t->http->host, SR_STORAGE_LOG_WARN,
           "%s: requests to %s go over http://: whoever is on the way can read and alter them; use "
           "https://",
           t->http->options.label, r->host);
}

static void begin_try(struct sc_transfer *t)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_call *c = t->call;
    int32_t rc = SR_STORAGE_OK;
    if (c->prepare) {
        t->http->inside++;
        rc = c->prepare(c, &err);
        t->http->inside--;
    }
    if (rc == SR_STORAGE_OK)
        rc = sc_request_check(&c->request, &err);
    if (rc == SR_STORAGE_OK)
        rc = sc_http_easy_setup(t, &err);
    t->try_began_ms = sc_http_clock(t->http);
    if (rc == SR_STORAGE_OK && curl_multi_add_handle(t->http->multi, t->easy) != CURLM_OK)
        rc = sc_fail(&err, SR_STORAGE_E_INTERNAL, "libcurl cannot begin");
    if (rc != SR_STORAGE_OK) {
        over(t, rc, err.text, NULL);
        c->error.host_told = err.host_told;
        return;
    }
    warn_plain(t);
    t->state = SC_RUNNING;
}

static void schedule_or_end(struct sc_transfer *t, const struct sc_verdict *v)
{
    struct sc_http *http = t->http;
    struct sc_call *c = t->call;
    struct sc_retry_next next;
    uint32_t random = UINT32_MAX; /* without randomness: the whole wait */
    uint64_t now = sc_http_clock(http), limit = limit_of(t);
    t->tally.elapsed_ms = now - t->began_ms;
    t->tally.left_ms = limit == UINT64_MAX ? UINT64_MAX : limit > now ? limit - now : 0;
    t->tally.after_ms = sc_retry_after(&c->response.headers, http->host->now(http->host));
    (void)http->host->random(http->host, &random, sizeof random);
    sc_retry_decide(c->retry ? c->retry : &sc_retry_default, &t->tally, v->cls, random, &next);
    if (!next.again) {
        over(t, v->code, v->text, next.why_not);
        return;
    }
    (void)curl_multi_remove_handle(http->multi, t->easy);
    t->state = SC_WAITING;
    t->due_ms = now + next.wait_ms;
    (void)snprintf(t->last, sizeof t->last, "%s", v->text);
    sc_log(http->host, SR_STORAGE_LOG_VERBOSE, "%s: %s %.200s: %s; again in %llu ms",
           http->options.label, c->request.method, sc_buf_str(&c->request.path), v->text,
           (unsigned long long)next.wait_ms);
}

/* A sink that took something is a try that came on: what follows is counted anew. */
static void count_try(struct sc_transfer *t, const struct sc_verdict *v)
{
    struct sc_call *c = t->call;
    int good = c->response.status >= 200 && c->response.status <= 299;
    if (c->sink && good && c->response.received > 0 && v->cls != SC_DONE) {
        t->tally = (struct sc_retry_state){0};
        t->began_ms = t->try_began_ms;
    }
    t->all_tries++;
    c->tries = ++t->tally.tries;
    t->tally.few += v->cls == SC_FEW;
    t->tally.agains += v->cls == SC_AGAIN;
    c->throttled += v->cls == SC_THROTTLED;
    if (v->cls == SC_DONE)
        return;
    note_loss(t);
    /* An answer that is no refusal, to a request that came through whole. */
    if (c->response.phase == SC_PHASE_DONE && t->most_at >= c->request.body_len &&
        (c->response.status == 408 || c->response.status >= 500 ||
         (c->response.status >= 200 && c->response.status <= 299)))
        c->in_doubt = 1;
    /* What a gateway says is not how the server behind it ends. */
    if (c->in_doubt && c->response.phase == SC_PHASE_DONE &&
        (c->response.status == 502 || c->response.status == 504))
        c->unanswered = 1;
}

static void end_try(struct sc_transfer *t, CURLcode rc)
{
    struct sc_call *c = t->call;
    struct sc_verdict v = {0};
    /* An end within the head is an end in good order to libcurl. */
    if (rc == CURLE_OK && !t->head_done && !t->dropped)
        rc = CURLE_GOT_NOTHING;
    sc_http_outcome(t, rc);
    if (t->stopped.code != SR_STORAGE_OK) {
        sc_http_log_try(t, t->stopped.text);
        t->all_tries++;
        note_loss(t);
        over(t, t->stopped.code, t->stopped.text, NULL);
        return;
    }
    if (c->response.phase == SC_PHASE_DONE)
        sc_verdict_of_status(c->response.status, &v);
    else
        sc_http_verdict_of_loss(t, rc, &v);
    if (c->judge) {
        t->http->inside++;
        c->judge(c, &v);
        t->http->inside--;
    }
    sc_http_log_try(t, v.text);
    count_try(t, &v);
    schedule_or_end(t, &v);
}

/* THE LOOP */

/* Moves everything once. */
static int32_t turn(struct sc_http *http, struct sc_error *err)
{
    int running = 0, left = 0, cancelled = http->host->is_cancelled(http->host) != 0;
    uint64_t now = sc_http_clock(http);
    for (struct sc_transfer *t = http->transfers; t; t = t->next) {
        if (t->state != SC_OVER)
            enforce_limits(t, cancelled, now);
        if (t->state == SC_WAITING && t->due_ms <= now)
            begin_try(t);
    }
    CURLMcode rc = curl_multi_perform(http->multi, &running);
    if (rc != CURLM_OK)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "libcurl: %s", curl_multi_strerror(rc));
    for (CURLMsg *m; (m = curl_multi_info_read(http->multi, &left)) != NULL;) {
        struct sc_transfer *t = NULL;
        CURLcode result = m->data.result; /* m does not outlive what is done with its handle */
        if (m->msg == CURLMSG_DONE &&
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t) == CURLE_OK)
            end_try(t, result);
    }
    return SR_STORAGE_OK;
}

static struct sc_transfer *find_over(const struct sc_http *http, const struct sc_call *call)
{
    for (struct sc_transfer *t = http->transfers; t; t = t->next)
        if (t->state == SC_OVER && (!call || t->call == call))
            return t;
    return NULL;
}

/* Sleeps until there is something to do, but not past until. */
static void rest(struct sc_http *http, uint64_t until)
{
    const struct sr_storage_host *host = http->host;
    struct curl_waitfd cancel = {.fd = host->cancel_fd(host), .events = CURL_WAIT_POLLIN};
    /* What goes on though all else was cancelled would find it readable for ever. */
    unsigned watched = cancel.fd >= 0 && !host->is_cancelled(host) ? 1 : 0;
    uint64_t now = sc_http_clock(http);
    if (cancel.fd < 0 && until > now + LOOK_MS)
        until = now + LOOK_MS;
    for (const struct sc_transfer *t = http->transfers; t; t = t->next) {
        if (t->state == SC_OVER)
            continue;
        uint64_t limit = limit_of(t);
        if (until > limit)
            until = limit;
        if (t->state == SC_WAITING && until > t->due_ms)
            until = t->due_ms;
    }
    uint64_t ms = until > now ? until - now : 0;
    (void)curl_multi_poll(http->multi, &cancel, watched, (int)(ms < 1000 ? ms : 1000), NULL);
}

static int32_t not_inside(const struct sc_http *http, struct sc_error *err)
{
    return http->inside ? sc_fail(err, SR_STORAGE_E_INTERNAL,
                                  "an HTTP client was used from one of its own callbacks")
                        : SR_STORAGE_OK;
}

/* call NULL: any. *ret is a finished one, or NULL when time is up or there is none to wait for. */
static int32_t pump(struct sc_http *http, const struct sc_call *call, uint64_t until,
                    struct sc_transfer **ret, struct sc_error *err)
{
    for (;;) {
        int32_t rc = turn(http, err);
        if (rc != SR_STORAGE_OK)
            return rc;
        *ret = find_over(http, call);
        if (*ret || !http->transfers || sc_http_clock(http) >= until)
            return SR_STORAGE_OK;
        rest(http, until);
    }
}

int32_t sc_http_add(struct sc_http *http, struct sc_call *call, struct sc_error *err)
{
    int32_t rc = not_inside(http, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (call->transfer_)
        return sc_fail(err, SR_STORAGE_E_INTERNAL, "a call was added twice");
    struct sc_transfer *t = calloc(1, sizeof *t);
    if (!t)
        return sc_fail_memory(err);
    t->http = http;
    t->call = call;
    t->state = SC_WAITING;
    t->due_ms = t->began_ms = t->try_began_ms = sc_http_clock(http);
    t->limit_ms = call->time_limit_ms && call->time_limit_ms < UINT64_MAX - t->began_ms
                      ? t->began_ms + call->time_limit_ms
                      : UINT64_MAX;
    call->transfer_ = t;
    call->code = SR_STORAGE_OK;
    call->error = (struct sc_error)SC_ERROR_INIT;
    call->tries = call->throttled = 0;
    call->in_doubt = call->unanswered = 0;
    call->sent_bytes = 0;
    struct sc_transfer **last = &http->transfers;
    while (*last)
        last = &(*last)->next;
    *last = t;
    http->busy++;
    return SR_STORAGE_OK;
}

void sc_http_remove(struct sc_http *http, struct sc_call *call)
{
    for (struct sc_transfer **p = &http->transfers; *p; p = &(*p)->next) {
        struct sc_transfer *t = *p;
        if (t->call != call)
            continue;
        *p = t->next;
        http->busy--;
        if (t->state == SC_RUNNING) {
            call->response.phase = sc_http_phase(t, CURLE_ABORTED_BY_CALLBACK);
            note_loss(t);
        }
        call->transfer_ = NULL;
        destroy(t);
        return;
    }
}

int32_t sc_http_poll(struct sc_http *http, int timeout_ms, struct sc_call **ret_done,
                     struct sc_error *err)
{
    struct sc_transfer *done = NULL;
    int32_t rc = not_inside(http, err);
    *ret_done = NULL;
    if (rc != SR_STORAGE_OK)
        return rc;
    uint64_t until = sc_http_clock(http) + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0);
    rc = pump(http, NULL, until, &done, err);
    if (rc == SR_STORAGE_OK && done) {
        *ret_done = done->call;
        sc_http_remove(http, done->call);
    }
    return rc;
}

int32_t sc_http_run(struct sc_http *http, struct sc_call *call, struct sc_error *err)
{
    struct sc_transfer *done = NULL;
    int32_t rc = sc_http_add(http, call, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    rc = pump(http, call, UINT64_MAX, &done, err);
    sc_http_remove(http, call);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (call->code != SR_STORAGE_OK && err)
        *err = call->error;
    return call->code;
}
