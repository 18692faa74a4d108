#include "config.h"
#include "core/pipeline/keys.h"
#include "core/pipeline/openpgp.h"
#include "core/pipeline/step.h"
#include "tests/unit/gpg_util.h"
#include "tests/unit/pipeline_util.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <gpgme.h>
#include <stdatomic.h>
#include <time.h>

#define PASSPHRASE "correct horse battery"

static char alice[41], bob[41];
static struct sr_passphrase *pass, *wrong_pass;

static void make_keys(void)
{
    struct sr_error err = SR_ERROR_INIT;
    gpg_home_make();
    gpg_run("--passphrase", "", "--quick-generate-key", "Alice <alice@example.org>", "default",
            "default", "never", NULL);
    gpg_run("--passphrase", "", "--quick-generate-key", "Bob <bob@example.org>", "rsa2048",
            "default", "never", NULL);
    gpg_fingerprint("alice@example.org", 0, 0, alice);
    gpg_fingerprint("bob@example.org", 0, 0, bob);
    gpg_run("--passphrase", "", "--quick-add-key", bob, "rsa2048", "encr", "never", NULL);
    if (sr_passphrase_new(PASSPHRASE "\n", &pass, &err) != SR_OK ||
        sr_passphrase_new("not the right one", &wrong_pass, &err) != SR_OK)
        abort();
}

static struct sr_recipients *to(const char *spec)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_recipients *r = NULL;
    ASSERT_OK(sr_recipients_resolve(spec, (int64_t)time(NULL), &r, &err), err);
    return r;
}

/* Encrypts to spec, or with the passphrase when spec is NULL. */
static int encrypt(const void *data, size_t len, const char *spec, size_t chunk, struct sr_buf *out,
                   struct sr_error *err)
{
    struct sr_recipients *r = spec ? to(spec) : NULL;
    sr_buf_init(out, BLOB_MAX);
    int rc = run_step(data, len, chunk, sr_step_encrypt_new(r, spec ? NULL : pass), out, err);
    sr_recipients_free(r);
    return rc;
}

static int decrypt(const void *data, size_t len, const struct sr_passphrase *with, size_t chunk,
                   struct sr_buf *out, struct sr_error *err)
{
    sr_buf_init(out, BLOB_MAX);
    return run_step(data, len, chunk, sr_step_decrypt_new(with), out, err);
}

static int same(const struct sr_buf *b, const void *data, size_t len)
{
    return b->len == len && (len == 0 || memcmp(b->data, data, len) == 0);
}

static void write_file(const char *name, const void *data, size_t len, char path[64])
{
    (void)snprintf(path, 64, "%s/%s", gpg_home, name);
    FILE *f = fopen(path, "we");
    if (!f || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        abort();
}

/* gpg --decrypt alone gets the bytes back. */
static void gpg_agrees(const struct sr_buf *sealed, const void *data, size_t len,
                       const char *symmetric)
{
    char path[64], secret[64];
    write_file("sealed", sealed->data, sealed->len, path);
    if (symmetric)
        write_file("secret", symmetric, strlen(symmetric), secret);
    char *plain[] = {(char *)"gpg", (char *)"--batch", (char *)"--quiet", (char *)"--decrypt", path,
                     NULL};
    char *with[] = {(char *)"gpg",
                    (char *)"--batch",
                    (char *)"--quiet",
                    (char *)"--pinentry-mode",
                    (char *)"loopback",
                    (char *)"--passphrase-file",
                    secret,
                    (char *)"--decrypt",
                    path,
                    NULL};
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    sr_buf_init(&out, BLOB_MAX);
    ASSERT_OK(gpg_exec(symmetric ? with : plain, &out, &err), err);
    CU_ASSERT(same(&out, data, len));
    sr_buf_done(&out);
}

static void roundtrips(void)
{
    static const size_t lens[] = {0, 1, 17, 65536, 1500000};
    unsigned char *data = noise(1500000, 1);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_buf sealed, plain;
        ASSERT_OK(encrypt(data, lens[i], "alice@example.org", 0, &sealed, &err), err);
        gpg_agrees(&sealed, data, lens[i], NULL);
        ASSERT_OK(decrypt(sealed.data, sealed.len, NULL, 0, &plain, &err), err);
        CU_ASSERT(same(&plain, data, lens[i]));
        /* OpenPGP's own compression is off */
        CU_ASSERT(sealed.len >= lens[i] && sealed.len < lens[i] + lens[i] / 100 + 700);
        sr_buf_done(&sealed);
        sr_buf_done(&plain);
    }
    free(data);
}

