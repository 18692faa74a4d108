#include "common/secret.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

void sc_wipe(void *p, size_t len)
{
    if (p)
        explicit_bzero(p, len);
}

int32_t sc_secret_set(struct sc_secret *s, const void *data, size_t len, struct sc_error *err)
{
    if (len > SC_SECRET_MAX)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "a secret of %zu bytes is longer than %d", len,
                       SC_SECRET_MAX);
    char *copy = malloc(len + 1);
    if (!copy)
        return sc_fail_memory(err);
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    sc_secret_done(s);
    *s = (struct sc_secret){copy, len};
    return SR_STORAGE_OK;
}

int32_t sc_secret_copy(struct sc_secret *to, const struct sc_secret *from, struct sc_error *err)
{
    return sc_secret_set(to, from->hidden_, from->len, err);
}

void sc_secret_done(struct sc_secret *s)
{
    sc_wipe(s->hidden_, s->len);
    free(s->hidden_);
    *s = (struct sc_secret)SC_SECRET_INIT;
}

const char *sc_secret_bytes(const struct sc_secret *s)
{
    return s->hidden_ ? s->hidden_ : "";
}

int sc_secret_equal(const struct sc_secret *a, const struct sc_secret *b)
{
    return a->len == b->len && sc_equal(sc_secret_bytes(a), sc_secret_bytes(b), a->len);
}

int32_t sc_secret_setting(struct sc_secret *s, const struct sr_storage_host *host, const char *key,
                          struct sc_error *err)
{
    char *buf = NULL;
    size_t cap = 1024;
    int64_t n = 0;
    for (;;) {
        buf = malloc(cap);
        if (!buf)
            return sc_fail_memory(err);
        n = host->setting(host, key, buf, cap);
        if (n < (int64_t)cap || n > SC_SECRET_MAX)
            break;
        free(buf); /* nothing was copied */
        cap = (size_t)n + 1;
    }
    int32_t rc = SR_STORAGE_OK;
    if (n == -1)
        rc = sc_fail(err, SR_STORAGE_E_NOT_FOUND, "setting %s is not set", key);
    else if (n < 0)
        rc = sc_fail_setting(err, key);
    else if (n > SC_SECRET_MAX)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "setting %s is longer than %d bytes", key,
                     SC_SECRET_MAX);
    for (int64_t i = 0; rc == SR_STORAGE_OK && i < n; i++)
        if ((unsigned char)buf[i] < 0x20 || buf[i] == 0x7f)
            rc = sc_fail(err, SR_STORAGE_E_CONFIG,
                         "setting %s holds a control character (a line break?) at byte %lld", key,
                         (long long)i + 1);
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_set(s, buf, (size_t)n, err);
    if (n >= 0)
        sc_wipe(buf, cap);
    free(buf);
    return rc;
}

int32_t sc_secret_file(struct sc_secret *s, const char *path, size_t max, struct sc_error *err)
{
    _cleanup_(sc_buf_done) struct sc_buf text = SC_BUF_SECRET_INIT(max);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char piece[4096];
    ssize_t n = fd < 0 ? -1 : 0;
    while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0)
        (void)sc_buf_add(&text, piece, (size_t)n);
    int e = n < 0 ? errno : 0;
    sc_wipe(piece, sizeof piece);
    if (e) {
        (void)sc_fail_errno(err, e, "cannot read the file %s", path);
        if (err)
            err->code = SR_STORAGE_E_CONFIG;
        return SR_STORAGE_E_CONFIG;
    }
    int32_t rc = sc_buf_check(&text, err, path);
    return rc == SR_STORAGE_OK ? sc_secret_set(s, sc_buf_str(&text), text.len, err) : rc;
}

int32_t sc_secret_token(struct sc_secret *s, const char *path, struct sc_error *err)
{
    _cleanup_(sc_secret_done) struct sc_secret text = SC_SECRET_INIT;
    int32_t rc = sc_secret_file(&text, path, SC_SECRET_MAX, err);
    if (rc != SR_STORAGE_OK)
        return sc_error_wrap(err, "the token");
    const char *bytes = sc_secret_bytes(&text);
    size_t len = text.len;
    while (len > 0 && strchr(" \t\r\n", bytes[len - 1]))
        len--;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)bytes[i] <= ' ' || bytes[i] == 127)
            return sc_fail(err, SR_STORAGE_E_CONFIG,
                           "the token in %s has a blank or a control character in it", path);
    return len > 0 ? sc_secret_set(s, bytes, len, err)
                   : sc_fail(err, SR_STORAGE_E_CONFIG, "the token file %s is empty", path);
}
