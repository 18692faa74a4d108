/* plugins/azure without a network: settings, connection strings, endpoints, signatures that end,
 * checksums, what answers mean, pages. */
#include "azure/azure.h"
#include "azure/page.h"
#include "azure/sas.h"
#include "azure/sources.h"
#include "azure/sums.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define KEY64 "a2V5" /* "key" */

struct rig {
    struct test_host h;
    struct azure s;
    struct sc_error err;
    const char *settings[80];
};

/* The plugin's defaults, as a host hands them over. */
static int64_t setting(const struct sr_storage_host *host, const char *key, char *buf, uint64_t cap)
{
    int64_t n = test_setting(host, key, buf, cap);
    for (const struct sr_storage_setting *row = azure_setting_rows; n < 0 && row->key; row++)
        if (strcmp(row->key, key) == 0 && row->fallback) {
            const char *v = strcmp(row->fallback, "true") == 0    ? "1"
                            : strcmp(row->fallback, "false") == 0 ? "0"
                            : strcmp(row->fallback, "8MiB") == 0  ? "8388608"
                                                                  : row->fallback;
            n = snprintf(buf, cap, "%s", v);
        }
    return n;
}

/* The overrides (key, value, ..., NULL) come first and so win. */
static int32_t rig_open(struct rig *x, const char *const *overrides)
{
    static const char *const usual[] = {"container", "backups", NULL};
    size_t n = 0;
    *x = (struct rig){.err = SC_ERROR_INIT};
    test_host_init(&x->h);
    for (; overrides && *overrides; overrides++)
        x->settings[n++] = *overrides;
    for (size_t i = 0; usual[i]; i++)
        x->settings[n++] = usual[i];
    x->h.settings = x->settings;
    x->h.host.setting = setting;
    x->h.wall = 1795255200;
    x->s.host = &x->h.host;
    (void)snprintf(x->s.label, sizeof x->s.label, "azure");
    int32_t rc = azure_settings_read(&x->h.host, &x->s.set, &x->err);
    return rc == SR_STORAGE_OK ? azure_auth_open(&x->s, &x->err) : rc;
}

static void rig_done(struct rig *x)
{
    azure_auth_close(&x->s);
    azure_settings_done(&x->s.set);
    test_host_done(&x->h);
}

#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})
#define ACCOUNT "account", "acc1", "account_key", KEY64

static void each_wrong_setting_is_named(void)
{
    static const struct {
        const char *key, *value, *says;
    } rows[] = {
        {"container", "ab", "container"},
        {"container", "Upper", "container"},
        {"container", "a--b", "container"},
        {"container", "abc-", "container"},
        {"container", "a/b", "container"},
        {"container", "$root", "container"},
        {"container", "line\nbreak", "control character"},
        {"account", "Has.Dots", "account"},
        {"account", "ab", "3 to 24"},
        {"endpoint_url", "ftp://host", "endpoint_url"},
        {"endpoint_url", "https://user@host/", "endpoint_url"},
        {"endpoint_url", "https://host/?sig=y", "endpoint_url"},
        {"endpoint_suffix", "evil.example/x", "suffix"},
        {"endpoint_suffix", ".core.windows.net", "suffix"},
        {"part_size", "1048575", "part_size"},
        {"part_size", "4194304001", "part_size"},
        {"concurrency", "0", "concurrency"},
        {"concurrency", "65", "concurrency"},
        {"max_parts", "1", "max_parts"},
        {"max_parts", "50001", "max_parts"},
        {"checksum", "sha1", "checksum"},
        {"content_md5", "yes", "content_md5"},
        {"customer_key", "c2hvcnQ=", "customer_key"},
        {"immutability_days", "-1", "immutability_days"},
        {"verify_tls", "", "verify_tls"},
        {"credentials", "guess", "credentials"},
        {"connection_string", "AccountName=a", "3 to 24"},
    };
    struct rig x;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CU_ASSERT_EQUAL(rig_open(&x, WITH(rows[i].key, rows[i].value, ACCOUNT)),
                        SR_STORAGE_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(x.err.text, rows[i].says));
        if (!strstr(x.err.text, rows[i].says))
            (void)fprintf(stderr, "%s=%s: %s\n", rows[i].key, rows[i].value, x.err.text);
        rig_done(&x);
    }
    CU_ASSERT_EQUAL(rig_open(&x, NULL), SR_STORAGE_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(x.err.text, "AZURE_STORAGE_ACCOUNT"));
    rig_done(&x);
    static const char key[] = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    CU_ASSERT_EQUAL(rig_open(&x, WITH("customer_key", key, "encryption_scope", "s", ACCOUNT)),
                    SR_STORAGE_E_CONFIG);
    rig_done(&x);
}

