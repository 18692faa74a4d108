/* plugins/common/aws_*: what is parsed and decided without anybody else. tests/unit/aws_sources.sh
 * tries the sources against servers that check what they are sent. */
#include "common/aws_private.h"
#include "common/aws_profile.h"
#include "common/aws_settings.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

/* --- profiles --- */

static struct sc_aws_profiles *parsed(const char *credentials, const char *config)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_aws_profiles *p = sc_aws_profiles_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    ASSERT_OK(sc_aws_profiles_parse(p, SC_AWS_FILE_CREDENTIALS, "C", credentials,
                                    strlen(credentials), &err),
              err);
    ASSERT_OK(sc_aws_profiles_parse(p, SC_AWS_FILE_CONFIG, "F", config, strlen(config), &err), err);
    return p;
}

static void same(const struct sc_aws_profiles *p, const char *profile, const char *key,
                 const char *wanted)
{
    const char *got = sc_aws_profile_get(p, profile, key);
    CU_ASSERT_EQUAL(got != NULL, wanted != NULL);
    if (got && wanted)
        CU_ASSERT_STRING_EQUAL(got, wanted);
}

static void profile_files(void)
{
    struct sc_aws_profiles *p = parsed(
        "\xef\xbb\xbf# keys\r\n[default]\r\naws_access_key_id = A\r\n"
        "AWS_Secret_Access_Key=B=c:d\n"
        "[x]\naws_access_key_id: X\n\n; nothing\n[profile y]\nregion = never\n",
        "[default]\nregion = eu-west-1\naws_access_key_id = LATER\n"
        "[profile x]  # behind\nregion=r1\nregion=r2\ncredential_process = /bin/p\n"
        "  --with   blanks\n\t'x'\n"
        "s3 =\n  max = 3\n  min = 4\n"
        "[ profile \"with blank\" ]\nregion = b\n"
        "[profile empty]\n[lonely]\nregion = l\n[sso-session s]\nsso_region = q\n  go = on\n");
    same(p, "default", "aws_access_key_id", "A");
    same(p, "default", "aws_secret_access_key", "B=c:d");
    same(p, "default", "region", "eu-west-1");
    same(p, "x", "aws_access_key_id", "X");
    same(p, "x", "region", "r2");
    same(p, "x", "credential_process", "/bin/p\n--with   blanks\n'x'");
    same(p, "x", "s3", "\nmax = 3\nmin = 4");
    same(p, "x", "max", NULL);
    same(p, "with blank", "region", "b");
    same(p, "y", "region", NULL);
    same(p, "s", "sso_region", NULL);
    CU_ASSERT(sc_aws_profile_exists(p, "empty"));
    CU_ASSERT_FALSE(sc_aws_profile_exists(p, "lonely"));
    CU_ASSERT(sc_aws_profile_is_misnamed(p, "lonely"));
    CU_ASSERT_FALSE(sc_aws_profile_is_misnamed(p, "x"));
    same(p, "lonely", "region", NULL);
    CU_ASSERT_STRING_EQUAL(sc_aws_profile_key_like(p, "x", "cred"), "credential_process");
    CU_ASSERT_PTR_NULL(sc_aws_profile_key_like(p, "x", "sso_"));
    sc_aws_profiles_free(p);
}

static void profile_default(void)
{
    struct sc_aws_profiles *p =
        parsed("", "[profile default]\nregion = a\n[default]\nregion = b\noutput = json\n");
    same(p, "default", "region", "a");
    same(p, "default", "output", "json");
    sc_aws_profiles_free(p);
}

