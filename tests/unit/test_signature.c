/* Signatures of manifests: their form, the keys, what is refused, and what a host remembers. */
#include "config.h"
#include "core/catalog/mark.h"
#include "core/catalog/signature.h"
#include "core/engine/newest.h"
#include "core/engine/signer.h"
#include "core/pipeline/gpg_sign.h"
#include "core/pipeline/openpgp.h"
#include "core/util/clock.h"
#include "tests/unit/gpg_util.h"
#include "tests/unit/unit.h"

#define SET "nightly-20261120130501"
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define KEY_TEXT "a6f0e2b14d97c8350f1e2d3c4b5a69788796a5b4c3d2e1f0"

static char root[] = "/tmp/sr-test-signature-XXXXXX";
static char good[41], locked[41], expired[41], revoked[41], stranger[41], until[41];
static char ring[64]; /* where they are */

static struct sr_statement about(const char *set, const char *manifest)
{
    struct sr_statement s = {.source = "app"};
    (void)snprintf(s.set, sizeof s.set, "%s", set);
    (void)snprintf(s.manifest, sizeof s.manifest, "%s", manifest);
    return s;
}

static const char *key_file(const char *name, const char *text, mode_t mode)
{
    static char path[8][128];
    static unsigned n;
    char *p = path[n++ % 8];
    (void)snprintf(p, sizeof path[0], "%s/%s", root, name);
    FILE *f = fopen(p, "we");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0 || chmod(p, mode) != 0)
        abort();
    return p;
}

/* flags: NAME=VALUE, ended by NULL. */
static int signer_with(struct sr_signer **ret, struct sr_error *err, const char *const *flags)
{
    struct sr_strlist list = {0};
    struct sr_config *cfg = NULL;
    char *none[] = {NULL};
    *ret = NULL;
    for (; *flags; flags++)
        (void)sr_strlist_add(&list, *flags);
    const struct sr_config_options o = {
        .config_file = "/dev/null", .env_file = "/dev/null", .flags = &list, .environ_ = none};
    int rc = sr_config_new(&o, &cfg, err);
    if (rc == SR_OK)
        rc = sr_signer_from_config(cfg, ret, err);
    sr_config_free(cfg);
    sr_strlist_done(&list);
    return rc;
}

static struct sr_signer *signer(const char *name, const char *value)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_signer *s = NULL;
    char flag[256];
    (void)snprintf(flag, sizeof flag, "%s=%s", name, value);
    const char *const flags[] = {flag, NULL};
    ASSERT_OK(signer_with(&s, &err, flags), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    return s;
}

static void sign(const struct sr_signer *s, const struct sr_statement *st, struct sr_buf *out)
{
    struct sr_error err = SR_ERROR_INIT;
    sr_buf_init(out, SR_SIGNATURE_MAX);
    ASSERT_OK(sr_signer_sign(s, st, out, &err), err);
    CU_ASSERT_FATAL(out->len > 0);
}

static struct sr_trust check(const struct sr_signer *s, const char *text, size_t len,
                             const struct sr_statement *want)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_trust t = {.state = SR_TRUST_UNCHECKED};
    ASSERT_OK(sr_signer_check(s, text, len, want, &t, &err), err);
    return t;
}

static void is_bad(const struct sr_signer *s, const struct sr_buf *text,
                   const struct sr_statement *want, const char *why)
{
    struct sr_trust t = check(s, text->data, text->len, want);
    CU_ASSERT_EQUAL(t.state, SR_TRUST_BAD);
    CU_ASSERT_STRING_EQUAL(t.by, "");
    if (!strstr(t.why, why))
        (void)fprintf(stderr, "\"%s\" is not in: %s\n", why, t.why);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.why, why));
}

/* --- the form --- */

