#include "config.h"
#include "core/pipeline/keys.h"
#include "tests/unit/gpg_util.h"
#include "tests/unit/unit.h"

#include <ctype.h>
#include <gpgme.h>
#include <time.h>

static int64_t now;
static char good[41], good_sub[41], twin_a[41], twin_b[41], renewed[41];

static void generate(const char *uid, const char *algo, const char *usage, const char *expire)
{
    gpg_run("--passphrase", "", "--quick-generate-key", uid, algo, usage, expire, NULL);
}

static void generate_expired(const char *uid)
{
    gpg_run("--faked-system-time", "20200101T000000!", "--passphrase", "", "--quick-generate-key",
            uid, "ed25519", "sign", "2020-02-01", NULL);
}

/* Keys in every state, each made as its owner would. */
static void make_keys(void)
{
    char fpr[41];
    gpg_home_make();
    generate("Good Key <good@example.org>", "default", "default", "never");
    gpg_fingerprint("good@example.org", 0, 0, good);
    gpg_fingerprint("good@example.org", 0, 1, good_sub);
    generate("Almost <notgood@example.org>", "default", "default", "never");
    generate("Twin A <twin@example.org>", "default", "default", "never");
    gpg_fingerprint("twin@example.org", 0, 0, twin_a);
    gpg_run("--passphrase", "", "--quick-generate-key", "Twin B <twin@example.org>", "default",
            "default", "never", NULL);
    gpg_fingerprint("twin@example.org", 0, 0, twin_b);
    if (strcmp(twin_a, twin_b) == 0)
        gpg_fingerprint("twin@example.org", 1, 0, twin_b);
    generate("Signer <signer@example.org>", "ed25519", "sign", "never");
    generate_expired("Expired <expired@example.org>");
    /* renewed: an expired key and a good one with the same address are not ambiguous */
    generate_expired("Renewed Old <renewed@example.org>");
    gpg_run("--passphrase", "", "--quick-generate-key", "Renewed New <renewed@example.org>",
            "default", "default", "2y", NULL);
    gpg_fingerprint("Renewed New", 0, 0, renewed);
    /* a good primary whose subkey for encryption has expired */
    gpg_run("--faked-system-time", "20200101T000000!", "--passphrase", "", "--quick-generate-key",
            "Old Sub <oldsub@example.org>", "ed25519", "sign", "never", NULL);
    gpg_fingerprint("oldsub@example.org", 0, 0, fpr);
    gpg_run("--faked-system-time", "20200101T000000!", "--passphrase", "", "--quick-add-key", fpr,
            "cv25519", "encr", "2020-02-01", NULL);
    /* revoked, by the certificate that gpg made beside it */
    generate("Revoked <revoked@example.org>", "default", "default", "never");
    gpg_fingerprint("revoked@example.org", 0, 0, fpr);
    gpg_revoke(fpr);
    /* two addresses on one key */
    generate("Two <two@example.org>", "default", "default", "never");
    gpg_fingerprint("two@example.org", 0, 0, fpr);
    gpg_run("--passphrase", "", "--quick-add-uid", fpr, "Also Two <Also.Two@Example.org>", NULL);
    now = (int64_t)time(NULL);
}

static struct sr_recipients *resolved(const char *spec)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_recipients *r = NULL;
    ASSERT_OK(sr_recipients_resolve(spec, now, &r, &err), err);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    return r;
}

static void resolves_to(const char *spec, const char *fpr)
{
    struct sr_recipients *r = resolved(spec);
    CU_ASSERT_EQUAL(sr_recipients_len(r), 1);
    CU_ASSERT_STRING_EQUAL(sr_recipients_fingerprint(r, 0), fpr);
    sr_recipients_free(r);
}

static void refused(const char *spec, const char *part, const char *other)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_recipients *r = NULL;
    CU_ASSERT_EQUAL(sr_recipients_resolve(spec, now, &r, &err), SR_E_KEY);
    CU_ASSERT_PTR_NULL(r);
    if (!strstr(err.text, part) || (other && !strstr(err.text, other)))
        (void)fprintf(stderr, "%s: %s\n", spec, err.text);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, part));
    CU_ASSERT(!other || strstr(err.text, other));
    sr_recipients_free(r);
}

