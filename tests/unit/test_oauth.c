/* plugins/common/json.h, jwt.h and oauth.h. RS256 is verified by openssl's own command. */
#include "common/encode.h"
#include "common/json.h"
#include "common/jwt.h"
#include "common/oauth.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/scripted.h"

#include <ctype.h>
#include <stdlib.h>

static char dir[] = "/tmp/sr-oauth.XXXXXX";
static struct scripted server;

static int openssl(const char *args)
{
    char command[1024];
    (void)snprintf(command, sizeof command, "cd %s && openssl %s >out 2>&1", dir, args);
    return system(command);
}

static char *slurp(const char *name, size_t *len)
{
    char path[128], *data = calloc(1, 1 << 16);
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    *len = fread(data, 1, (1 << 16) - 1, f);
    (void)fclose(f);
    return data;
}

static void spill(const char *name, const void *data, size_t len)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL(fwrite(data, 1, len, f), len);
    (void)fclose(f);
}

/* The n bytes of base64url at text, appended to out. */
static void decoded(struct sc_buf *out, const char *text, size_t n)
{
    struct sc_buf plain = SC_BUF_INIT(1 << 16);
    for (size_t i = 0; i < n; i++) {
        CU_ASSERT(isalnum((unsigned char)text[i]) || text[i] == '-' || text[i] == '_');
        sc_buf_addc(&plain, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
    }
    while (plain.len % 4)
        sc_buf_addc(&plain, '=');
    CU_ASSERT_EQUAL(sc_base64_decode(out, sc_buf_str(&plain), plain.len), SR_STORAGE_OK);
    sc_buf_done(&plain);
}

static void part_is(const char *text, size_t n, const char *wanted)
{
    struct sc_buf got = SC_BUF_INIT(1 << 16);
    decoded(&got, text, n);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&got), wanted);
    sc_buf_done(&got);
}

/* The token's parts say what they should, and openssl takes the signature; damaged, it does not. */
static void verify(const char *token, const char *public_key, const char *head, const char *claims)
{
    char command[128];
    const char *dot = strchr(token, '.'), *last = dot ? strchr(dot + 1, '.') : NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(last);
    part_is(token, (size_t)(dot - token), head);
    part_is(dot + 1, (size_t)(last - dot - 1), claims);
    struct sc_buf signature = SC_BUF_INIT(4096);
    decoded(&signature, last + 1, strlen(last + 1));
    spill("signature", signature.data, signature.len);
    spill("input", token, (size_t)(last - token));
    (void)snprintf(command, sizeof command, "dgst -sha256 -verify %s -signature signature input",
                   public_key);
    CU_ASSERT_EQUAL(openssl(command), 0);
    signature.data[7] ^= 1;
    spill("signature", signature.data, signature.len);
    CU_ASSERT_NOT_EQUAL(openssl(command), 0);
    sc_buf_done(&signature);
}