static void names(void)
{
    struct sr_key_parts p;
    struct sr_mark m = {.kind = SR_KEY_OTHER};
    static const char claim[] = "strongroom claim 1\nrun 0123456789abcdef0123456789abcdef\n"
                                "source app\nkey " SET ".app.signature\n";
    sr_key_parse(SET ".app.signature", &p);
    CU_ASSERT_EQUAL(p.kind, SR_KEY_SIGNATURE);
    CU_ASSERT_STRING_EQUAL(p.set, SET);
    CU_ASSERT_STRING_EQUAL(p.source, "app");
    sr_key_parse("app.sql.gz.signature", &p);
    CU_ASSERT_EQUAL(p.kind, SR_KEY_OTHER);
    sr_key_parse(SET ".signature.manifest.json", &p);
    CU_ASSERT_EQUAL(p.kind, SR_KEY_MANIFEST);
    CU_ASSERT_STRING_EQUAL(p.source, "signature");
    CU_ASSERT_EQUAL(sr_mark_read(claim, sizeof claim - 1, SET, &m, NULL), SR_OK);
    CU_ASSERT(sr_mark_covers(&m, SET, SET ".app.signature"));
    sr_mark_done(&m);
}

static void form(void)
{
    struct sr_statement st = about(SET, SHA);
    struct sr_signature sig = {.statement = st}, back;
    struct sr_error err = SR_ERROR_INIT;
    unsigned char hmac[SR_HMAC_SIZE] = {1, 2, 0xff}, openpgp[100] = {0x88, 0};
    struct sr_buf b;
    sr_buf_init(&b, SR_SIGNATURE_MAX);
    CU_ASSERT_EQUAL(sr_signature_write(&sig, &b, &err), SR_E_CONFIG);
    ASSERT_OK(sr_signature_add(&sig, SR_SIGNED_HMAC, "0123456789abcdef", hmac, sizeof hmac, &err),
              err);
    ASSERT_OK(sr_signature_add(&sig, SR_SIGNED_OPENPGP, "0123456789ABCDEF0123456789ABCDEF01234567",
                               openpgp, sizeof openpgp, &err),
              err);
    CU_ASSERT_EQUAL(sr_signature_add(&sig, SR_SIGNED_HMAC, "short", hmac, sizeof hmac, &err),
                    SR_E_CONFIG);
    ASSERT_OK(sr_signature_write(&sig, &b, &err), err);
    CU_ASSERT_EQUAL(strncmp(b.data,
                            "strongroom signature 1\nset " SET "\nsource app\nmanifest " SHA
                            "\ndetail none\nend\nhmac-sha256 0123456789abcdef 0102ff",
                            150),
                    0);
    ASSERT_OK(sr_signature_read(b.data, b.len, &back, &err), err);
    CU_ASSERT_STRING_EQUAL(back.statement.set, SET);
    CU_ASSERT_STRING_EQUAL(back.statement.manifest, SHA);
    CU_ASSERT_STRING_EQUAL(back.statement.detail, "");
    CU_ASSERT_EQUAL(back.len, 2);
    CU_ASSERT(back.by[1].len == sizeof openpgp &&
              memcmp(back.by[1].data, openpgp, sizeof openpgp) == 0);
    sr_signature_done(&back);
    /* Nothing can be cut off, and no byte be another. */
    for (size_t i = 0; i < b.len; i++)
        CU_ASSERT(sr_signature_read(b.data, i, &back, NULL) != SR_OK ||
                  (sr_signature_done(&back), b.data[i - 1] == '\n' && i > 150));
    for (size_t i = 0; i < b.len; i++) {
        char was = b.data[i];
        b.data[i] = ' ';
        CU_ASSERT(was == ' ' || sr_signature_read(b.data, b.len, &back, NULL) != SR_OK);
        b.data[i] = was;
    }
    sr_signature_done(&sig);
    sr_buf_done(&b);
}

#define HEAD "strongroom signature 1\nset " SET "\nsource app\nmanifest " SHA "\ndetail none\nend\n"
#define LINE "hmac-sha256 0123456789abcdef " SHA "\n"

