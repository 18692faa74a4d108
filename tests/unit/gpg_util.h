/* A throw-away GnuPG home for tests.
 *
 *     gpg_home_make();                                     // sets GNUPGHOME
 *     gpg_run("--batch", "--quick-generate-key", ..., NULL)
 *     gpg_home_remove();                                   // ends its agent
 */
#ifndef SR_TESTS_GPG_UTIL_H
#define SR_TESTS_GPG_UTIL_H

#include "core/util/buf.h"
#include "core/util/subprocess.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Short: the agent's socket lies in it, and its path may have 107 bytes. */
static char gpg_home[] = "/tmp/srg-XXXXXX";

static inline void gpg_home_make(void)
{
    memcpy(gpg_home + strlen(gpg_home) - 6, "XXXXXX", 6);
    if (!mkdtemp(gpg_home) || setenv("GNUPGHOME", gpg_home, 1) != 0)
        abort();
}

/* Runs argv to its end; its standard output is appended to out (may be NULL). */
static inline int gpg_exec(char *const *argv, struct sr_buf *out, struct sr_error *err)
{
    struct sr_buf none;
    sr_buf_init(&none, 1 << 20);
    int rc = sr_child_run(argv, NULL, 120000, out ? out : &none, err);
    sr_buf_done(&none);
    return rc;
}

/* gpg --batch --quiet with these arguments (ended by NULL); ends the test when gpg fails. */
static inline void gpg_run(const char *first, ...)
{
    char *argv[32] = {(char *)"gpg", (char *)"--batch", (char *)"--quiet", (char *)"--yes",
                      (char *)first};
    size_t n = 5;
    va_list ap;
    va_start(ap, first);
    for (char *a; n < 31 && (a = va_arg(ap, char *)) != NULL;)
        argv[n++] = a;
    va_end(ap);
    struct sr_error err = SR_ERROR_INIT;
    if (gpg_exec(argv, NULL, &err) != SR_OK) {
        (void)fprintf(stderr, "gpg %s: %s\n", first, err.text);
        abort();
    }
}

/* The fingerprint of the number-th primary key (from 0) that gpg lists for pattern. */
static inline void gpg_fingerprint(const char *pattern, int number, int subkey, char out[41])
{
    char *argv[] = {(char *)"gpg",         (char *)"--batch", (char *)"--with-colons",
                    (char *)"--list-keys", (char *)pattern,   NULL};
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf b;
    sr_buf_init(&b, 1 << 20);
    if (gpg_exec(argv, &b, &err) != SR_OK) {
        (void)fprintf(stderr, "gpg --list-keys: %s\n", err.text);
        abort();
    }
    int at = -1, sub = 0;
    for (char *line = b.data; line && *line;) {
        if (strncmp(line, "pub:", 4) == 0) {
            at++;
            sub = 0;
        }
        sub += strncmp(line, "sub:", 4) == 0;
        if (strncmp(line, "fpr:", 4) == 0 && at == number && sub == subkey) {
            const char *f = line;
            for (int i = 0; i < 9; i++)
                f = strchr(f, ':') + 1;
            memcpy(out, f, 40);
            out[40] = '\0';
            sr_buf_done(&b);
            return;
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    abort();
}

static inline void gpg_conf(const char *text)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/gpg.conf", gpg_home);
    FILE *f = fopen(path, "we");
    if (!f || fputs(text, f) < 0 || fclose(f) != 0)
        abort();
}

static int gpg_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    (void)remove(path); /* the agent takes its sockets away at the same time */
    return 0;
}

/* Revokes a key of the home, by the certificate that gpg made beside it. */
static inline void gpg_revoke(const char *fpr)
{
    char path[160];
    struct sr_buf b;
    (void)snprintf(path, sizeof path, "%s/openpgp-revocs.d/%s.rev", gpg_home, fpr);
    sr_buf_init(&b, 1 << 16);
    FILE *f = fopen(path, "re");
    for (int c; f && (c = fgetc(f)) != EOF;)
        (void)sr_buf_addc(&b, (char)c);
    if (f)
        (void)fclose(f);
    char *mark = b.data ? strstr(b.data, ":-----BEGIN") : NULL;
    f = fopen(path, "we");
    if (!mark || !f || fputs(mark + 1, f) < 0 || fclose(f) != 0)
        abort();
    sr_buf_done(&b);
    gpg_run("--import", path, NULL);
}

static inline void gpg_home_remove(void)
{
    char *argv[] = {(char *)"gpgconf", (char *)"--homedir", gpg_home,
                    (char *)"--kill",  (char *)"all",       NULL};
    struct sr_error err = SR_ERROR_INIT;
    (void)gpg_exec(argv, NULL, &err);
    (void)nftw(gpg_home, gpg_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