static void several_recipients_each_can_read(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf sealed, plain;
    char spec[100];
    (void)snprintf(spec, sizeof spec, "%s,%s", alice, bob);
    ASSERT_OK(encrypt("text for two", 12, spec, 0, &sealed, &err), err);
    struct sr_openpgp_head h;
    CU_ASSERT_EQUAL(sr_openpgp_head_read((unsigned char *)sealed.data, sealed.len, &h), 1);
    CU_ASSERT_EQUAL(h.public_keys, 2);
    CU_ASSERT_EQUAL(h.passphrases, 0);
    CU_ASSERT(h.integrity);
    char file[64], old[sizeof gpg_home];
    memcpy(old, gpg_home, sizeof old);
    (void)snprintf(file, sizeof file, "%s/bob.sec", old);
    gpg_run("--output", file, "--export-secret-keys", bob, NULL);
    gpg_home_make();
    gpg_run("--import", file, NULL);
    ASSERT_OK(decrypt(sealed.data, sealed.len, NULL, 0, &plain, &err), err);
    CU_ASSERT(same(&plain, "text for two", 12));
    sr_buf_done(&plain);
    sr_buf_done(&sealed);
    gpg_home_remove();
    memcpy(gpg_home, old, sizeof old);
    CU_ASSERT_EQUAL(setenv("GNUPGHOME", gpg_home, 1), 0);
}

static void passphrase_roundtrips_as_aes256(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf sealed, plain;
    unsigned char *data = noise(200000, 2);
    ASSERT_OK(encrypt(data, 200000, NULL, 0, &sealed, &err), err);
    struct sr_openpgp_head h;
    CU_ASSERT_EQUAL(sr_openpgp_head_read((unsigned char *)sealed.data, sealed.len, &h), 1);
    CU_ASSERT_EQUAL(h.passphrases, 1);
    CU_ASSERT_EQUAL(h.public_keys, 0);
    CU_ASSERT_EQUAL(h.cipher, SR_OPENPGP_AES256);
    CU_ASSERT_EQUAL(h.s2k, 3);
    gpg_agrees(&sealed, data, 200000, PASSPHRASE "\n");
    ASSERT_OK(decrypt(sealed.data, sealed.len, pass, 0, &plain, &err), err);
    CU_ASSERT(same(&plain, data, 200000));
    sr_buf_done(&plain);
    CU_ASSERT_EQUAL(decrypt(sealed.data, sealed.len, wrong_pass, 0, &plain, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "passphrase"));
    CU_ASSERT_PTR_NULL(strstr(err.text, "not the right one"));
    sr_buf_done(&plain);
    CU_ASSERT_EQUAL(decrypt(sealed.data, sealed.len, NULL, 0, &plain, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "passphrase"));
    sr_buf_done(&plain);
    sr_buf_done(&sealed);
    free(data);
}

/* Odd bytes and every length that is accepted work, with gpg alone too. */
static void long_and_odd_passphrases(void)
{
    static const size_t lens[] = {8, 100, 101, 255};
    char text[256];
    for (size_t k = 0; k < sizeof lens / sizeof *lens; k++) {
        for (size_t i = 0; i < lens[k]; i++)
            text[i] = (char)(33 + i % 90);
        memcpy(text, " \xc3\xa4%\\\"'", 7);
        text[lens[k]] = '\0';
        struct sr_error err = SR_ERROR_INIT;
        struct sr_passphrase *p = NULL;
        ASSERT_OK(sr_passphrase_new(text, &p, &err), err);
        struct sr_buf sealed, plain;
        sr_buf_init(&sealed, BLOB_MAX);
        ASSERT_OK(run_step("x", 1, 0, sr_step_encrypt_new(NULL, p), &sealed, &err), err);
        gpg_agrees(&sealed, "x", 1, text);
        ASSERT_OK(decrypt(sealed.data, sealed.len, p, 0, &plain, &err), err);
        CU_ASSERT(same(&plain, "x", 1));
        sr_buf_done(&plain);
        sr_buf_done(&sealed);
        sr_passphrase_free(p);
    }
}