static void hostile(void)
{
    static const char *const bad[] = {
        "",
        "\n",
        "strongroom signature 1\n",
        HEAD,
        HEAD LINE "\n",
        HEAD LINE LINE LINE LINE LINE,
        HEAD "hmac-sha256 0123456789abcdef " SHA,
        HEAD "hmac-sha256 0123456789ABCDEF " SHA "\n",
        HEAD "hmac-sha256  " SHA "\n",
        HEAD "hmac-md5 0123456789abcdef " SHA "\n",
        HEAD "openpgp 0123456789ABCDEF0123456789ABCDEF01234567 \n",
        HEAD "openpgp 0123456789ABCDEF0123456789ABCDEF01234567 AA\n",
        HEAD "openpgp 0123456789ABCDEF0123456789ABCDEF01234567 AAB=\n",
        HEAD "openpgp 0123456789abcdef0123456789abcdef01234567 AAAA\n",
        "strongroom signature 1\nset ../x\nsource app\nmanifest " SHA "\ndetail none\nend\n" LINE,
        "strongroom signature 1\nset " SET "\nsource sql\nmanifest " SHA
        "\ndetail none\nend\n" LINE,
        "strongroom signature 1\nsource app\nset " SET "\nmanifest " SHA
        "\ndetail none\nend\n" LINE,
        "strongroom signature 1\nset " SET "\nsource app\nmanifest " SHA
        "\ndetail  none\nend\n" LINE,
        "strongroom signature 1\nset " SET "\nsource app\nmanifest abc\ndetail none\nend\n" LINE};
    static const char good_one[] = HEAD LINE, later[] = "strongroom signature 2\nx\n",
                      nul[] = HEAD "hmac-sha256 0123456789abcdef \0" SHA "\n";
    struct sr_signature s;
    struct sr_error err = SR_ERROR_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int rc = sr_signature_read(bad[i], strlen(bad[i]), &s, &err);
        if (rc != SR_E_CORRUPT)
            (void)fprintf(stderr, "%zu: %d\n", i, rc);
        CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
    }
    CU_ASSERT_EQUAL(sr_signature_read(nul, sizeof nul - 1, &s, &err), SR_E_CORRUPT);
    CU_ASSERT_EQUAL(sr_signature_read(later, sizeof later - 1, &s, &err), SR_E_UNSUPPORTED);
    char *large = calloc(1, SR_SIGNATURE_MAX + 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, 'x', SR_SIGNATURE_MAX + 1);
    large[SR_SIGNATURE_MAX] = '\n';
    CU_ASSERT_EQUAL(sr_signature_read(large, SR_SIGNATURE_MAX + 1, &s, &err), SR_E_CORRUPT);
    free(large);
    ASSERT_OK(sr_signature_read(good_one, sizeof good_one - 1, &s, &err), err);
    sr_signature_done(&s);
}

/* --- HMAC --- */