/* Halves from two files make no pair, and a token goes with the keys of its own file. */
static void profile_keys(void)
{
    struct sc_aws_profile_keys k = {0};
    struct sc_error err = SC_ERROR_INIT;
    struct sc_aws_profiles *p =
        parsed("[a]\naws_access_key_id=A\naws_secret_access_key=S\n[b]\naws_access_key_id=B\n"
               "[d]\naws_access_key_id=D\naws_secret_access_key=S\naws_session_token=T\n",
               "[profile a]\naws_session_token=OLD\n[profile b]\naws_secret_access_key=X\n"
               "[profile c]\naws_access_key_id=C\naws_secret_access_key=S\n[profile none]\n");
    ASSERT_OK(sc_aws_profile_keys(p, "a", &k, &err), err);
    CU_ASSERT_STRING_EQUAL(k.id, "A");
    CU_ASSERT_PTR_NULL(k.token);
    CU_ASSERT_EQUAL(sc_aws_profile_keys(p, "b", &k, &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(err.text, "profile 'b' of C has aws_access_key_id without "
                                     "aws_secret_access_key; both belong there");
    ASSERT_OK(sc_aws_profile_keys(p, "c", &k, &err), err);
    CU_ASSERT_STRING_EQUAL(k.path, "F");
    ASSERT_OK(sc_aws_profile_keys(p, "d", &k, &err), err);
    CU_ASSERT_STRING_EQUAL(k.token, "T");
    CU_ASSERT_EQUAL(sc_aws_profile_keys(p, "none", &k, &err), SR_STORAGE_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sc_aws_profile_keys(p, "nowhere", &k, &err), SR_STORAGE_E_NOT_FOUND);
    sc_aws_profiles_free(p);
}

/* The line is told by its number; what stands in it may be a secret. */
static void profile_errors(void)
{
    static const struct {
        const char *text, *says;
    } table[] = {
        {"a = b\n", "F, line 1: it stands before the first [section]"},
        {"[default]\n\nhunter2\n", "F, line 3: neither a [section] nor a pair NAME = VALUE"},
        {"[default]\n= hunter2\n", "F, line 2: neither"},
        {"[default\n", "F, line 1: the section's ']' is missing"},
        {"[]\n", "F, line 1: the section has no name"},
        {"[default] hunter2\n", "F, line 1: something stands behind"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_aws_profiles *p = sc_aws_profiles_new();
        CU_ASSERT_EQUAL(sc_aws_profiles_parse(p, SC_AWS_FILE_CONFIG, "F", table[i].text,
                                              strlen(table[i].text), &err),
                        SR_STORAGE_E_CONFIG);
        CU_ASSERT_EQUAL(strncmp(err.text, table[i].says, strlen(table[i].says)), 0);
        CU_ASSERT_PTR_NULL(strstr(err.text, "hunter2"));
        sc_aws_profiles_free(p);
    }
}

static void profile_bounds(void)
{
    struct sc_error err = SC_ERROR_INIT;
    size_t len = SC_AWS_PROFILE_FILE_MAX + 1;
    char *text = malloc(len);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, '\n', len);
    struct sc_aws_profiles *p = sc_aws_profiles_new();
    CU_ASSERT_EQUAL(sc_aws_profiles_parse(p, SC_AWS_FILE_CONFIG, "F", text, len, &err),
                    SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(sc_aws_profiles_parse(p, SC_AWS_FILE_CONFIG, "F", "[a]\0", 4, &err),
                    SR_STORAGE_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "NUL"));
    /* A value that goes on and on. */
    size_t n = (size_t)snprintf(text, len, "[default]\nk = v\n");
    while (n + 1024 < len) {
        memset(text + n, 'x', 1024);
        text[n] = ' ';
        text[n + 1023] = '\n';
        n += 1024;
    }
    CU_ASSERT_EQUAL(sc_aws_profiles_parse(p, SC_AWS_FILE_CONFIG, "F", text, n, &err),
                    SR_STORAGE_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "too long"));
    sc_aws_profiles_free(p);
    free(text);
}

/* --- words --- */

static void words(void)
{
    static const struct {
        const char *command, *joined; /* by '|'; NULL: refused */
    } table[] = {
        {"/bin/p --a  b\tc\nd", "/bin/p|--a|b|c|d"},
        {"p 'a  b' \"c d\" e\\ f", "p|a  b|c d|e f"},
        {"p ''", "p|"},
        {"p a'b'\"c\"d", "p|abcd"},
        {"p \"a\\\"b\\\\c\\d\"", "p|a\"b\\c\\d"},
        {"p 'a\\b'", "p|a\\b"},
        {"p $HOME `x` ; | # ~ *", "p|$HOME|`x`|;|||#|~|*"},
        {"p 'a", NULL},
        {"p \"a", NULL},
        {"p a\\", NULL},
        {"", NULL},
        {" \t ", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_buf b = SC_BUF_INIT(1024);
        char **w = NULL;
        int32_t rc = sc_aws_words_split(table[i].command, &w, &err);
        CU_ASSERT_EQUAL(rc, table[i].joined ? SR_STORAGE_OK : SR_STORAGE_E_CONFIG);
        for (size_t k = 0; w && w[k]; k++)
            (void)sc_buf_addf(&b, "%s%s", k ? "|" : "", w[k]);
        if (table[i].joined)
            CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), table[i].joined);
        sc_buf_done(&b);
        sc_aws_words_free(w);
    }
}