static void signed_tokens(void)
{
    static const char *const keys[] = {"pkcs8.pem", "pkcs1.pem", "large.pem"};
    static const struct {
        struct sc_jwt t;
        const char *head, *claims;
    } table[] = {
        {{.kid = "k1",
          .iss = "me@project.iam.gserviceaccount.com",
          .aud = "https://oauth2.googleapis.com/token",
          .scope = "https://www.googleapis.com/auth/devstorage.read_write",
          .iat = 1795000000,
          .exp = 1795003600},
         "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}",
         "{\"iss\":\"me@project.iam.gserviceaccount.com\","
         "\"aud\":\"https://oauth2.googleapis.com/token\","
         "\"scope\":\"https://www.googleapis.com/auth/devstorage.read_write\","
         "\"iat\":1795000000,\"exp\":1795003600}"},
        {{.x5t = "-_x", .iss = "app", .sub = "app", .aud = "a", .jti = "1", .nbf = 5, .exp = 9},
         "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"x5t\":\"-_x\"}",
         "{\"iss\":\"app\",\"sub\":\"app\",\"aud\":\"a\",\"jti\":\"1\",\"nbf\":5,\"exp\":9}"},
        {{.iss = "quote\" back\\ and \xc3\xa4", .exp = 1},
         "{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
         "{\"iss\":\"quote\\\" back\\\\ and \\u00E4\",\"exp\":1}"},
    };
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        size_t len = 0;
        char *pem = slurp(keys[k], &len);
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
            struct sc_error err = SC_ERROR_INIT;
            struct sc_buf a = SC_BUF_SECRET_INIT(SC_JWT_MAX), b = SC_BUF_SECRET_INIT(SC_JWT_MAX);
            ASSERT_OK(sc_jwt_rs256(&table[i].t, pem, len, &a, &err), err);
            verify(sc_buf_str(&a), k == 2 ? "large.pub" : "key.pub", table[i].head,
                   table[i].claims);
            ASSERT_OK(sc_jwt_rs256(&table[i].t, pem, len, &b, &err), err);
            CU_ASSERT_STRING_EQUAL(sc_buf_str(&a), sc_buf_str(&b));
            sc_buf_done(&a);
            sc_buf_done(&b);
        }
        free(pem);
    }
}

static void keys_that_will_not_do(void)
{
    static const struct {
        const char *file, *says;
    } table[] = {{"ec.pem", "no RSA key"},      {"small.pem", "1024 bits"},
                 {"locked.pem", "pass phrase"}, {"key.pub", "no private key"},
                 {"nothing", "no private key"}, {"broken.pem", "no private key"}};
    const struct sc_jwt t = {.iss = "me"};
    spill("nothing", "", 0);
    spill("broken.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 58);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t len = 0;
        struct sc_error err = SC_ERROR_INIT;
        struct sc_buf out = SC_BUF_SECRET_INIT(SC_JWT_MAX);
        char *pem = slurp(table[i].file, &len);
        CU_ASSERT_EQUAL(sc_jwt_rs256(&t, pem, len, &out, &err), SR_STORAGE_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, table[i].says));
        CU_ASSERT_EQUAL(out.len, 0);
        sc_buf_done(&out);
        free(pem);
    }
}

static void thumbprint(void)
{
    size_t len = 0;
    struct sc_error err = SC_ERROR_INIT;
    struct sc_buf out = SC_BUF_INIT(64), raw = SC_BUF_INIT(64);
    char hex[41], said[41] = "", *cert = slurp("cert.pem", &len);
    ASSERT_OK(sc_jwt_x5t(cert, len, &out, &err), err);
    CU_ASSERT_EQUAL(out.len, 27);
    decoded(&raw, sc_buf_str(&out), out.len);
    CU_ASSERT_EQUAL_FATAL(raw.len, 20);
    sc_hex(hex, raw.data, raw.len);
    free(cert);
    CU_ASSERT_EQUAL(openssl("x509 -in cert.pem -noout -fingerprint -sha1"), 0);
    char *print = slurp("out", &len), *p = strchr(print, '=');
    for (size_t n = 0; p && *++p && n < 40;)
        if (isxdigit((unsigned char)*p))
            said[n++] = (char)tolower((unsigned char)*p);
    CU_ASSERT_STRING_EQUAL(hex, said);
    free(print);
    CU_ASSERT_EQUAL(sc_jwt_x5t("no", 2, &out, &err), SR_STORAGE_E_CONFIG);
    sc_buf_done(&out);
    sc_buf_done(&raw);
}