static void endpoints_and_accounts(void)
{
    static const struct {
        const char *key, *value;
        const char *scheme, *host, *base, *account;
        unsigned port;
        int microsoft;
    } rows[] = {
        {"account", "acc1", "https", "acc1.blob.core.windows.net", "", "acc1", 0, 1},
        {"endpoint_suffix", "core.chinacloudapi.cn", "https", "acc1.blob.core.chinacloudapi.cn", "",
         "acc1", 0, 1},
        {"endpoint_suffix", "core.usgovcloudapi.net", "https", "acc1.blob.core.usgovcloudapi.net",
         "", "acc1", 0, 1},
        {"endpoint_url", "http://127.0.0.1:10000/acc1//", "http", "127.0.0.1", "/acc1", "acc1",
         10000, 0},
        {"endpoint_url", "https://acc1.z01.blob.storage.azure.net", "https",
         "acc1.z01.blob.storage.azure.net", "", "acc1", 0, 1},
        {"endpoint_url", "https://evilcore.windows.net", "https", "evilcore.windows.net", "",
         "acc1", 0, 0},
        {"connection_string", "UseDevelopmentStorage=true", "http", "127.0.0.1",
         "/devstoreaccount1", "devstoreaccount1", 10000, 0},
        {"connection_string",
         "usedevelopmentstorage=TRUE;DevelopmentStorageProxyUri=http://ipv4.fiddler/", "http",
         "ipv4.fiddler", "/devstoreaccount1", "devstoreaccount1", 10000, 0},
        {"connection_string",
         "DefaultEndpointsProtocol=http;AccountName=other2;AccountKey=a2V5;EndpointSuffix=core."
         "windows.net",
         "http", "other2.blob.core.windows.net", "", "other2", 0, 1},
        {"connection_string",
         "BlobEndpoint=https://other3.blob.core.windows.net/;AccountName="
         "other3;AccountKey=a2V5",
         "https", "other3.blob.core.windows.net", "", "other3", 0, 1},
    };
    struct rig x;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ASSERT_OK(rig_open(&x, WITH(rows[i].key, rows[i].value, ACCOUNT)), x.err);
        CU_ASSERT_STRING_EQUAL(x.s.scheme, rows[i].scheme);
        CU_ASSERT_STRING_EQUAL(x.s.host_name, rows[i].host);
        CU_ASSERT_STRING_EQUAL(x.s.base_path, rows[i].base);
        CU_ASSERT_STRING_EQUAL(x.s.account, rows[i].account);
        CU_ASSERT_EQUAL(x.s.port, rows[i].port);
        CU_ASSERT_EQUAL(x.s.microsoft, rows[i].microsoft);
        rig_done(&x);
    }
    /* A store whose endpoint alone is known: the account is in it. */
    ASSERT_OK(rig_open(&x, WITH("endpoint_url", "https://acc9.blob.core.windows.net", "account_key",
                                KEY64)),
              x.err);
    CU_ASSERT_STRING_EQUAL(x.s.account, "acc9");
    rig_done(&x);
    ASSERT_OK(rig_open(&x, WITH("endpoint_url", "http://127.0.0.1:1/acc8", "account_key", KEY64)),
              x.err);
    CU_ASSERT_STRING_EQUAL(x.s.account, "acc8");
    rig_done(&x);
    CU_ASSERT_STRING_EQUAL(azure_authority_of("a.blob.core.usgovcloudapi.net"),
                           "https://login.microsoftonline.us");
    CU_ASSERT_STRING_EQUAL(azure_authority_of("127.0.0.1"), "https://login.microsoftonline.com");
}