/* --- documents --- */

static void documents(void)
{
#define GOOD "\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"S\""
#define TEMP GOOD ", \"Token\": \"T\", \"Expiration\": \"2026-11-21T10:00:00Z\""
    static const struct {
        enum sc_aws_dialect dialect;
        const char *text;
        int32_t code;
        const char *says;
    } table[] = {
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": 1, " GOOD "}", SR_STORAGE_OK, NULL},
        {SC_AWS_DIALECT_PROCESS,
         "{\"Version\": 1, " GOOD ", \"SessionToken\": \"T\", \"Expiration\": "
         "\"2026-11-21T11:00:00+01:00\"}",
         SR_STORAGE_OK, NULL},
        {SC_AWS_DIALECT_PROCESS, "{" GOOD "}", SR_STORAGE_E_CORRUPT, "Version"},
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": \"1\", " GOOD "}", SR_STORAGE_E_CORRUPT, "Version"},
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": 2, " GOOD "}", SR_STORAGE_E_CORRUPT, "Version"},
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": 1, \"AccessKeyId\": \"A\"}", SR_STORAGE_E_CORRUPT,
         "SecretAccessKey"},
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": 1, " GOOD ", \"Expiration\": 7}",
         SR_STORAGE_E_CORRUPT, "Expiration"},
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": 1, " GOOD ", \"Expiration\": \"tomorrow\"}",
         SR_STORAGE_E_CORRUPT, "Expiration"},
        {SC_AWS_DIALECT_PROCESS, "", SR_STORAGE_E_CORRUPT, "JSON"},
        {SC_AWS_DIALECT_PROCESS, "[]", SR_STORAGE_E_CORRUPT, "JSON"},
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": 1, " GOOD, SR_STORAGE_E_CORRUPT, "JSON"},
        {SC_AWS_DIALECT_PROCESS, "{\"Version\": 1, " GOOD "} x", SR_STORAGE_E_CORRUPT, "JSON"},
        {SC_AWS_DIALECT_CONTAINER, "{" TEMP "}", SR_STORAGE_OK, NULL},
        {SC_AWS_DIALECT_CONTAINER, "{" GOOD "}", SR_STORAGE_E_CORRUPT, "Token"},
        {SC_AWS_DIALECT_CONTAINER, "{" TEMP ", \"Code\": \"Nope\", \"Message\": \"why\"}",
         SR_STORAGE_E_DENIED, "Nope: why"},
        {SC_AWS_DIALECT_IMDS, "{\"Code\": \"Success\", " TEMP "}", SR_STORAGE_OK, NULL},
        {SC_AWS_DIALECT_IMDS, "{" TEMP "}", SR_STORAGE_E_DENIED, "no Code"},
        {SC_AWS_DIALECT_IMDS, "{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"m\"}",
         SR_STORAGE_E_DENIED, "AssumeRoleUnauthorizedAccess: m"},
        {SC_AWS_DIALECT_CONTAINER,
         "{\"AccessKeyId\": \"A\\nB\", \"SecretAccessKey\": \"S\", \"Token\": \"T\", "
         "\"Expiration\": \"2026-11-21T10:00:00Z\"}",
         SR_STORAGE_E_CORRUPT, "control"},
        {SC_AWS_DIALECT_CONTAINER,
         "{\"AccessKeyId\": \"\", \"SecretAccessKey\": \"S\", \"Token\": \"T\", "
         "\"Expiration\": \"2026-11-21T10:00:00Z\"}",
         SR_STORAGE_E_CORRUPT, "missing"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_cred *c = NULL;
        int32_t rc = sc_aws_document_parse(table[i].dialect, "W", table[i].text,
                                           strlen(table[i].text), &c, &err);
        CU_ASSERT_EQUAL(rc, table[i].code);
        if (rc != table[i].code || (table[i].says && !strstr(err.text, table[i].says)))
            (void)fprintf(stderr, "document %zu: %s\n", i, err.text);
        if (table[i].says)
            CU_ASSERT_PTR_NOT_NULL(strstr(err.text, table[i].says));
        CU_ASSERT_EQUAL(c != NULL, table[i].code == SR_STORAGE_OK);
        if (c && c->token.len)
            CU_ASSERT_EQUAL(c->expires, 1795255200);
        sc_cred_unref(c);
    }
}