static void splits_at_every_byte(void)
{
    unsigned char *data = noise(3000, 3);
    static const size_t chunks[] = {1, 7, 100};
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_buf sealed, plain;
        ASSERT_OK(encrypt(data, 3000, alice, chunks[i], &sealed, &err), err);
        ASSERT_OK(decrypt(sealed.data, sealed.len, NULL, chunks[i], &plain, &err), err);
        CU_ASSERT(same(&plain, data, 3000));
        sr_buf_done(&sealed);
        sr_buf_done(&plain);
    }
    free(data);
}

static void what_is_not_encrypted_passes(void)
{
    static const char *const texts[] = {"",
                                        "-",
                                        "-----BEGIN PGP P",
                                        "-- PostgreSQL database dump",
                                        "\x1f\x8b\x08 gzip",
                                        "\xc3\xa9t\xc3\xa9 begins with a letter of two bytes",
                                        "\xef\xbb\xbf-- text with a mark",
                                        "PGDMP",
                                        "\x85",
                                        "\x8c\x0d"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (size_t chunk = 1; chunk < 40; chunk += 6) {
            struct sr_error err = SR_ERROR_INIT;
            struct sr_pipeline_options po = {.chunk_size = chunk, .outlets = 1};
            struct sr_pipeline *p = NULL;
            struct memory_input in;
            memory_input_init(&in, texts[i], strlen(texts[i]));
            ASSERT_OK(sr_pipeline_new(&po, &p, &err), err);
            struct sr_step *d = sr_step_decrypt_new(NULL);
            ASSERT_OK(sr_pipeline_add(p, d, &err), err);
            ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
            struct collector c = {0};
            collector_start(&c, p, 0);
            collector_join(&c);
            ASSERT_OK(sr_pipeline_finish(p, &err), err);
            CU_ASSERT(same(&c.got, texts[i], strlen(texts[i])));
            CU_ASSERT(!sr_step_decrypt_was_encrypted(d));
            sr_buf_done(&c.got);
            sr_pipeline_free(p);
        }
    }
}

static void armor_is_read_too(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char path[64], out[64];
    write_file("plain", "some text", 9, path);
    (void)snprintf(out, sizeof out, "%s/armored", gpg_home);
    gpg_run("--armor", "--trust-model", "always", "-r", alice, "--output", out, "--encrypt", path,
            NULL);
    FILE *f = fopen(out, "re");
    char text[8192];
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        (void)fclose(f);
    struct sr_buf plain;
    ASSERT_OK(decrypt(text, n, NULL, 3, &plain, &err), err);
    CU_ASSERT(same(&plain, "some text", 9));
    sr_buf_done(&plain);
}

/* No secret key here: told with the key that is needed, and nothing comes out. */
static void missing_secret_key_is_told(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf sealed, plain;
    ASSERT_OK(encrypt("secret", 6, bob, 0, &sealed, &err), err);
    char old[sizeof gpg_home], sub[41];
    gpg_fingerprint(bob, 0, 1, sub);
    memcpy(old, gpg_home, sizeof old);
    gpg_home_make();
    CU_ASSERT_EQUAL(decrypt(sealed.data, sealed.len, NULL, 0, &plain, &err), SR_E_KEY);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, sub + 24));
    CU_ASSERT_EQUAL(plain.len, 0);
    sr_buf_done(&plain);
    CU_ASSERT_EQUAL(decrypt(sealed.data, sealed.len, pass, 0, &plain, &err), SR_E_KEY);
    sr_buf_done(&plain);
    sr_buf_done(&sealed);
    gpg_home_remove();
    memcpy(gpg_home, old, sizeof old);
    CU_ASSERT_EQUAL(setenv("GNUPGHOME", gpg_home, 1), 0);
}