static void every_way_to_name_a_key(void)
{
    char text[80], lower[41];
    resolves_to(good, good);
    for (size_t i = 0; i <= 40; i++)
        lower[i] = (char)tolower((unsigned char)good[i]);
    resolves_to(lower, good);
    (void)snprintf(text, sizeof text, "0x%s", good);
    resolves_to(text, good);
    (void)snprintf(text, sizeof text, "%.4s %.4s %.4s %.4s %.4s  %.4s %.4s %.4s %.4s %.4s", good,
                   good + 4, good + 8, good + 12, good + 16, good + 20, good + 24, good + 28,
                   good + 32, good + 36);
    resolves_to(text, good);
    resolves_to(good + 24, good);
    resolves_to(good + 32, good);
    (void)snprintf(text, sizeof text, " 0X%s ", good + 32);
    resolves_to(text, good);
    resolves_to(good_sub, good);
    resolves_to(good_sub + 24, good);
    resolves_to("good@example.org", good); /* and not notgood@example.org */
    resolves_to("GOOD@EXAMPLE.ORG", good);
    resolves_to("<good@example.org>", good);
    resolves_to("Somebody <good@example.org>", good);
    char two[41];
    gpg_fingerprint("two@example.org", 0, 0, two);
    resolves_to("also.two@example.org", two);
    resolves_to(twin_a, twin_a);
    resolves_to(twin_b, twin_b);
}

static void lists_collapse(void)
{
    char spec[256];
    (void)snprintf(spec, sizeof spec, "good@example.org, %s ,%s,,%s,signer@x", good, good_sub,
                   twin_b);
    *strrchr(spec, ',') = '\0';
    struct sr_recipients *r = resolved(spec);
    CU_ASSERT_EQUAL_FATAL(sr_recipients_len(r), 2);
    CU_ASSERT_STRING_EQUAL(sr_recipients_fingerprint(r, 0), good);
    CU_ASSERT_STRING_EQUAL(sr_recipients_fingerprint(r, 1), twin_b);
    CU_ASSERT_STRING_EQUAL(sr_recipients_uid(r, 0), "Good Key <good@example.org>");
    CU_ASSERT_EQUAL(sr_recipients_expires(r, 0), 0);
    sr_recipients_free(r);
    sr_recipients_free(NULL);
}

static void wrong_names_are_refused(void)
{
    refused("", "no recipient", NULL);
    refused(" , ,", "no recipient", NULL);
    refused("-r", "dash", NULL);
    refused("--output=x@example.org", "dash", NULL);
    refused("Good Key", "neither", NULL);
    refused("1234567", "neither", NULL);
    refused("0x", "neither", NULL);
    refused("@example.org", "neither", NULL);
    refused("good@", "neither", NULL);
    refused("ood@example.org", "no public key", "import");
    refused("good@example.or", "no public key", NULL);
    refused("nobody@example.org", "no public key", "nobody@example.org");
    refused("0123456789ABCDEF", "no public key", NULL);
    refused("0123456789ABCDEF0123456789ABCDEF01234567", "no public key", NULL);
    char spec[100];
    (void)snprintf(spec, sizeof spec, "%s!", good_sub);
    refused(spec, "neither", NULL);
    (void)snprintf(spec, sizeof spec, "%s,nobody@example.org", good);
    refused(spec, "nobody@example.org", NULL);
    char *longish = calloc(1, 5000);
    memset(longish, 'a', 4000);
    strcat(longish, "@example.org");
    struct sr_error err = SR_ERROR_INIT;
    struct sr_recipients *r = NULL;
    CU_ASSERT_EQUAL(sr_recipients_resolve(longish, now, &r, &err), SR_E_KEY);
    free(longish);
}

static void ambiguous_names_show_the_choice(void)
{
    refused("twin@example.org", twin_a, twin_b);
    refused("twin@example.org", "Twin A", "Twin B");
    refused("twin@example.org", "made 20", "Name the fingerprint");
}

static void unusable_keys_say_why(void)
{
    refused("expired@example.org", "is expired", "Expired <expired@example.org>");
    refused("oldsub@example.org", "expired subkey for encryption", NULL);
    refused("revoked@example.org", "is revoked", NULL);
    refused("signer@example.org", "without a subkey for encryption", NULL);
    resolves_to("renewed@example.org", renewed);
}