/* --- places --- */

static void container_urls(void)
{
    static const struct {
        const char *relative, *full, *url; /* NULL: refused */
    } table[] = {
        {"/v2/credentials/1?a=b", NULL, "http://169.254.170.2/v2/credentials/1?a=b"},
        {"v2", NULL, NULL},
        {"@evil.example/", NULL, NULL},
        {".evil.example/", NULL, NULL},
        /* Relative goes first, as everywhere. */
        {"/v2", "http://127.0.0.1/x", "http://169.254.170.2/v2"},
        {NULL, "http://169.254.170.23/v1/credentials", "http://169.254.170.23/v1/credentials"},
        {NULL, "http://[fd00:ec2::23]/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"},
        {NULL, "http://169.254.170.2/x", "http://169.254.170.2/x"},
        {NULL, "http://127.0.0.1:9/x", "http://127.0.0.1:9/x"},
        {NULL, "http://[::1]:9/x", "http://[::1]:9/x"},
        {NULL, "http://localhost/x", "http://localhost/x"},
        {NULL, "https://agent.example/x", "https://agent.example/x"},
        {NULL, "http://agent.example/x", NULL},
        {NULL, "http://169.254.169.254/x", NULL},
        {NULL, "http://169.254.170.2.evil.example/x", NULL},
        {NULL, "http://127.0.0.1@evil.example/x", NULL},
        {NULL, "http://localhost.evil.example/x", NULL},
        {NULL, "ftp://127.0.0.1/x", NULL},
        {NULL, "169.254.170.2/x", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sc_error err = SC_ERROR_INIT;
        struct sc_buf url = SC_BUF_INIT(4096);
        int32_t rc = sc_aws_container_url(table[i].relative, table[i].full, &url, &err);
        CU_ASSERT_EQUAL(rc, table[i].url ? SR_STORAGE_OK : SR_STORAGE_E_CONFIG);
        if (rc != (table[i].url ? SR_STORAGE_OK : SR_STORAGE_E_CONFIG))
            (void)fprintf(stderr, "url %zu: %s\n", i, err.text);
        if (table[i].url)
            CU_ASSERT_STRING_EQUAL(sc_buf_str(&url), table[i].url);
        sc_buf_done(&url);
    }
}

static void sts_hosts(void)
{
    static const struct {
        const char *region;
        int legacy;
        const char *host, *signs;
    } table[] = {
        {"eu-west-1", 0, "sts.eu-west-1.amazonaws.com", "eu-west-1"},
        {"eu-west-1", 1, "sts.amazonaws.com", "us-east-1"},
        {"us-east-1", 0, "sts.us-east-1.amazonaws.com", "us-east-1"},
        {"cn-north-1", 0, "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
        {"cn-north-1", 1, "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
        {"us-gov-west-1", 1, "sts.us-gov-west-1.amazonaws.com", "us-gov-west-1"},
        {"us-iso-east-1", 0, "sts.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"},
        {"us-isob-east-1", 0, "sts.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"},
        {"auto", 0, "sts.amazonaws.com", "us-east-1"},
        {"garage", 0, "sts.amazonaws.com", "us-east-1"},
        {"evil.example/-x-1", 0, "sts.amazonaws.com", "us-east-1"},
        {NULL, 0, "sts.amazonaws.com", "us-east-1"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct sc_buf host = SC_BUF_INIT(255);
        const char *signs = NULL;
        CU_ASSERT_EQUAL(sc_aws_sts_host(table[i].region, table[i].legacy, &host, &signs),
                        SR_STORAGE_OK);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&host), table[i].host);
        CU_ASSERT_STRING_EQUAL(signs, table[i].signs);
        sc_buf_done(&host);
    }
}

/* --- the clock --- */

static void clock_offset(void)
{
    struct sc_aws_clock c = SC_AWS_CLOCK_INIT;
    struct test_host h;
    test_host_init(&h);
    h.wall = 1000000;
    struct sc_response r = {.date = 1000020, .date_trusted = 1};
    CU_ASSERT_FALSE(sc_aws_clock_learn(&c, &h.host, &r)); /* no difference worth it */
    CU_ASSERT_EQUAL(sc_aws_clock_now(&c, &h.host), 1000000);
    r.date = 1003600;
    r.date_trusted = 0;
    CU_ASSERT_FALSE(sc_aws_clock_learn(&c, &h.host, &r)); /* anybody may have said that */
    CU_ASSERT_EQUAL(sc_aws_clock_now(&c, &h.host), 1000000);
    r.date_trusted = 1;
    CU_ASSERT(sc_aws_clock_learn(&c, &h.host, &r));
    CU_ASSERT_EQUAL(sc_aws_clock_now(&c, &h.host), 1003600);
    CU_ASSERT_FALSE(
        sc_aws_clock_learn(&c, &h.host, &r)); /* it goes on complaining: once is enough */
    h.wall = 1003600;                         /* somebody sets our clock */
    CU_ASSERT(sc_aws_clock_learn(&c, &h.host, &r));
    CU_ASSERT_EQUAL(sc_aws_clock_now(&c, &h.host), 1003600);
    r.date = 0;
    CU_ASSERT_FALSE(sc_aws_clock_learn(&c, &h.host, &r));
    CU_ASSERT_EQUAL(sc_aws_clock_now(NULL, &h.host), 1003600);
    CU_ASSERT(sc_aws_clock_is_skew("RequestTimeTooSkewed"));
    CU_ASSERT_FALSE(sc_aws_clock_is_skew("AccessDenied"));
    test_host_done(&h);
}

/* --- the table --- */

static void table_of_settings(void)
{
    static const struct sr_storage_setting table[] = {SC_AWS_SETTINGS{0}};
    static const char *const secrets[] = {"secret_access_key", "session_token",
                                          "aws_secret_access_key", "aws_session_token",
                                          "container_authorization_token"};
    size_t n = 0, secret = 0;
    for (const struct sr_storage_setting *r = table; r->key; r++, n++) {
        CU_ASSERT_EQUAL(r->size, sizeof *r);
        CU_ASSERT_PTR_NOT_NULL(r->help);
        CU_ASSERT_EQUAL(r->flags & SR_STORAGE_SETTING_PLACE, 0);
        for (const struct sr_storage_setting *s = table; s < r; s++) {
            CU_ASSERT_STRING_NOT_EQUAL(r->key, s->key);
            if (r->names && s->names)
                CU_ASSERT_STRING_NOT_EQUAL(r->names, s->names);
        }
        secret += (r->flags & SR_STORAGE_SETTING_SECRET) != 0;
        for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
            if (strcmp(r->key, secrets[i]) == 0)
                CU_ASSERT(r->flags & SR_STORAGE_SETTING_SECRET);
    }
    CU_ASSERT_EQUAL(n, 26);
    CU_ASSERT_EQUAL(secret, sizeof secrets / sizeof *secrets);
}

/* --- sources that need nobody --- */

static int32_t get(const char *const *settings, struct sc_cred **ret, struct sc_error *err)
{
    struct test_host h;
    struct sc_creds *creds = NULL;
    test_host_init(&h);
    h.settings = settings;
    int32_t rc = sc_aws_creds_new(&h.host, &(struct sc_aws_options){.label = "s3"}, &creds, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_creds_get(creds, &h.host, ret, err);
    sc_creds_free(creds);
    test_host_done(&h);
    return rc;
}

static void keys_of_settings(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_cred *c = NULL;
    /* The store's own keys go first, and never with the environment's token. */
    ASSERT_OK(
        get((const char *[]){"access_key_id", "OWN", "secret_access_key", "s1", "aws_access_key_id",
                             "ENV", "aws_secret_access_key", "s2", "aws_session_token", "t2", NULL},
            &c, &err),
        err);
    CU_ASSERT_STRING_EQUAL(c->id, "OWN");
    CU_ASSERT_EQUAL(c->token.len, 0);
    CU_ASSERT_EQUAL(c->expires, 0);
    CU_ASSERT_STRING_EQUAL(c->source, "the store's own access_key_id");
    sc_cred_unref(c);
    ASSERT_OK(get((const char *[]){"aws_access_key_id", "ENV", "aws_secret_access_key", "s2",
                                   "aws_session_token", "t2", NULL},
                  &c, &err),
              err);
    CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&c->token), "t2");
    CU_ASSERT_STRING_EQUAL(c->source, "AWS_ACCESS_KEY_ID");
    sc_cred_unref(c);
    static const struct {
        const char *settings[5], *says;
    } bad[] = {
        {{"access_key_id", "A"}, "set without secret_access_key"},
        {{"secret_access_key", "hunter2"}, "secret_access_key is set without"},
        {{"aws_access_key_id", "A"}, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY"},
        {{"aws_secret_access_key", "hunter2"}, "AWS_SECRET_ACCESS_KEY is set without"},
        {{"access_key_id", "A B", "secret_access_key", "hunter2"}, "access key id"},
        {{"access_key_id", "A", "secret_access_key", "hunter2\n"}, "control character"},
        {{"credentials", "moon"}, "no such source"},
        {{"web_identity_token_file", "/t"}, "without AWS_ROLE_ARN"},
        {{"credentials", "environment", "access_key_id", "A"}, "no credentials found"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sc_error why = SC_ERROR_INIT;
        CU_ASSERT_NOT_EQUAL(get(bad[i].settings, &c, &why), SR_STORAGE_OK);
        if (!strstr(why.text, bad[i].says))
            (void)fprintf(stderr, "wanted '%s', got '%s'\n", bad[i].says, why.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(why.text, bad[i].says));
        CU_ASSERT_PTR_NULL(strstr(why.text, "hunter2"));
    }
}

static const struct unit_test tests[] = {
    {"profiles: two files", profile_files},
    {"profiles: [profile default] and [default]", profile_default},
    {"profiles: keys are a pair of one file", profile_keys},
    {"profiles: errors", profile_errors},
    {"profiles: bounds", profile_bounds},
    {"words of credential_process", words},
    {"JSON documents", documents},
    {"the container's agent", container_urls},
    {"hosts of STS", sts_hosts},
    {"clock offset", clock_offset},
    {"table of settings", table_of_settings},
    {"keys of settings and environment", keys_of_settings},
    {0},
};

int main(void)
{
    return unit_main("aws credentials", tests);
}