static void connection_strings(void)
{
    static const struct {
        const char *text, *says; /* NULL: it is good */
    } rows[] = {
        {"AccountName=abc;AccountKey=a2V5==", NULL},
        {";AccountName=abc;;", NULL},
        {"BlobEndpoint=https://h/;SharedAccessSignature=?sv=1&sig=a%3D", NULL},
        {"AccountName=abc;QueueEndpoint=https://q;TableEndpoint=t;FileEndpoint=f;"
         "BlobSecondaryEndpoint=b",
         NULL},
        {"", "empty"},
        {"AccountName", "part 1 of it has no '='"},
        {"AccountName=abc;Acountkey=secretsecret", "part 2"},
        {"AccountName=abc;AccountName=abd", "part 2"},
        {"AccountName=abc;AccountKey=a;AccountKey=b", "part 3"},
        {"AccountKey=a2V5", "neither"},
        {"BlobEndpoint=https://h;AccountKey=a2V5", "without an AccountName"},
        {"UseDevelopmentStorage=false", "can only be true"},
        {"UseDevelopmentStorage=true;AccountName=abc", "no other"},
        {"DevelopmentStorageProxyUri=http://x;AccountName=abc", "UseDevelopmentStorage"},
    };
    struct azure_connection c;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_error err = SC_ERROR_INIT;
        int32_t rc = azure_connection_parse(&c, rows[i].text, &err);
        CU_ASSERT_EQUAL(rc, rows[i].says ? SR_STORAGE_E_CONFIG : SR_STORAGE_OK);
        CU_ASSERT(!rows[i].says || strstr(err.text, rows[i].says));
        CU_ASSERT_PTR_NULL(strstr(err.text, "secretsecret"));
        if (rows[i].says && !strstr(err.text, rows[i].says))
            (void)fprintf(stderr, "%s: %s\n", rows[i].text, err.text);
        azure_connection_done(&c);
    }
    struct sc_error err = SC_ERROR_INIT;
    ASSERT_OK(azure_connection_parse(&c, rows[0].text, &err), err);
    CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&c.key), "a2V5==");
    azure_connection_done(&c);
    ASSERT_OK(azure_connection_parse(&c, rows[2].text, &err), err);
    CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&c.sas), "sv=1&sig=a%3D");
    azure_connection_done(&c);
}