/* A secret key that has a passphrase is opened with ours, and a wrong one is told as such. */
static void protected_secret_key(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf sealed, plain;
    char secret[64];
    write_file("secret", PASSPHRASE "\n", strlen(PASSPHRASE) + 1, secret);
    gpg_run("--pinentry-mode", "loopback", "--passphrase-file", secret, "--quick-generate-key",
            "Carol <carol@example.org>", "default", "default", "never", NULL);
    char *argv[] = {(char *)"gpgconf", (char *)"--homedir", gpg_home,
                    (char *)"--kill",  (char *)"gpg-agent", NULL};
    ASSERT_OK(gpg_exec(argv, NULL, &err), err); /* which still knows the passphrase */
    ASSERT_OK(encrypt("for carol", 9, "carol@example.org", 0, &sealed, &err), err);
    CU_ASSERT_EQUAL(decrypt(sealed.data, sealed.len, wrong_pass, 0, &plain, &err), SR_E_KEY);
    CU_ASSERT_EQUAL(plain.len, 0);
    sr_buf_done(&plain);
    ASSERT_OK(decrypt(sealed.data, sealed.len, pass, 0, &plain, &err), err);
    CU_ASSERT(same(&plain, "for carol", 9));
    sr_buf_done(&plain);
    sr_buf_done(&sealed);
}

/* Cut or changed anywhere: never a clean end. */
static void damage_is_told(void)
{
    unsigned char *data = noise(200000, 4);
    for (int symmetric = 0; symmetric < 2; symmetric++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_buf sealed, plain;
        ASSERT_OK(encrypt(data, 200000, symmetric ? NULL : alice, 0, &sealed, &err), err);
        const size_t cuts[] = {sealed.len - 1, sealed.len - 22, sealed.len / 2, 5000, 300};
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            int rc = decrypt(sealed.data, cuts[i], pass, 0, &plain, &err);
            CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
            if (rc != SR_E_CORRUPT)
                (void)fprintf(stderr, "cut at %zu of %zu: %d %s\n", cuts[i], sealed.len, rc,
                              rc ? err.text : "");
            sr_buf_done(&plain);
        }
        CU_ASSERT_NOT_EQUAL(decrypt(sealed.data, 60, pass, 0, &plain, &err), SR_OK);
        sr_buf_done(&plain);
        const size_t flips[] = {sealed.len - 1, sealed.len - 30, sealed.len / 2, 1000};
        for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
            sealed.data[flips[i]] = (char)(sealed.data[flips[i]] ^ 1);
            int rc = decrypt(sealed.data, sealed.len, pass, 0, &plain, &err);
            CU_ASSERT_EQUAL(rc, SR_E_CORRUPT);
            if (rc != SR_E_CORRUPT)
                (void)fprintf(stderr, "flip at %zu of %zu: %d %s\n", flips[i], sealed.len, rc,
                              rc ? err.text : "");
            sealed.data[flips[i]] = (char)(sealed.data[flips[i]] ^ 1);
            sr_buf_done(&plain);
        }
        sr_buf_done(&sealed);
    }
    free(data);
}

/* Old messages without integrity protection are refused. */
static void missing_mdc_is_refused(void)
{
    struct sr_error err = SR_ERROR_INIT;
    char path[64], out[64], text[8192];
    write_file("plain", "changeable", 10, path);
    (void)snprintf(out, sizeof out, "%s/nomdc", gpg_home);
    gpg_run("--rfc2440", "--disable-mdc", "--cipher-algo", "3DES", "--trust-model", "always", "-r",
            bob, "--output", out, "--encrypt", path, NULL);
    FILE *f = fopen(out, "re");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        (void)fclose(f);
    struct sr_openpgp_head h;
    CU_ASSERT_EQUAL(sr_openpgp_head_read((unsigned char *)text, n, &h), 1);
    CU_ASSERT(!h.integrity); /* else this tests nothing */
    struct sr_buf plain;
    CU_ASSERT_EQUAL(decrypt(text, n, NULL, 0, &plain, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "integrity"));
    sr_buf_done(&plain);
}