static void hmac_keys(void)
{
    const char *file = key_file("k1", KEY_TEXT "\n", 0600);
    struct sr_signer *s = signer("BACKUP_SIGN_KEY_FILE", file),
                     *other = signer(
                         "BACKUP_SIGN_ACCEPT",
                         key_file("k2", "another key, and just as long as it must be", 0400));
    struct sr_statement st = about(SET, SHA), elsewhere = about("nightly-20261121130501", SHA),
                        changed = about(SET, SHA2);
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    CU_ASSERT(sr_signer_signs(s));
    CU_ASSERT_FALSE(sr_signer_signs(other));
    CU_ASSERT_FALSE(sr_signer_signs(NULL));
    ASSERT_OK(sr_signer_try(s, 0, NULL, &err), err);
    sign(s, &st, &b);
    struct sr_trust t = check(s, b.data, b.len, &st);
    CU_ASSERT_EQUAL(t.state, SR_TRUST_SIGNED);
    CU_ASSERT_EQUAL(strncmp(t.by, "HMAC key ", 9), 0);
    is_bad(s, &b, &elsewhere, "of another backup, " SET);
    is_bad(s, &b, &changed, "not the one that was signed");
    is_bad(other, &b, &st, "no key that is accepted here");
    /* A digit of the HMAC, and a digit of what it is about. */
    b.data[b.len - 2] = b.data[b.len - 2] == '0' ? '1' : '0';
    is_bad(s, &b, &st, "does not fit");
    sr_buf_done(&b);
    sign(s, &changed, &b);
    char *digits = strstr(b.data, SHA2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(digits);
    memcpy(digits, SHA, 64);
    is_bad(s, &b, &st, "does not fit");
    sr_buf_done(&b);
    /* What openssl(1) says of the same key. */
    char *argv[] = {(char *)"openssl",       (char *)"dgst", (char *)"-sha256",
                    (char *)"-mac",          (char *)"HMAC", (char *)"-macopt",
                    (char *)"key:" KEY_TEXT, NULL,           NULL};
    char text[160];
    (void)snprintf(text, sizeof text, "%s/statement", root);
    argv[7] = text;
    FILE *f = fopen(text, "we");
    if (!f || fputs(HEAD, f) < 0 || fclose(f) != 0)
        abort();
    struct sr_buf said;
    sr_buf_init(&said, 4096);
    ASSERT_OK(gpg_exec(argv, &said, &err), err);
    sign(s, &st, &b);
    CU_ASSERT_FATAL(said.len > 65 && b.len > 65);
    CU_ASSERT_EQUAL(memcmp(said.data + said.len - 65, b.data + b.len - 65, 65), 0);
    sr_buf_done(&said);
    sr_buf_done(&b);
    sr_signer_free(s);
    sr_signer_free(other);
}

/* The old key is still known when a new one signs. */
static void rotation(void)
{
    const char *k1 = key_file("old", KEY_TEXT, 0600),
               *k2 = key_file("new", "another key, and just as long as it must be", 0600);
    char sign_with[256], accept[256];
    struct sr_statement st = about(SET, SHA);
    struct sr_signer *before = signer("BACKUP_SIGN_KEY_FILE", k1), *after = NULL;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    (void)snprintf(sign_with, sizeof sign_with, "BACKUP_SIGN_KEY_FILE=%s", k2);
    (void)snprintf(accept, sizeof accept, "BACKUP_SIGN_ACCEPT=%s", k1);
    const char *const flags[] = {sign_with, accept, NULL};
    ASSERT_OK(signer_with(&after, &err, flags), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(after);
    sign(before, &st, &b);
    CU_ASSERT_EQUAL(check(after, b.data, b.len, &st).state, SR_TRUST_SIGNED);
    sr_buf_done(&b);
    sign(after, &st, &b);
    CU_ASSERT_EQUAL(check(after, b.data, b.len, &st).state, SR_TRUST_SIGNED);
    is_bad(before, &b, &st, "no key that is accepted here");
    sr_buf_done(&b);
    sr_signer_free(before);
    sr_signer_free(after);
}

static void refused(const char *name, const char *value, int code, const char *why)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_signer *s = NULL;
    char flag[256];
    (void)snprintf(flag, sizeof flag, "%s=%s", name, value);
    const char *const flags[] = {flag, NULL};
    int rc = signer_with(&s, &err, flags);
    if (rc != code || !strstr(err.text, why))
        (void)fprintf(stderr, "%s: %d %s\n", flag, rc, err.text);
    CU_ASSERT_EQUAL(rc, code);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, why));
    CU_ASSERT_PTR_NULL(strstr(err.text, KEY_TEXT));
    CU_ASSERT_PTR_NULL(s);
}

