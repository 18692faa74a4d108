#include "config.h"
#include "core/source/pg_scratch.h"
#include "core/util/text.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define HALF 16 /* hex digits */

static const char start[] = "strongroom_test_";
static const char words[] = "strongroom restore-test: made for a test, removed after it ";

/* The first hex digits of a digest over what is marked. */
static int check_digits(const char *kind, const char *name, const char *random, char out[HALF + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
             EVP_DigestUpdate(md, words, sizeof words - 1) == 1 &&
             EVP_DigestUpdate(md, kind, strlen(kind) + 1) == 1 &&
             EVP_DigestUpdate(md, name, strlen(name) + 1) == 1 &&
             EVP_DigestUpdate(md, random, HALF) == 1 && EVP_DigestFinal_ex(md, digest, &n) == 1;
    EVP_MD_CTX_free(md);
    if (ok)
        sr_hex(digest, HALF / 2, out);
    return ok ? SR_OK : SR_E_INTERNAL;
}

static const char *kind_word(enum sr_scratch_kind kind)
{
    return kind == SR_SCRATCH_DATABASE ? "database" : "role";
}

static int random_digits(char out[HALF + 1], struct sr_error *err)
{
    unsigned char random[HALF / 2];
    if (sr_random(random, sizeof random) != 0)
        return sr_fail_errno(err, errno, "cannot get random bytes");
    sr_hex(random, sizeof random, out);
    return SR_OK;
}

static int is_hex(const char *s, size_t len)
{
    return strspn(s, "0123456789abcdef") >= len;
}

int sr_scratch_name_make(char out[SR_SCRATCH_NAME_SIZE], struct sr_error *err)
{
    char random[HALF + 1], check[HALF + 1];
    int rc = random_digits(random, err);
    if (rc != SR_OK)
        return rc;
    if (check_digits("name", "", random, check) != SR_OK)
        return sr_fail(err, SR_E_INTERNAL, "SHA-256 failed");
    (void)snprintf(out, SR_SCRATCH_NAME_SIZE, "%s%s%s", start, random, check);
    return SR_OK;
}

int sr_scratch_name_ok(const char *name)
{
    char check[HALF + 1];
    size_t n = sizeof start - 1;
    if (strncmp(name, start, n) != 0 || strlen(name) != n + 2 * HALF || !is_hex(name + n, 2 * HALF))
        return 0;
    return check_digits("name", "", name + n, check) == SR_OK &&
           strcmp(check, name + n + HALF) == 0;
}

int sr_scratch_comment_make(enum sr_scratch_kind kind, const char *name,
                            char out[SR_SCRATCH_COMMENT_SIZE], struct sr_error *err)
{
    char random[HALF + 1], check[HALF + 1];
    int rc = random_digits(random, err);
    if (rc != SR_OK)
        return rc;
    if (check_digits(kind_word(kind), name, random, check) != SR_OK)
        return sr_fail(err, SR_E_INTERNAL, "SHA-256 failed");
    (void)snprintf(out, SR_SCRATCH_COMMENT_SIZE, "%s%s%s", words, random, check);
    return SR_OK;
}

int sr_scratch_comment_ok(enum sr_scratch_kind kind, const char *name, const char *comment)
{
    char check[HALF + 1];
    size_t n = sizeof words - 1;
    if (!comment || strncmp(comment, words, n) != 0 || strlen(comment) != n + 2 * HALF ||
        !is_hex(comment + n, 2 * HALF))
        return 0;
    return check_digits(kind_word(kind), name, comment + n, check) == SR_OK &&
           strcmp(check, comment + n + HALF) == 0;
}