static void expiry_is_judged_at_the_given_time(void)
{
    struct sr_recipients *r = resolved("renewed@example.org");
    int64_t expires = sr_recipients_expires(r, 0);
    CU_ASSERT(expires > now + 600LL * 86400 && expires < now + 800LL * 86400);
    sr_recipients_free(r);
    int64_t real = now;
    now = expires + 1;
    refused("renewed@example.org", "is expired", "Renewed New");
    now = expires - 1;
    resolves_to("renewed@example.org", renewed);
    now = real;
}

/* Disabling is a mark in the trust database that only the editor sets. */
static void disabled_keys_are_refused(void)
{
    generate("Disabled <disabled@example.org>", "default", "default", "never");
    gpg_run("--command-fd", "0", "--edit-key", "disabled@example.org", "disable", "save", NULL);
    refused("disabled@example.org", "is disabled", NULL);
}

/* A public key alone, imported into a home that trusts nobody. */
static void imported_keys_need_no_trust(void)
{
    char file[128], old[sizeof gpg_home];
    memcpy(old, gpg_home, sizeof old);
    (void)snprintf(file, sizeof file, "%s/export.gpg", old);
    gpg_run("--output", file, "--export", good, NULL);
    gpg_home_make();
    gpg_run("--import", file, NULL);
    resolves_to("good@example.org", good);
    const char *here[] = {good};
    CU_ASSERT(!sr_secret_key_here(here, 1));
    gpg_home_remove();
    memcpy(gpg_home, old, sizeof old);
    CU_ASSERT_EQUAL(setenv("GNUPGHOME", gpg_home, 1), 0);
    CU_ASSERT(sr_secret_key_here(here, 1));
    const char *both[] = {"0123456789ABCDEF0123456789ABCDEF01234567", good};
    CU_ASSERT(!sr_secret_key_here(both, 1));
    CU_ASSERT(sr_secret_key_here(both, 2));
    CU_ASSERT(!sr_secret_key_here(NULL, 0));
}

static void missing_gpg_names_the_package(void)
{
    CU_ASSERT(sr_gpg_version()[0] == '2');
    CU_ASSERT_EQUAL(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, "/nonexistent/gpg", NULL), 0);
    struct sr_error err = SR_ERROR_INIT;
    struct sr_recipients *r = NULL;
    CU_ASSERT_EQUAL(sr_recipients_resolve(good, now, &r, &err), SR_E_UNAVAILABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "apt-get install gnupg"));
    const char *here[] = {good};
    CU_ASSERT(!sr_secret_key_here(here, 1));
    CU_ASSERT_STRING_EQUAL(sr_gpg_version(), "");
    CU_ASSERT_EQUAL(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, NULL, NULL), 0);
    resolves_to(good, good);
}

static void passphrases_are_checked(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_passphrase *p = NULL;
    CU_ASSERT_EQUAL(sr_passphrase_new("", &p, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_passphrase_new("\nlong enough below", &p, &err), SR_E_CONFIG);
    CU_ASSERT_EQUAL(sr_passphrase_new("1234567", &p, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NULL(strstr(err.text, "1234567"));
    char longish[257];
    memset(longish, 'p', sizeof longish - 1);
    longish[sizeof longish - 1] = '\0';
    CU_ASSERT_EQUAL(sr_passphrase_new(longish, &p, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NULL(p);
    ASSERT_OK(sr_passphrase_new("12345678\r\nsecond line", &p, &err), err);
    sr_passphrase_free(p);
    sr_passphrase_free(NULL);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"every way to name a key", every_way_to_name_a_key},
        {"lists collapse", lists_collapse},
        {"wrong names are refused", wrong_names_are_refused},
        {"ambiguous names show the choice", ambiguous_names_show_the_choice},
        {"unusable keys say why", unusable_keys_say_why},
        {"expiry is judged at the given time", expiry_is_judged_at_the_given_time},
        {"disabled keys are refused", disabled_keys_are_refused},
        {"imported keys need no trust", imported_keys_need_no_trust},
        {"missing gpg names the package", missing_gpg_names_the_package},
        {"passphrases are checked", passphrases_are_checked},
        {NULL, NULL}};
    make_keys();
    int rc = unit_main("keys", tests);
    gpg_home_remove();
    return rc;
}