static void key_files(void)
{
    static const char *const none[] = {NULL};
    struct sr_error err = SR_ERROR_INIT;
    struct sr_signer *s = NULL;
    char large[SR_HMAC_KEY_MAX + 3];
    for (size_t i = 0; i < sizeof large - 1; i++)
        large[i] = (char)('a' + i % 23);
    large[sizeof large - 1] = '\0';
    refused("BACKUP_SIGN_KEY_FILE", key_file("short", "0123456789abcdef0123456789abcde\n", 0600),
            SR_E_KEY, "31 bytes");
    refused("BACKUP_SIGN_KEY_FILE",
            key_file("same", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0600), SR_E_KEY,
            "no random key");
    refused("BACKUP_SIGN_KEY_FILE", key_file("read", KEY_TEXT, 0604), SR_E_KEY, "0604");
    refused("BACKUP_SIGN_KEY_FILE", key_file("written", KEY_TEXT, 0620), SR_E_KEY, "0620");
    refused("BACKUP_SIGN_KEY_FILE", key_file("large", large, 0600), SR_E_KEY, "more than 4096");
    refused("BACKUP_SIGN_KEY_FILE", root, SR_E_KEY, "no file");
    refused("BACKUP_SIGN_KEY_FILE", "/nowhere/key", SR_E_KEY, "/nowhere/key");
    refused("BACKUP_SIGN_ACCEPT", "some@example.org", SR_E_CONFIG, "no fingerprint");
    refused("BACKUP_SIGN_GPG_KEY", "0123456789ABCDEF", SR_E_CONFIG, "no fingerprint");
    refused("BACKUP_REQUIRE_SIGNATURE", "on", SR_E_CONFIG, "no key to check with");
    sr_signer_free(signer("BACKUP_SIGN_KEY_FILE", key_file("group", KEY_TEXT, 0440)));
    ASSERT_OK(signer_with(&s, &err, none), err);
    CU_ASSERT_PTR_NULL(s);
}

/* --- OpenPGP --- */

static void generate(const char *uid, const char *passphrase, const char *expire, char fpr[41])
{
    gpg_run("--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-generate-key", uid,
            "ed25519", "sign", expire, NULL);
    gpg_fingerprint(uid, 0, 0, fpr);
}

static void gpg_keys(void)
{
    gpg_home_make();
    (void)snprintf(ring, sizeof ring, "%s", gpg_home);
    generate("good@example.org", "", "never", good);
    generate("locked@example.org", "Pass-phrase 1", "never", locked);
    generate("revoked@example.org", "", "never", revoked);
    generate("stranger@example.org", "", "never", stranger);
    gpg_run("--faked-system-time", "20200101T000000!", "--passphrase", "", "--quick-generate-key",
            "expired@example.org", "ed25519", "sign", "2020-02-01", NULL);
    gpg_fingerprint("expired@example.org", 0, 0, expired);
    generate("until@example.org", "", "2d", until);
    /* The agent is not to know the passphrase any more. */
    char *argv[] = {(char *)"gpgconf",  (char *)"--homedir", gpg_home,
                    (char *)"--reload", (char *)"gpg-agent", NULL};
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(gpg_exec(argv, NULL, &err), err);
}