/* Whatever stands in gpg.conf: what we write is right, or we say that it is not. */
static void strange_gpg_conf(void)
{
    static const struct {
        const char *conf;
        int to_key, with_pass; /* what comes back */
    } cases[] = {
        {"comment hello\nno-greeting\nbatch\nthrow-keyids\n", SR_OK, SR_OK},
        {"compress-algo bzip2\nz 9\n", SR_OK, SR_OK},
        {"default-recipient-self\ndefault-key bob@example.org\n", SR_OK, SR_OK},
        {"encrypt-to bob@example.org\n", SR_OK, SR_OK},
        {"hidden-encrypt-to bob@example.org\n", SR_OK, SR_OK},
        {"trust-model direct\nask-cert-level\ninteractive\n", SR_OK, SR_OK},
        {"armor\n", SR_E_CONFIG, SR_E_CONFIG},
        {"recipient bob@example.org\n", SR_E_CONFIG, SR_OK},
        {"cipher-algo 3DES\n", SR_E_CONFIG, SR_E_CONFIG},
        {"cipher-algo AES128\n", SR_OK, SR_E_CONFIG},
        {"personal-cipher-preferences AES128 3DES\n", SR_OK, SR_E_CONFIG},
        {"s2k-cipher-algo CAST5\n", SR_OK, SR_E_CONFIG},
        {"s2k-mode 0\n", SR_OK, SR_E_CONFIG},
        {"rfc2440\ndisable-mdc\n", SR_E_CONFIG, SR_E_CONFIG},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int symmetric = 0; symmetric < 2; symmetric++) {
            struct sr_error err = SR_ERROR_INIT;
            struct sr_buf sealed, plain;
            struct sr_recipients *r = symmetric ? NULL : to(alice);
            gpg_conf(cases[i].conf);
            sr_buf_init(&sealed, BLOB_MAX);
            int rc = run_step("some text here", 14, 0,
                              sr_step_encrypt_new(r, symmetric ? pass : NULL), &sealed, &err);
            gpg_conf("");
            sr_recipients_free(r);
            int want = symmetric ? cases[i].with_pass : cases[i].to_key;
            CU_ASSERT_EQUAL(rc, want);
            if (rc != want)
                (void)fprintf(stderr, "%s(%d): %d %s\n", cases[i].conf, symmetric, rc,
                              rc ? err.text : "");
            if (rc == SR_OK) {
                struct sr_openpgp_head h;
                CU_ASSERT_EQUAL(sr_openpgp_head_read((unsigned char *)sealed.data, sealed.len, &h),
                                1);
                CU_ASSERT_EQUAL(h.public_keys + h.passphrases, 1);
                ASSERT_OK(decrypt(sealed.data, sealed.len, pass, 0, &plain, &err), err);
                CU_ASSERT(same(&plain, "some text here", 14));
                sr_buf_done(&plain);
            } else {
                CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "gpg.conf"));
                CU_ASSERT_EQUAL(sealed.len, 0);
            }
            sr_buf_done(&sealed);
        }
    }
}

static void the_whole_way_and_back(void)
{
    struct sr_error err = SR_ERROR_INIT;
    enum { LEN = 4000000 };
    unsigned char *data = dump_like(LEN, 5);
    struct sr_recipients *r = to(alice);
    struct sr_compress_options gz = {.kind = SR_COMPRESS_GZIP};
    struct sr_step *out[] = {sr_step_count_new(SR_PHASE_RAW),    sr_step_compress_new(&gz),
                             sr_step_count_new(SR_PHASE_PLAIN),  sr_step_sha256_new(SR_PHASE_PLAIN),
                             sr_step_encrypt_new(r, NULL),       sr_step_count_new(SR_PHASE_STORED),
                             sr_step_sha256_new(SR_PHASE_STORED)};
    struct sr_step *back[] = {sr_step_sha256_new(SR_PHASE_BACK_STORED), sr_step_decrypt_new(NULL),
                              sr_step_sha256_new(SR_PHASE_BACK_PLAIN), sr_step_decompress_new(),
                              sr_step_count_new(SR_PHASE_BACK_RAW)};
    struct sr_buf sealed, plain;
    sr_buf_init(&sealed, BLOB_MAX);
    sr_buf_init(&plain, BLOB_MAX);
    ASSERT_OK(run_steps(data, LEN, 0, out, 7, &sealed, &err), err);
    CU_ASSERT(sealed.len < LEN / 2);
    ASSERT_OK(run_steps(sealed.data, sealed.len, 0, back, 5, &plain, &err), err);
    CU_ASSERT(same(&plain, data, LEN));
    sr_recipients_free(r);
    sr_buf_done(&sealed);
    sr_buf_done(&plain);
    free(data);
}