static void shared_access_signatures(void)
{
    static const struct {
        const char *text;
        int32_t code;
        int64_t expires;
    } rows[] = {
        {"sv=2021-12-02&se=2026-11-21T10%3A00%3A01Z&sp=cw&sig=x", SR_STORAGE_OK, 1795255201},
        {"sig=x&se=2026-11-21T10:01Z", SR_STORAGE_OK, 1795255260},
        {"sig=x&se=2026-11-22", SR_STORAGE_OK, 1795305600},
        {"si=policy&sig=x", SR_STORAGE_OK, 0},
        {"sig=x&se=2026-11-21T10%3A00%3A00Z", SR_STORAGE_E_DENIED, 0},
        {"sig=x&se=soon", SR_STORAGE_E_CONFIG, 0},
        {"sig=&se=2026-11-22", SR_STORAGE_E_CONFIG, 0},
        {"se=2026-11-22", SR_STORAGE_E_CONFIG, 0},
        {"https://a.blob.core.windows.net/c?sig=x", SR_STORAGE_E_CONFIG, 0},
        {"sig=x y", SR_STORAGE_E_CONFIG, 0},
        {"sig=x#y", SR_STORAGE_E_CONFIG, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_error err = SC_ERROR_INIT;
        int64_t expires = -1;
        CU_ASSERT_EQUAL(azure_sas_check(rows[i].text, 1795255200, &expires, &err), rows[i].code);
        if (rows[i].code == SR_STORAGE_OK)
            CU_ASSERT_EQUAL(expires, rows[i].expires);
        CU_ASSERT_PTR_NULL(strstr(err.text, "sig=x"));
    }
}

/* --- how a request is authorised --- */

static void requests_by_source(void)
{
    struct rig x;
    struct azure_call c;
    ASSERT_OK(rig_open(&x, WITH(ACCOUNT)), x.err);
    ASSERT_OK(azure_call_begin(&c, &x.s, "GET", "a b/c", &x.err), x.err);
    ASSERT_OK(azure_call_prepare(&c.call, &x.err), x.err);
    const struct sc_request *r = &c.call.request;
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&r->path), "/backups/a%20b/c");
    CU_ASSERT(strncmp(sc_headers_get(&r->headers, "authorization"), "SharedKey acc1:", 15) == 0);
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&r->headers, "x-ms-date"),
                           "Sat, 21 Nov 2026 10:00:00 GMT");
    CU_ASSERT_EQUAL(r->flags & SC_REQUEST_TLS_ONLY, 0);
    azure_call_end(&c);
    rig_done(&x);
    /* A SAS is appended as it stands, behind the query of the call, anew before each try; and it
     * never goes over plain http. */
    ASSERT_OK(rig_open(&x, WITH("endpoint_url", "https://h", "sas_token", "?sv=1&sig=a%2Bb")),
              x.err);
    ASSERT_OK(azure_call_begin(&c, &x.s, "PUT", "k", &x.err), x.err);
    sc_query_add(&c.query, "comp", "block");
    ASSERT_OK(azure_call_prepare(&c.call, &x.err), x.err);
    ASSERT_OK(azure_call_prepare(&c.call, &x.err), x.err);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&r->query), "comp=block&sv=1&sig=a%2Bb");
    CU_ASSERT_PTR_NULL(sc_headers_get(&r->headers, "authorization"));
    CU_ASSERT_NOT_EQUAL(r->flags & SC_REQUEST_TLS_ONLY, 0);
    azure_call_end(&c);
    rig_done(&x);
    /* A connection string goes before the rest. */
    char source[160];
    ASSERT_OK(rig_open(&x, WITH("connection_string", "AccountName=conn;AccountKey=a2V5",
                                "sas_token", "sig=x", ACCOUNT)),
              x.err);
    ASSERT_OK(azure_call_begin(&c, &x.s, "GET", NULL, &x.err), x.err);
    ASSERT_OK(azure_call_prepare(&c.call, &x.err), x.err);
    sc_creds_source(x.s.creds, source, sizeof source);
    CU_ASSERT_STRING_EQUAL(source, "the connection string's account key");
    azure_call_end(&c);
    rig_done(&x);
    /* A source that is named is the only one. */
    ASSERT_OK(rig_open(&x, WITH("credentials", "sas", ACCOUNT)), x.err);
    ASSERT_OK(azure_call_begin(&c, &x.s, "GET", NULL, &x.err), x.err);
    CU_ASSERT_EQUAL(azure_call_prepare(&c.call, &x.err), SR_STORAGE_E_DENIED);
    azure_call_end(&c);
    rig_done(&x);
    ASSERT_OK(rig_open(&x, WITH("account", "acc1", "account_key", "n0t!")), x.err);
    ASSERT_OK(azure_call_begin(&c, &x.s, "GET", NULL, &x.err), x.err);
    CU_ASSERT_EQUAL(azure_call_prepare(&c.call, &x.err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_PTR_NULL(strstr(x.err.text, "n0t!"));
    azure_call_end(&c);
    rig_done(&x);
}

/* Whoever answers at the agent's port names a file, and may name any. */
static void files_of_arc(void)
{
    static const struct {
        const char *challenge, *path; /* NULL: refused */
    } rows[] = {
        {"Basic realm=/var/opt/azcmagent/tokens/a.key", "/var/opt/azcmagent/tokens/a.key"},
        {"Basic realm=\"/var/opt/azcmagent/tokens/a.key\"", "/var/opt/azcmagent/tokens/a.key"},
        {NULL, NULL},
        {"Basic", NULL},
        {"Bearer realm=/var/opt/azcmagent/tokens/a.key", NULL},
        {"Basic realm=/etc/shadow", NULL},
        {"Basic realm=/var/opt/azcmagent/tokens/../a.key", NULL},
        {"Basic realm=/var/opt/azcmagent/tokens/b/a.key", NULL},
        {"Basic realm=/var/opt/azcmagent/tokens/a.txt", NULL},
        {"Basic realm=/var/opt/azcmagent/tokens/.key", NULL},
        {"Basic realm=/var/opt/azcmagent/tokensx/a.key", NULL},
        {"Basic realm=", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_buf path = SC_BUF_INIT(4096);
        int32_t rc = azure_arc_file(rows[i].challenge, "/var/opt/azcmagent/tokens/", &path, &err);
        CU_ASSERT_EQUAL(rc, rows[i].path ? SR_STORAGE_OK : SR_STORAGE_E_DENIED);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&path), rows[i].path ? rows[i].path : "");
        sc_buf_done(&path);
    }
}

/* --- answers --- */