static void openpgp(void)
{
    struct sr_signer *s = signer("BACKUP_SIGN_GPG_KEY", good),
                     *other = signer("BACKUP_SIGN_ACCEPT", stranger);
    struct sr_statement st = about(SET, SHA), changed = about(SET, SHA2);
    struct sr_error err = SR_ERROR_INIT;
    int64_t expires = -1;
    struct sr_buf b;
    ASSERT_OK(sr_signer_try(s, sr_clock_now(&sr_clock_system), &expires, &err), err);
    CU_ASSERT_EQUAL(expires, 0);
    sign(s, &st, &b);
    struct sr_trust t = check(s, b.data, b.len, &st);
    CU_ASSERT_EQUAL(t.state, SR_TRUST_SIGNED);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.by, good));
    CU_ASSERT_PTR_NOT_NULL(strstr(t.by, "good@example.org"));
    is_bad(s, &b, &changed, "not the one that was signed");
    is_bad(other, &b, &st, "no key that is accepted here");
    /* The line is made to say that it is by a key that counts. */
    char *fpr = strstr(b.data, good);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fpr);
    memcpy(fpr, stranger, 40);
    is_bad(other, &b, &st, "a key that is not accepted here");
    memcpy(fpr, good, 40);
    /* A statement that it was not made of. */
    memcpy(strstr(b.data, SHA), SHA2, 64);
    is_bad(s, &b, &changed, "does not fit");
    sr_buf_done(&b);
    sr_signer_free(s);
    sr_signer_free(other);
}