/* The input fails while gpg runs: its failure is what comes out, not gpg's. */
static void failing_input_ends_gpg(void)
{
    unsigned char *data = noise(600000, 6);
    static const size_t where[] = {0, 1, 300000, 599999, 600000};
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_pipeline_options po = {.chunk_size = 10000, .outlets = 1};
        struct sr_pipeline *p = NULL;
        struct sr_recipients *r = to(alice);
        struct memory_input in;
        memory_input_init(&in, data, 600000);
        in.fail_at = where[i];
        in.fail_code = SR_E_CHILD;
        ASSERT_OK(sr_pipeline_new(&po, &p, &err), err);
        ASSERT_OK(sr_pipeline_add(p, sr_step_encrypt_new(r, NULL), &err), err);
        ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
        struct collector c = {0};
        collector_start(&c, p, 0);
        collector_join(&c);
        CU_ASSERT_EQUAL(c.rc, SR_E_CHILD);
        CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_CHILD);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the test's input failed"));
        sr_buf_done(&c.got);
        sr_pipeline_free(p);
        sr_recipients_free(r);
    }
    free(data);
}

static int endless_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    if (*(atomic_int *)ctx)
        return sr_fail(err, SR_E_CANCELLED, "interrupted");
    memset(buf, 'e', cap);
    *ret_len = cap;
    return SR_OK;
}

static void endless_interrupt(void *ctx)
{
    *(atomic_int *)ctx = 1;
}

/* Processes named gpg that use our throw-away home. */
static int gpgs_running(void)
{
    int found = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        char path[300], text[65536];
        (void)snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
        FILE *f = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? fopen(path, "re") : NULL;
        size_t n = f ? fread(text, 1, sizeof text, f) : 0;
        if (f)
            (void)fclose(f);
        if (n != 4 || memcmp(text, "gpg\n", 4) != 0)
            continue;
        (void)snprintf(path, sizeof path, "/proc/%s/environ", e->d_name);
        f = fopen(path, "re");
        n = f ? fread(text, 1, sizeof text, f) : 0;
        if (f)
            (void)fclose(f);
        found += memmem(text, n, gpg_home, strlen(gpg_home)) != NULL;
    }
    if (d)
        (void)closedir(d);
    return found;
}

/* Nothing reads the outlet, so gpg is stuck on a full pipe when the cancellation comes. */
static void cancelling_ends_gpg_soon(void)
{
    for (int round = 0; round < 8; round++) {
        struct sr_error err = SR_ERROR_INIT;
        atomic_int stop = 0;
        struct sr_input input = {
            .read = endless_read, .interrupt = endless_interrupt, .ctx = &stop};
        struct sr_pipeline_options po = {.chunk_size = 1000, .outlets = 1};
        struct sr_pipeline *p = NULL;
        struct sr_recipients *r = to(alice);
        ASSERT_OK(sr_pipeline_new(&po, &p, &err), err);
        ASSERT_OK(sr_pipeline_add(p, sr_step_encrypt_new(r, NULL), &err), err);
        ASSERT_OK(sr_pipeline_start(p, &input, &err), err);
        char b[100];
        size_t n = 0;
        if (round > 0) { /* once before anything came out, then in full flight */
            ASSERT_OK(sr_pipeline_read(p, 0, b, sizeof b, -1, &n, &err), err);
            CU_ASSERT_EQUAL(gpgs_running(), 1);
        }
        sr_pipeline_cancel(p, NULL);
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        CU_ASSERT_EQUAL(sr_pipeline_finish(p, &err), SR_E_CANCELLED);
        clock_gettime(CLOCK_MONOTONIC, &after);
        CU_ASSERT(after.tv_sec - before.tv_sec < 10);
        /* its pipes are closed: it ends by itself, and this loop with it */
        while (gpgs_running() > 0 && after.tv_sec - before.tv_sec < 10)
            clock_gettime(CLOCK_MONOTONIC, &after);
        CU_ASSERT_EQUAL(gpgs_running(), 0);
        sr_pipeline_free(p);
        sr_recipients_free(r);
    }
}