static void answers(void)
{
    static const struct {
        const char *text;
        int32_t code;
        const char *token_or_says;
        int64_t expires;
    } table[] = {
        {"{\"access_token\":\"ya29.a-b_c/=\",\"expires_in\":3599,\"token_type\":\"Bearer\"}", 0,
         "ya29.a-b_c/=", 4599},
        {"{\"access_token\":\"t\",\"expires_in\":\"86399\",\"token_type\":\"bearer\"}", 0, "t",
         87399},
        {"{\"access_token\":\"t\",\"expires_in\":9999999}", 0, "t", 1000 + SC_OAUTH_LIFE_MAX},
        {"{\"access_token\":\"t\",\"expires_on\":\"1500\"}", 0, "t", 1500},
        {"{\"access_token\":\"t\",\"expires_on\":\"500\"}", 0, "t", 1000},
        {"{\"access_token\":\"t\"}", 0, "t", 1000 + SC_OAUTH_LIFE_UNTOLD},
        {"{\"access_token\":\"t\",\"expires_in\":-5}", SR_STORAGE_E_CORRUPT, "expires_in", 0},
        {"{\"access_token\":\"t\",\"expires_in\":null}", SR_STORAGE_E_CORRUPT, "expires_in", 0},
        {"{\"access_token\":\"hun\\nter2\"}", SR_STORAGE_E_CORRUPT, "character", 0},
        {"{\"access_token\":\"hun\\u0000ter2\"}", SR_STORAGE_E_CORRUPT, "JSON", 0},
        {"{\"access_token\":\"hunter2\\u00e4\"}", SR_STORAGE_E_CORRUPT, "character", 0},
        {"{\"access_token\":\"\"}", SR_STORAGE_E_CORRUPT, "empty", 0},
        {"{\"access_token\":\"hunter2\",\"token_type\":\"mac\"}", SR_STORAGE_E_UNSUPPORTED, "mac",
         0},
        {"{\"access_token\":\"a\",\"access_token\":\"hunter2\"}", SR_STORAGE_E_CORRUPT, "JSON", 0},
        {"{\"access_token\":12}", SR_STORAGE_E_CORRUPT, "without", 0},
        {"[\"hunter2\"]", SR_STORAGE_E_CORRUPT, "JSON", 0},
        {"{\"access_token\":\"hunter2\"", SR_STORAGE_E_CORRUPT, "JSON", 0},
        {"", SR_STORAGE_E_CORRUPT, "JSON", 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sc_cred *c = NULL;
        struct sc_error err = SC_ERROR_INIT;
        int32_t rc = sc_oauth_parse("it", table[i].text, strlen(table[i].text), 1000, &c, &err);
        CU_ASSERT_EQUAL(rc, table[i].code);
        CU_ASSERT_PTR_NULL(strstr(err.text, "ter2"));
        if (rc == SR_STORAGE_OK) {
            CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&c->token), table[i].token_or_says);
            CU_ASSERT_EQUAL(c->expires, table[i].expires);
        } else {
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, table[i].token_or_says));
        }
        sc_cred_unref(c);
    }
    char *large = calloc(1, SC_OAUTH_REPLY_MAX + 2);
    struct sc_error err = SC_ERROR_INIT;
    struct sc_cred *c = NULL;
    memset(large, ' ', SC_OAUTH_REPLY_MAX + 1);
    CU_ASSERT_EQUAL(sc_oauth_parse("it", large, SC_OAUTH_REPLY_MAX + 1, 0, &c, &err),
                    SR_STORAGE_E_CORRUPT);
    free(large);
}

/* --- asking ---------------------------------------------------------------------------------- */

struct asked {
    struct test_host h;
    struct sc_http *http;
    struct sc_aws_clock clock;
    char url[64];
    int forms;
    int64_t last_now;
};