static void openpgp_keys(void)
{
    struct sr_signer *s = signer("BACKUP_SIGN_GPG_KEY", expired);
    struct sr_statement st = about(SET, SHA);
    struct sr_error err = SR_ERROR_INIT;
    int64_t now = sr_clock_now(&sr_clock_system), expires = 0;
    struct sr_buf b;
    CU_ASSERT_EQUAL(sr_signer_try(s, now, NULL, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "expired"));
    sr_signer_free(s);

    s = signer("BACKUP_SIGN_GPG_KEY", until);
    ASSERT_OK(sr_signer_try(s, now, &expires, &err), err);
    CU_ASSERT(expires > now && expires < now + 3 * 86400);
    CU_ASSERT_EQUAL(sr_signer_try(s, now + 3 * 86400, NULL, &err), SR_E_KEY);
    sr_signer_free(s);

    s = signer("BACKUP_SIGN_GPG_KEY", "0123456789ABCDEF0123456789ABCDEF01234567");
    CU_ASSERT_EQUAL(sr_signer_try(s, now, NULL, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no secret key"));
    sr_signer_free(s);

    /* Nobody is asked. */
    s = signer("BACKUP_SIGN_GPG_KEY", locked);
    CU_ASSERT_EQUAL(sr_signer_try(s, now, NULL, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "BACKUP_SIGN_GPG_PASSPHRASE"));
    sr_signer_free(s);
    char flag[80];
    (void)snprintf(flag, sizeof flag, "BACKUP_SIGN_GPG_KEY=%s", locked);
    const char *const flags[] = {flag, "BACKUP_SIGN_GPG_PASSPHRASE=Pass-phrase 1", NULL};
    ASSERT_OK(signer_with(&s, &err, flags), err);
    ASSERT_OK(sr_signer_try(s, now, NULL, &err), err);
    sr_signer_free(s);

    s = signer("BACKUP_SIGN_GPG_KEY", revoked);
    sign(s, &st, &b);
    CU_ASSERT_EQUAL(check(s, b.data, b.len, &st).state, SR_TRUST_SIGNED);
    gpg_revoke(revoked);
    is_bad(s, &b, &st, "revoked");
    CU_ASSERT_EQUAL(sr_signer_try(s, now, NULL, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "revoked"));
    sr_buf_done(&b);
    sr_signer_free(s);
}

/* Signed while the key was good, and looked at when it no longer is. */
static void openpgp_expired_since(void)
{
    struct sr_signer *s = signer("BACKUP_SIGN_GPG_KEY", expired);
    struct sr_statement st = about(SET, SHA);
    struct sr_signature sig = {.statement = st};
    struct sr_error err = SR_ERROR_INIT;
    struct sr_trust t;
    struct sr_buf text, data;
    char in[160], out[160];
    (void)snprintf(in, sizeof in, "%s/in", root);
    (void)snprintf(out, sizeof out, "%s/out", root);
    FILE *f = fopen(in, "we");
    if (!f || fputs(HEAD, f) < 0 || fclose(f) != 0)
        abort();
    gpg_run("--faked-system-time", "20200115T000000!", "--local-user", expired, "--output", out,
            "--detach-sign", in, NULL);
    sr_buf_init(&data, 4096);
    f = fopen(out, "re");
    for (int c; f && (c = fgetc(f)) != EOF;)
        (void)sr_buf_addc(&data, (char)c);
    if (f)
        (void)fclose(f);
    ASSERT_OK(sr_signature_add(&sig, SR_SIGNED_OPENPGP, expired, data.data, data.len, &err), err);
    sr_buf_init(&text, SR_SIGNATURE_MAX);
    ASSERT_OK(sr_signature_write(&sig, &text, &err), err);
    t = check(s, text.data, text.len, &st);
    CU_ASSERT_EQUAL(t.state, SR_TRUST_SIGNED);
    CU_ASSERT_PTR_NOT_NULL(strstr(t.why, "expired since"));
    sr_signature_done(&sig);
    sr_buf_done(&text);
    sr_buf_done(&data);
    sr_signer_free(s);
}

/* A public key that is not here is no verdict on the backup. */
/* What is given to gpg is one signature packet; another's is none that a key here could mend. */
static void openpgp_hostile(void)
{
    static const struct {
        const char *bytes;
        size_t len;
    } none[] = {{"\xc8\x03\x03xx", 5},               /* compressed data */
                {"\xa3\x03xx", 4},                   /* the same of unknown length */
                {"\xcb\x04t\0\0\0", 6},              /* a literal text */
                {"\x88\x02\x04\0\x88\x02\x04\0", 8}, /* two signatures */
                {"\x88\x02\x04\0\xa3\x03x", 7},      /* one, and what is to be unpacked */
                {"\x88\x09\x04\0", 4},               /* cut off */
                {"\xc2\xe1\x04\0", 4},               /* in parts */
                {"\x8b\x04\0", 3},                   /* of unknown length */
                {"-----BEGIN PGP SIGNATURE-----", 29},
                {"\x88\x00", 2},
                {"", 0}};
    struct sr_signer *s = signer("BACKUP_SIGN_GPG_KEY", good),
                     *two = signer("BACKUP_SIGN_GPG_KEY", stranger);
    struct sr_statement st = about(SET, SHA);
    struct sr_error err = SR_ERROR_INIT;
    struct sr_gpg_signer who;
    struct sr_buf b;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        const char *bytes = none[i].bytes;
        CU_ASSERT(!sr_openpgp_is_signature((const unsigned char *)bytes, none[i].len));
        CU_ASSERT_EQUAL(sr_gpg_verify(bytes, none[i].len, "x", 1, &who, &err), SR_E_CORRUPT);
    }
    sign(two, &st, &b);
    memcpy(strstr(b.data, stranger), good, 40);
    gpg_run("--batch", "--yes", "--delete-secret-and-public-key", stranger, NULL);
    is_bad(s, &b, &st, "neither");
    sr_buf_done(&b);
    sr_signer_free(s);
    sr_signer_free(two);
}

static void openpgp_elsewhere(void)
{
    struct sr_signer *s = signer("BACKUP_SIGN_GPG_KEY", good);
    struct sr_statement st = about(SET, SHA);
    struct sr_error err = SR_ERROR_INIT;
    struct sr_trust t = {.state = SR_TRUST_UNCHECKED};
    struct sr_buf b;
    char empty[160];
    sign(s, &st, &b);
    (void)snprintf(empty, sizeof empty, "%s/gnupg", root);
    CU_ASSERT_EQUAL(mkdir(empty, 0700), 0);
    (void)setenv("GNUPGHOME", empty, 1);
    CU_ASSERT_EQUAL(sr_signer_check(s, b.data, b.len, &st, &t, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "gpg --import"));
    (void)setenv("GNUPGHOME", ring, 1);
    CU_ASSERT_EQUAL(check(s, b.data, b.len, &st).state, SR_TRUST_SIGNED);
    sr_buf_done(&b);
    sr_signer_free(s);
}

/* --- memory --- */

static int count_each(void *ctx, const char *source, const struct sr_newest *n)
{
    CU_ASSERT_STRING_EQUAL(source, "app");
    CU_ASSERT_EQUAL(n->time, 2000);
    ++*(int *)ctx;
    return 0;
}

static void newest(void)
{
    char base[160], state[192], file[256];
    struct sr_error err = SR_ERROR_INIT;
    struct sr_newest n;
    int count = 0;
    (void)snprintf(base, sizeof base, "%s/backups", root);
    (void)snprintf(state, sizeof state, "%s/.strongroom", base);
    const struct sr_newest_where w = {"dr", "file:///dr", "app"},
                                 moved = {"dr", "file:///x", "app"};
    CU_ASSERT_EQUAL(sr_newest_read(state, &w, &n, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sr_newest_note(state, &w, "a-1", 1000, &err), SR_E_NOT_FOUND);
    CU_ASSERT_EQUAL(access(base, F_OK), -1); /* looking makes nothing */
    CU_ASSERT_EQUAL(mkdir(base, 0700), 0);
    ASSERT_OK(sr_newest_note(state, &w, "a-2", 2000, &err), err);
    ASSERT_OK(sr_newest_note(state, &w, "a-1", 1000, &err), err); /* older: nothing changes */
    ASSERT_OK(sr_newest_read(state, &w, &n, &err), err);
    CU_ASSERT_STRING_EQUAL(n.set, "a-2");
    CU_ASSERT_EQUAL(n.time, 2000);
    CU_ASSERT_EQUAL(sr_newest_read(state, &moved, &n, &err), SR_E_NOT_FOUND);
    const struct sr_newest_where other = {"d", "file:///d", "app"};
    ASSERT_OK(sr_newest_note(state, &other, "b", 1, &err), err);
    ASSERT_OK(sr_newest_each(state, &w, count_each, &count, &err), err);
    CU_ASSERT_EQUAL(count, 1);
    sr_newest_forget(state, &w, "a-1"); /* not what is remembered */
    ASSERT_OK(sr_newest_read(state, &w, &n, &err), err);
    sr_newest_forget(state, &w, "a-2");
    CU_ASSERT_EQUAL(sr_newest_read(state, &w, &n, &err), SR_E_NOT_FOUND);
    (void)snprintf(file, sizeof file, "backups/.strongroom/newest/dr@app");
    (void)key_file(file, "strongroom newest 1\nplace file:///dr\nset a\ntime x\n", 0600);
    CU_ASSERT_EQUAL(sr_newest_read(state, &w, &n, &err), SR_E_NOT_FOUND);
    ASSERT_OK(sr_newest_note(state, &w, "a-2", 2000, &err), err);
    ASSERT_OK(sr_newest_read(state, &w, &n, &err), err);
}

static void clean(void)
{
    (void)nftw(root, gpg_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    gpg_home_remove();
    CU_ASSERT(1);
}

static const struct unit_test tests[] = {{"names of signatures", names},
                                         {"the form of a signature", form},
                                         {"hostile signatures", hostile},
                                         {"HMAC keys sign and check", hmac_keys},
                                         {"keys are rotated", rotation},
                                         {"key files", key_files},
                                         {"GPG keys", gpg_keys},
                                         {"OpenPGP signs and checks", openpgp},
                                         {"keys that cannot sign", openpgp_keys},
                                         {"a key that expired since", openpgp_expired_since},
                                         {"a public key that is not here", openpgp_elsewhere},
                                         {"no signature, or a strange one", openpgp_hostile},
                                         {"the newest is remembered", newest},
                                         {"clean", clean},
                                         {0}};

int main(void)
{
    if (!mkdtemp(root))
        return 2;
    return unit_main("signature", tests);
}