static void wrong_use_is_refused(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    struct sr_recipients *r = to(alice);
    sr_buf_init(&out, BLOB_MAX);
    CU_ASSERT_EQUAL(run_step("x", 1, 0, sr_step_encrypt_new(NULL, NULL), &out, &err),
                    SR_E_INTERNAL);
    CU_ASSERT_EQUAL(run_step("x", 1, 0, sr_step_encrypt_new(r, pass), &out, &err), SR_E_INTERNAL);
    CU_ASSERT_EQUAL(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, "/nonexistent/gpg", NULL), 0);
    CU_ASSERT_EQUAL(run_step("x", 1, 0, sr_step_encrypt_new(r, NULL), &out, &err),
                    SR_E_UNAVAILABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "apt-get install gnupg"));
    CU_ASSERT_EQUAL(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, NULL, NULL), 0);
    sr_recipients_free(r);
}

/* The parser of packets, on bytes that are none, and on every beginning of a good message. */
static void packet_heads(void)
{
    struct sr_openpgp_head h;
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf sealed;
    ASSERT_OK(encrypt("x", 1, NULL, 0, &sealed, &err), err);
    size_t need = 0;
    for (size_t i = 0; i < sealed.len && need == 0; i++) {
        int rc = sr_openpgp_head_read((unsigned char *)sealed.data, i, &h);
        CU_ASSERT(rc == 0 || rc == 1);
        if (rc == 1)
            need = i;
    }
    CU_ASSERT(need > 10 && need < 40);
    sr_buf_done(&sealed);
    static const struct {
        const char *bytes;
        size_t len;
        int rc;
    } odd[] = {
        {"", 0, 0},
        {"-", 1, -1},
        {"\x8c", 1, 0},
        {"\x8c\x02\x04\x09", 4, -1},
        {"\xcb\x01z", 3, -1},
        {"\xc1\xe1", 2, -1},
        {"\x87zzz", 4, -1},
        {"\xc1\xff\x00\x00\x00", 5, 0},
        {"\xc1\xc0", 2, 0},
        {"\xc1\xff\xff\xff\xff\xff", 6, 0},
        {"\xd2\xff", 2, 0},
        {"\x86\x00\x00", 3, 0},
        {"\xca\x03PGP\xd2\x01", 7, 1},
        {"\xc9\x01", 2, 1},
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        CU_ASSERT_EQUAL(sr_openpgp_head_read((const unsigned char *)odd[i].bytes, odd[i].len, &h),
                        odd[i].rc);
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"roundtrips", roundtrips},
        {"several recipients each can read", several_recipients_each_can_read},
        {"passphrase roundtrips as AES256", passphrase_roundtrips_as_aes256},
        {"long and odd passphrases", long_and_odd_passphrases},
        {"splits at every byte", splits_at_every_byte},
        {"what is not encrypted passes", what_is_not_encrypted_passes},
        {"armor is read too", armor_is_read_too},
        {"missing secret key is told", missing_secret_key_is_told},
        {"protected secret key", protected_secret_key},
        {"damage is told", damage_is_told},
        {"missing MDC is refused", missing_mdc_is_refused},
        {"strange gpg.conf", strange_gpg_conf},
        {"the whole way and back", the_whole_way_and_back},
        {"failing input ends gpg", failing_input_ends_gpg},
        {"cancelling ends gpg soon", cancelling_ends_gpg_soon},
        {"wrong use is refused", wrong_use_is_refused},
        {"packet heads", packet_heads},
        {NULL, NULL}};
    make_keys();
    int rc = unit_main("encrypt", tests);
    sr_passphrase_free(pass);
    sr_passphrase_free(wrong_pass);
    gpg_home_remove();
    return rc;
}