static int32_t form(void *ctx, int64_t now, struct sc_buf *form, struct sc_error *err)
{
    struct asked *a = ctx;
    a->forms++;
    a->last_now = now;
    sc_oauth_field(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
    sc_oauth_field(form, "nothing", NULL);
    sc_oauth_field(form, "assertion", "hunter2+/");
    return a->forms > 99 ? sc_fail(err, SR_STORAGE_E_CONFIG, "no form") : SR_STORAGE_OK;
}

static int32_t post(struct asked *a, const char *rules, struct sc_cred **c, struct sc_error *err)
{
    static const struct sc_http_options plain = {.label = "test"};
    *a = (struct asked){.clock = SC_AWS_CLOCK_INIT};
    test_host_init(&a->h);
    a->h.random = 0;
    ASSERT_OK(sc_http_new(&a->h.host, &plain, &a->http, err), *err);
    (void)snprintf(a->url, sizeof a->url, "http://127.0.0.1:%u/token", server.port);
    const struct sc_oauth_ask ask = {.who = "the endpoint",
                                     .url = a->url,
                                     .form = form,
                                     .ctx = a,
                                     .authorization = "Basic eDp5",
                                     .clock = &a->clock};
    scripted_rules(&server, rules);
    return sc_oauth_post(a->http, &a->h.host, &ask, c, err);
}

static void post_done(struct asked *a)
{
    CU_ASSERT_PTR_NULL(strstr(sc_buf_str(&a->h.log), "hunter2"));
    sc_http_free(a->http);
    test_host_done(&a->h);
}

static void a_form_is_posted(void)
{
    struct asked a;
    struct sc_cred *c = NULL;
    struct sc_error err = SC_ERROR_INIT;
    ASSERT_OK(post(&a,
                   "[{'match': 'POST', 'reply': {'body':"
                   "'{\\'access_token\\': \\'T\\', \\'expires_in\\': 60}'}}]",
                   &c, &err),
              err);
    if (c)
        CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&c->token), "T");
    json_t *all = scripted_requests(&server);
    CU_ASSERT_STRING_EQUAL(scripted_field(all, 0, "target"), "/token");
    CU_ASSERT_STRING_EQUAL(scripted_field(all, 0, "body"),
                           "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
                           "&assertion=hunter2%2B%2F");
    CU_ASSERT_STRING_EQUAL(scripted_header(all, 0, "Content-Type"),
                           "application/x-www-form-urlencoded");
    CU_ASSERT_STRING_EQUAL(scripted_header(all, 0, "Authorization"), "Basic eDp5");
    json_decref(all);
    sc_cred_unref(c);
    post_done(&a);
}

static void refusals(void)
{
    static const struct {
        const char *reply;
        int32_t code;
        const char *says;
        int forms;
    } table[] = {
        {"'status': 400, 'body': '{\\'error\\': \\'invalid_grant\\', "
         "\\'error_description\\': \\'Invalid JWT Signature.\\'}'",
         SR_STORAGE_E_DENIED, "HTTP 400 invalid_grant: Invalid JWT Signature.", 1},
        {"'status': 401, 'body': '{\\'error\\': \\'invalid_client\\'}'", SR_STORAGE_E_DENIED,
         "HTTP 401 invalid_client", 1},
        {"'status': 403, 'body': '{\\'error\\': {\\'code\\': 403, \\'status\\': "
         "\\'PERMISSION_DENIED\\', \\'message\\': \\'no\\'}}'",
         SR_STORAGE_E_DENIED, "HTTP 403 PERMISSION_DENIED: no", 1},
        {"'status': 404, 'body': 'gone'", SR_STORAGE_E_DENIED, "HTTP 404", 1},
        {"'status': 302, 'headers': {'Location': 'http://evil.invalid/'}", SR_STORAGE_E_CONFIG,
         "HTTP 302", 1},
        {"'status': 503, 'body': '{\\'error\\': \\'temporarily_unavailable\\'}'",
         SR_STORAGE_E_UNAVAILABLE, "temporarily_unavailable", 8},
        {"'status': 400, 'body': '{\\'error\\': \\'server_error\\'}'", SR_STORAGE_E_UNAVAILABLE,
         "server_error", 8},
        {"'status': 200, 'body': 'no JSON'", SR_STORAGE_E_CORRUPT, "JSON", 1},
        {"'status': 200, 'repeat': [' ', 300000]", SR_STORAGE_E_CORRUPT, "more than", 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct asked a;
        char rules[512];
        struct sc_cred *c = NULL;
        struct sc_error err = SC_ERROR_INIT;
        (void)snprintf(rules, sizeof rules, "[{'match': 'POST', 'reply': {%s}}]", table[i].reply);
        CU_ASSERT_EQUAL(post(&a, rules, &c, &err), table[i].code);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, table[i].says));
        CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
        CU_ASSERT_EQUAL(a.forms, table[i].forms);
        CU_ASSERT_PTR_NULL(c);
        post_done(&a);
    }
}

