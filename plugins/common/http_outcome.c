#include "common/http_private.h"
#include "common/timefmt.h"

#include <stdio.h>
#include <string.h>

enum sc_phase sc_http_phase(const struct sc_transfer *t, CURLcode rc)
{
    long sent = 0;
    if (rc == CURLE_OK || t->dropped)
        return SC_PHASE_DONE;
    if (t->sends == 0)
        return SC_PHASE_CONNECT;
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    /* What libcurl took may still lie in its buffers; in doubt it went out. */
    if (t->heads > 0 || t->sends > 1 || (sent > 0 && t->most_at >= t->call->request.body_len))
        return t->most_at >= t->call->request.body_len ? SC_PHASE_REPLY : SC_PHASE_SEND;
    return SC_PHASE_SEND;
}

void sc_http_outcome(struct sc_transfer *t, CURLcode rc)
{
    struct sc_response *r = &t->call->response;
    const struct sc_http_options *o = &t->http->options;
    long version = 0;
    curl_off_t sent = 0;
    r->phase = sc_http_phase(t, rc);
    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    (void)curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    t->call->sent_bytes += sent > 0 ? (uint64_t)sent : 0;
    if (t->dropped)
        sc_buf_reset(&r->body);
    if (!t->head_done)
        return;
    r->http_version = version == CURL_HTTP_VERSION_1_0   ? 10
                      : version == CURL_HTTP_VERSION_1_1 ? 11
                      : version == CURL_HTTP_VERSION_2   ? 20
                                                         : 0;
    const char *date = sc_headers_get(&r->headers, "date");
    if (!date || sc_time_http_parse(date, &r->date) != 0)
        r->date = 0;
    r->date_trusted = r->date != 0 && !o->insecure && strcmp(t->call->request.scheme, "https") == 0;
}

static void set(struct sc_verdict *v, enum sc_class cls, int32_t code, const char *what,
                const char *why, const char *advice)
{
    v->cls = cls;
    v->code = code;
    (void)snprintf(v->text, sizeof v->text, "%s: %.250s%s%.150s", what, why, advice[0] ? "; " : "",
                   advice);
}

static void judge_tls(const struct sc_transfer *t, const char *why, struct sc_verdict *v)
{
    char advice[150];
    (void)snprintf(advice, sizeof advice,
                   "if the server is right, name the certificate of its authority with %.80s",
                   t->http->options.ca_setting);
    set(v, SC_FINAL, SR_STORAGE_E_CONFIG, "the server's certificate is not trusted", why, advice);
}

void sc_http_verdict_of_loss(const struct sc_transfer *t, CURLcode rc, struct sc_verdict *v)
{
    const char *why = t->why[0] ? t->why : curl_easy_strerror(rc);
    const struct sc_response *r = &t->call->response;
    long proxy_status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    switch (rc) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        judge_tls(t, why, v);
        return;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND:
        set(v, SC_FINAL, SR_STORAGE_E_CONFIG, "no TLS", why, "");
        return;
    case CURLE_SSL_CONNECT_ERROR:
        set(v, SC_FEW, SR_STORAGE_E_UNAVAILABLE, "no TLS", why,
            strstr(why, "wrong version number") ? "is it an http:// address?" : "");
        return;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        set(v, SC_FEW, SR_STORAGE_E_UNAVAILABLE, "the name is not known", why, "");
        return;
    case CURLE_OUT_OF_MEMORY:
        set(v, SC_FINAL, SR_STORAGE_E_UNAVAILABLE, "no memory, or a header without end", why, "");
        return;
    case CURLE_OPERATION_TIMEDOUT:
        set(v, SC_RETRY, SR_STORAGE_E_TIMEOUT,
            t->sends == 0 ? "no connection in time" : "the transfer stalled", why, "");
        return;
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_URL_MALFORMAT:
    case CURLE_FAILED_INIT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_UNKNOWN_OPTION:
        set(v, SC_FINAL, SR_STORAGE_E_INTERNAL, "libcurl refuses the request", why, "");
        return;
    default:
        break;
    }
    if (proxy_status >= 400 && t->sends == 0) {
        set(v, proxy_status == 407 || proxy_status == 403 ? SC_FINAL : SC_RETRY,
            proxy_status == 407 || proxy_status == 403 ? SR_STORAGE_E_CONFIG
                                                       : SR_STORAGE_E_UNAVAILABLE,
            "the proxy refuses", why, "");
        return;
    }
    if (t->head_done && r->status >= 300) {
        /* The refusal is there, its reason is lost: what is worth asking again is asked. */
        sc_verdict_of_status(r->status, v);
        if (v->cls == SC_FINAL)
            v->cls = SC_FEW;
        size_t n = strlen(v->text);
        (void)snprintf(v->text + n, sizeof v->text - n, ", cut short: %.250s", why);
        return;
    }
    set(v, SC_RETRY, SR_STORAGE_E_UNAVAILABLE,
        t->sends == 0                ? "no connection"
        : t->head_done               ? "the answer was cut short"
        : r->phase == SC_PHASE_REPLY ? "no answer came"
                                     : "the connection broke while sending",
        why, "");
}

void sc_http_log_try(const struct sc_transfer *t, const char *outcome)
{
    const struct sc_call *c = t->call;
    struct sc_buf url = SC_BUF_INIT(SC_PATH_MAX + SC_QUERY_MAX + 1024);
    long connects = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &connects);
    sc_request_url_text(&c->request, &url, 1);
    sc_log(t->http->host, SR_STORAGE_LOG_DEBUG,
           "%s: %s %.600s: %s; %llu ms, %llu of %llu bytes sent, %llu taken, %s connection",
           t->http->options.label, c->request.method, sc_buf_str(&url), outcome,
           (unsigned long long)(sc_http_clock(t->http) - t->try_began_ms),
           (unsigned long long)t->most_at, (unsigned long long)c->request.body_len,
           (unsigned long long)c->response.received, connects ? "new" : "kept");
    sc_buf_done(&url);
}