static void answers_by_table(void)
{
    static const struct {
        int status;
        const char *code;
        enum sc_class cls;
        int32_t error;
    } rows[] = {
        {403, "AuthorizationPermissionMismatch", SC_FINAL, SR_STORAGE_E_DENIED},
        {403, "AuthenticationFailed", SC_FINAL, SR_STORAGE_E_DENIED},
        {401, "InvalidAuthenticationInfo", SC_FINAL, SR_STORAGE_E_DENIED},
        {401, NULL, SC_FINAL, SR_STORAGE_E_DENIED},
        {403, "UnauthorizedBlobOverwrite", SC_FINAL, SR_STORAGE_E_EXISTS},
        {404, "BlobNotFound", SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {404, "ContainerNotFound", SC_FINAL, SR_STORAGE_E_NOT_FOUND},
        {404, NULL, SC_FEW, SR_STORAGE_E_UNAVAILABLE},
        {410, NULL, SC_FEW, SR_STORAGE_E_UNAVAILABLE},
        {409, "BlobAlreadyExists", SC_FINAL, SR_STORAGE_E_EXISTS},
        {409, "BlobImmutableDueToPolicy", SC_FINAL, SR_STORAGE_E_LOCKED},
        {409, "BlobImmutableDueToLegalHold", SC_FINAL, SR_STORAGE_E_LOCKED},
        {409, "BlobArchived", SC_FINAL, SR_STORAGE_E_UNSUPPORTED},
        {412, "ConditionNotMet", SC_FINAL, SR_STORAGE_E_EXISTS},
        {412, "LeaseIdMissing", SC_FINAL, SR_STORAGE_E_LOCKED},
        {400, "Md5Mismatch", SC_FEW, SR_STORAGE_E_CORRUPT},
        {400, "InvalidBlobOrBlock", SC_FEW, SR_STORAGE_E_CORRUPT},
        {400, "InvalidBlockList", SC_FINAL, SR_STORAGE_E_CORRUPT},
        {400, "NeverHeardOf", SC_FINAL, SR_STORAGE_E_CONFIG},
        {413, "RequestBodyTooLarge", SC_FINAL, SR_STORAGE_E_NO_SPACE},
        {500, "InternalError", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {500, "OperationTimedOut", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
        {503, "ServerBusy", SC_THROTTLED, SR_STORAGE_E_THROTTLED},
        {503, NULL, SC_THROTTLED, SR_STORAGE_E_UNAVAILABLE},
        {200, "InternalError", SC_RETRY, SR_STORAGE_E_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows * 2; i++) {
        struct rig x;
        struct azure_call c;
        struct sc_verdict v;
        int in_header = i % 2; /* HEAD has no body */
        size_t row = i / 2;
        ASSERT_OK(rig_open(&x, WITH(ACCOUNT)), x.err);
        ASSERT_OK(azure_call_begin(&c, &x.s, "GET", "k", &x.err), x.err);
        ASSERT_OK(azure_call_prepare(&c.call, &x.err), x.err);
        struct sc_response *r = &c.call.response;
        r->status = rows[row].status;
        r->body = (struct sc_buf)SC_BUF_INIT(4096);
        if (rows[row].code && in_header)
            ASSERT_OK(sc_headers_add(&r->headers, "x-ms-error-code", rows[row].code, &x.err),
                      x.err);
        else if (rows[row].code)
            sc_buf_addf(&r->body,
                        "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>words\nRequestId:1"
                        "</Message><AuthenticationErrorDetail>string to sign</"
                        "AuthenticationErrorDetail></Error>",
                        rows[row].code);
        c.root = rows[row].status == 200 ? "EnumerationResults" : NULL;
        int auth = r->status == 401 ||
                   (rows[row].code && strcmp(rows[row].code, "AuthenticationFailed") == 0);
        for (int again = 0; again < 3; again++) {
            /* A key that was replaced meanwhile is tried, once per call. */
            enum sc_class want = auth && again == 1 ? SC_AGAIN : rows[row].cls;
            if (again == 1) {
                ASSERT_OK(azure_call_prepare(&c.call, &x.err), x.err);
                x.settings[3] = "b3RoZXI=";
                c.renewed = 0;
            }
            sc_verdict_of_status(r->status, &v);
            azure_answer_judge(&c.call, &v);
            CU_ASSERT_EQUAL(v.cls, want);
            CU_ASSERT_EQUAL(v.code, rows[row].error);
            CU_ASSERT_PTR_NULL(strstr(v.text, "string to sign"));
            CU_ASSERT_PTR_NULL(strstr(v.text, "RequestId"));
            if (v.cls != want || v.code != rows[row].error)
                (void)fprintf(stderr, "%d %s: class %d, code %d\n", rows[row].status,
                              rows[row].code ? rows[row].code : "", (int)v.cls, (int)v.code);
        }
        azure_call_end(&c);
        rig_done(&x);
    }
}

/* A 2xx that lacks what the deed would bring is no success. */
static void answers_that_confirm_nothing(void)
{
    struct rig x;
    struct azure_call c;
    struct sc_verdict v;
    ASSERT_OK(rig_open(&x, WITH(ACCOUNT)), x.err);
    ASSERT_OK(azure_call_begin(&c, &x.s, "PUT", "k", &x.err), x.err);
    c.wants = "etag";
    c.call.response.status = 201;
    sc_verdict_of_status(201, &v);
    azure_answer_judge(&c.call, &v);
    CU_ASSERT_EQUAL(v.cls, SC_RETRY);
    ASSERT_OK(sc_headers_add(&c.call.response.headers, "ETag", "\"0x1\"", &x.err), x.err);
    sc_verdict_of_status(201, &v);
    azure_answer_judge(&c.call, &v);
    CU_ASSERT_EQUAL(v.cls, SC_DONE);
    azure_call_end(&c);
    rig_done(&x);
}

/* --- checksums --- */

/* "Hello Azure!" is the example of Azure's own library; 0xae8b14860a799888 the check value of
 * CRC-64/NVME for "123456789", here with its least significant byte first. */
static void sums_as_text(void)
{
    static const struct {
        const char *kind, *text, *sum;
        enum azure_sum is;
    } rows[] = {
        {"crc64", "Hello Azure!", "DtjZpL9/o8c=", AZURE_SUM_CRC64},
        {"crc64", "123456789", "iJh5CoYUi64=", AZURE_SUM_CRC64},
        {"crc64", "", "AAAAAAAAAAA=", AZURE_SUM_CRC64},
        {"md5", "123456789", "JfnnlDI7RTiF9RgfG2JNCw==", AZURE_SUM_MD5},
        {"none", "123456789", "", AZURE_SUM_NONE},
    };
    char text[AZURE_SUM_TEXT_SIZE];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig x;
        struct azure_summing *m = NULL;
        struct azure_sums sums;
        ASSERT_OK(rig_open(&x, WITH("checksum", rows[i].kind, ACCOUNT)), x.err);
        CU_ASSERT_EQUAL(azure_sum_kind(&x.s), rows[i].is);
        ASSERT_OK(azure_summing_new(&x.s, &m, &x.err), x.err);
        azure_summing_add(m, rows[i].text, strlen(rows[i].text) / 2);
        azure_summing_add(m, rows[i].text + strlen(rows[i].text) / 2,
                          strlen(rows[i].text) - strlen(rows[i].text) / 2);
        ASSERT_OK(azure_summing_end(m, &sums, &x.err), x.err);
        azure_sum_text(&sums, rows[i].is, text);
        CU_ASSERT_STRING_EQUAL(text, rows[i].sum);
        /* The whole object's MD5 goes on over the parts. */
        azure_summing_add(m, "", 0);
        ASSERT_OK(azure_summing_whole(m, text, &x.err), x.err);
        if (strcmp(rows[i].text, "123456789") == 0)
            CU_ASSERT_STRING_EQUAL(text, "JfnnlDI7RTiF9RgfG2JNCw==");
        azure_summing_free(m);
        rig_done(&x);
    }
    struct rig x;
    ASSERT_OK(rig_open(&x, WITH(ACCOUNT)), x.err);
    CU_ASSERT_EQUAL(azure_sum_kind(&x.s), AZURE_SUM_CRC64);
    rig_done(&x);
    ASSERT_OK(rig_open(&x, WITH("endpoint_url", "http://127.0.0.1:1/a", "account_key", KEY64)),
              x.err);
    CU_ASSERT_EQUAL(azure_sum_kind(&x.s), AZURE_SUM_MD5);
    rig_done(&x);
}

static void what_the_store_states(void)
{
    static const struct {
        const char *kind, *header, *value;
        int32_t code;
        uint64_t confirmed;
    } rows[] = {
        {"crc64", "x-ms-content-crc64", "iJh5CoYUi64=", SR_STORAGE_OK, SR_STORAGE_SUM_CRC64NVME},
        {"crc64", "x-ms-content-crc64", "iJh5CoYUi60=", SR_STORAGE_E_CORRUPT, 0},
        {"crc64", "content-md5", "AAAA", SR_STORAGE_OK, 0},
        {"md5", "content-md5", "JfnnlDI7RTiF9RgfG2JNCw==", SR_STORAGE_OK, SR_STORAGE_SUM_MD5},
        {"md5", "content-md5", "JfnnlDI7RTiF9RgfG2JNCg==", SR_STORAGE_E_CORRUPT, 0},
        {"none", "content-md5", "JfnnlDI7RTiF9RgfG2JNCg==", SR_STORAGE_OK, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig x;
        struct azure_summing *m = NULL;
        struct azure_sums sums;
        struct sc_response answer = {.headers = SC_HEADERS_INIT};
        struct sr_storage_saved saved = {.size = sizeof saved};
        ASSERT_OK(rig_open(&x, WITH("checksum", rows[i].kind, ACCOUNT)), x.err);
        ASSERT_OK(azure_summing_new(&x.s, &m, &x.err), x.err);
        azure_summing_add(m, "123456789", 9);
        ASSERT_OK(azure_summing_end(m, &sums, &x.err), x.err);
        ASSERT_OK(sc_headers_add(&answer.headers, rows[i].header, rows[i].value, &x.err), x.err);
        CU_ASSERT_EQUAL(azure_sums_confirm(&answer, &sums, azure_sum_kind(&x.s), &saved, &x.err),
                        rows[i].code);
        CU_ASSERT_EQUAL(saved.checksum_kind, rows[i].confirmed);
        if (rows[i].confirmed == SR_STORAGE_SUM_CRC64NVME)
            CU_ASSERT(memcmp(saved.checksum, "\xae\x8b\x14\x86\x0a\x79\x98\x88", 8) == 0);
        sc_headers_done(&answer.headers);
        azure_summing_free(m);
        rig_done(&x);
    }
}

/* --- pages --- */

struct seen {
    char keys[256];
    uint64_t flags;
    int64_t modified, locked;
};

static int32_t see(void *ctx, const struct sr_storage_entry *e)
{
    struct seen *s = ctx;
    size_t n = strlen(s->keys);
    (void)snprintf(s->keys + n, sizeof s->keys - n, "%s:%llu ", e->key,
                   (unsigned long long)e->object_size);
    s->flags |= e->flags;
    s->modified = e->modified;
    s->locked = e->locked_until;
    return 0;
}

#define BLOB(name, more)                                                                        \
    "<Blob><Name>" name "</Name>" more                                                          \
    "<Properties><Last-Modified>Sat, 21 Nov 2026 10:00:00 GMT</Last-Modified><Content-Length>5" \
    "</Content-Length></Properties></Blob>"
#define ANSWER(blobs, next) \
    "<EnumerationResults><Blobs>" blobs "</Blobs>" next "</EnumerationResults>"

static int32_t read_page(struct azure_listing *l, const char *text, int *more)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_xml *xml = NULL;
    ASSERT_OK(sc_xml_parse(text, strlen(text), &xml, &err), err);
    int32_t rc = azure_page_read(l, sc_xml_root(xml), more, &err);
    sc_xml_free(xml);
    return rc;
}

static void pages(void)
{
    const struct sr_storage_list_options o = {
        .size = sizeof o, .prefix = "s/", .start_after = "s/a", .flags = SR_STORAGE_LIST_VERSIONS};
    struct seen seen = {.keys = ""};
    const struct sr_storage_emitter emitter = {.size = sizeof emitter, .ctx = &seen, .emit = see};
    struct azure_listing l = {.o = &o, .emitter = &emitter, AZURE_LISTING_BUFS};
    int more = 0;
    CU_ASSERT_EQUAL(read_page(&l,
                              ANSWER(BLOB("s/a", "") BLOB("s/b", "<VersionId>2</VersionId>"
                                                                 "<IsCurrentVersion>true"
                                                                 "</IsCurrentVersion>")
                                         BLOB("s/c", "<Snapshot>1</Snapshot>")
                                             BLOB("s/d", "<Deleted>true</Deleted>") BLOB("t", ""),
                                     "<NextMarker>m1</NextMarker>"),
                              &more),
                    SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(seen.keys, "s/b:5 ");
    CU_ASSERT_EQUAL(seen.flags, 0);
    CU_ASSERT_EQUAL(seen.modified, 1795255200);
    CU_ASSERT_EQUAL(more, 1);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&l.marker), "m1");
    /* Empty pages are legal. */
    CU_ASSERT_EQUAL(read_page(&l, ANSWER("", "<NextMarker>m2</NextMarker>"), &more), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(more, 1);
    CU_ASSERT_EQUAL(
        read_page(&l, ANSWER(BLOB("s/e", "<VersionId>1</VersionId>"), "<NextMarker/>"), &more),
        SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(seen.keys, "s/b:5 s/e:5 ");
    CU_ASSERT_EQUAL(seen.flags, SR_STORAGE_ENTRY_OLD);
    CU_ASSERT_EQUAL(more, 0);
    azure_listing_done(&l);
}

static void pages_that_lead_nowhere(void)
{
    static const char *const bad[] = {
        ANSWER("", ""),
        "<EnumerationResults><NextMarker/></EnumerationResults>",
        ANSWER("<Blob><Properties/></Blob>", "<NextMarker/>"),
        ANSWER("<Blob><Name>s/x</Name><Properties/></Blob>", "<NextMarker/>"),
        ANSWER(BLOB("s/y", ""), "<NextMarker>m</NextMarker>"), /* the mark of this page */
        ANSWER(BLOB("s/first", ""), "<NextMarker>n</NextMarker>"),
    };
    const struct sr_storage_list_options o = {
        .size = sizeof o, .prefix = "", .start_after = "", .flags = 0};
    int more = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct seen seen = {.keys = ""};
        const struct sr_storage_emitter emitter = {
            .size = sizeof emitter, .ctx = &seen, .emit = see};
        struct azure_listing l = {.o = &o, .emitter = &emitter, AZURE_LISTING_BUFS};
        CU_ASSERT_EQUAL(
            read_page(&l, ANSWER(BLOB("s/first", ""), "<NextMarker>m</NextMarker>"), &more),
            SR_STORAGE_OK);
        CU_ASSERT_EQUAL(read_page(&l, bad[i], &more), SR_STORAGE_E_CORRUPT);
        azure_listing_done(&l);
    }
    struct seen seen = {.keys = ""};
    const struct sr_storage_emitter emitter = {.size = sizeof emitter, .ctx = &seen, .emit = see};
    struct azure_listing l = {.o = &o, .emitter = &emitter, AZURE_LISTING_BUFS};
    int32_t rc = SR_STORAGE_OK;
    int n = 0;
    for (; n < 2000 && rc == SR_STORAGE_OK; n++)
        rc = read_page(&l,
                       n % 2 ? ANSWER("", "<NextMarker>a</NextMarker>")
                             : ANSWER("", "<NextMarker>b</NextMarker>"),
                       &more);
    CU_ASSERT_EQUAL(rc, SR_STORAGE_E_CORRUPT);
    CU_ASSERT_EQUAL(n, 1001);
    azure_listing_done(&l);
}

static void locks_in_a_listing(void)
{
    const struct sr_storage_list_options o = {.size = sizeof o, .prefix = "", .start_after = ""};
    struct seen seen = {.keys = ""};
    const struct sr_storage_emitter emitter = {.size = sizeof emitter, .ctx = &seen, .emit = see};
    struct azure_listing l = {.o = &o, .emitter = &emitter, AZURE_LISTING_BUFS};
    int more = 0;
    CU_ASSERT_EQUAL(
        read_page(&l,
                  ANSWER("<Blob><Name>a</Name><Properties><Content-Length>1</Content-Length>"
                         "<ImmutabilityPolicyUntilDate>Sun, 22 Nov 2026 10:00:00 GMT"
                         "</ImmutabilityPolicyUntilDate></Properties></Blob>",
                         "<NextMarker>m</NextMarker>"),
                  &more),
        SR_STORAGE_OK);
    CU_ASSERT_EQUAL(seen.locked, 1795341600);
    CU_ASSERT_EQUAL(
        read_page(&l,
                  ANSWER("<Blob><Name>b</Name><Properties><Content-Length>1</Content-Length>"
                         "<LegalHold>true</LegalHold></Properties></Blob>",
                         "<NextMarker/>"),
                  &more),
        SR_STORAGE_OK);
    CU_ASSERT_EQUAL(seen.locked, INT64_MAX);
    azure_listing_done(&l);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"each wrong setting is named", each_wrong_setting_is_named},
        {"endpoints and accounts", endpoints_and_accounts},
        {"connection strings", connection_strings},
        {"shared access signatures", shared_access_signatures},
        {"requests by source", requests_by_source},
        {"files of Arc", files_of_arc},
        {"answers by table", answers_by_table},
        {"answers that confirm nothing", answers_that_confirm_nothing},
        {"sums as text", sums_as_text},
        {"what the store states", what_the_store_states},
        {"pages", pages},
        {"pages that lead nowhere", pages_that_lead_nowhere},
        {"locks in a listing", locks_in_a_listing},
        {NULL, NULL},
    };
    return unit_main("azure", tests);
}