/* A Date of another day is no reason for anything when it came over plain HTTP. */
static void an_unverified_clock_is_not_believed(void)
{
    struct asked a;
    struct sc_cred *c = NULL;
    struct sc_error err = SC_ERROR_INIT;
    CU_ASSERT_EQUAL(post(&a,
                         "[{'match': 'POST', 'reply': {'status': 400, 'headers': {'Date': 'Sun, 06 "
                         "Nov 1994 08:49:37 GMT'}, 'body': '{\\'error\\': \\'invalid_grant\\'}'}}]",
                         &c, &err),
                    SR_STORAGE_E_DENIED);
    CU_ASSERT_EQUAL(a.forms, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(sc_buf_str(&a.h.log), "set this machine's clock"));
    post_done(&a);
}

static void only_over_tls(void)
{
    static const struct {
        const char *url;
        const char *says;
    } table[] = {{"http://token.example.org/x", "use https://"},
                 {"ftp://token.example.org/", "neither http nor https"},
                 {"token", "must begin with"},
                 {"https://user:hunter2@host/", "no user name"},
                 {"https://ho st/", "host"},
                 {"https://host/\r\nX: y", "not encoded"}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct asked a = {.clock = SC_AWS_CLOCK_INIT};
        struct sc_cred *c = NULL;
        struct sc_error err = SC_ERROR_INIT;
        const struct sc_http_options plain = {.label = "test"};
        const struct sc_oauth_ask ask = {.who = "it", .url = table[i].url, .form = form, .ctx = &a};
        test_host_init(&a.h);
        ASSERT_OK(sc_http_new(&a.h.host, &plain, &a.http, &err), err);
        CU_ASSERT_EQUAL(sc_oauth_post(a.http, &a.h.host, &ask, &c, &err), SR_STORAGE_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, table[i].says));
        CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
        post_done(&a);
    }
}

static const struct unit_test tests[] = {
    {"tokens that openssl verifies", signed_tokens},
    {"keys that will not do", keys_that_will_not_do},
    {"a certificate's thumbprint", thumbprint},
    {"answers of a token endpoint", answers},
    {"a form is posted", a_form_is_posted},
    {"refusals", refusals},
    {"a clock that nobody verified", an_unverified_clock_is_not_believed},
    {"only over TLS", only_over_tls},
    {0},
};

int main(void)
{
    struct sc_error err = SC_ERROR_INIT;
    char command[64];
    if (sc_http_global_init(&err) != SR_STORAGE_OK || !mkdtemp(dir))
        return 2;
    int made = openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out pkcs8.pem") ||
               openssl("rsa -in pkcs8.pem -traditional -out pkcs1.pem") ||
               openssl("rsa -in pkcs8.pem -pubout -out key.pub") ||
               openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out large.pem") ||
               openssl("rsa -in large.pem -pubout -out large.pub") ||
               openssl("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out small.pem") ||
               openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem") ||
               openssl("pkcs8 -topk8 -in pkcs8.pem -passout pass:x -out locked.pem") ||
               openssl("req -x509 -new -key pkcs8.pem -subj /CN=test -days 1 -out cert.pem");
    scripted_start(&server, NULL);
    int rc = made ? 2 : unit_main("oauth", tests);
    scripted_stop(&server);
    (void)snprintf(command, sizeof command, "rm -r %s", dir);
    return system(command) == 0 ? rc : 2;
}
