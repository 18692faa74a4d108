/* What a dump is, by its first bytes; what a failure is, by its words. */
#include "config.h"
#include "core/source/pg_restore.h"

#include <string.h>

#define FORMAT_AT 10 /* after PGDMP, three version bytes and two sizes */
#define FORMAT_CUSTOM 1
#define TAR_MAGIC_AT 257

struct magic {
    const char *bytes;
    size_t len;
    const char *what;
};

#define MAGIC(bytes, what)            \
    {                                 \
        bytes, sizeof bytes - 1, what \
    }

static const struct magic magics[] = {
    MAGIC("\x1f\x8b", "gzip data inside the decompressed data: it was compressed twice; gunzip it "
                      "first"),
    MAGIC("\x28\xb5\x2f\xfd", "zstd data inside the decompressed data: it was compressed twice; "
                              "unzstd it first"),
    MAGIC("\xfd"
          "7zXZ",
          "xz data; unxz it first"),
    MAGIC("BZh", "bzip2 data; bunzip2 it first"),
    MAGIC("\x04\x22\x4d\x18", "lz4 data; unlz4 it first"),
    MAGIC("PK\x03\x04", "a zip archive; unzip it first"),
    MAGIC("-----BEGIN PGP", "an OpenPGP message: it was encrypted twice; gpg --decrypt it first"),
    MAGIC("REDIS", "a Redis dump, which is not for PostgreSQL"),
    MAGIC("SQLite format 3", "an SQLite database, which is not for PostgreSQL"),
    MAGIC("\xff\xfe", "UTF-16 text (a dump redirected by PowerShell?); convert it to UTF-8 first"),
    MAGIC("\xfe\xff", "UTF-16 text; convert it to UTF-8 first"),
};

/* The first byte of an OpenPGP message: a packet with an encrypted session key, or encrypted data.
 * None of them can begin UTF-8 text but 0xc3, where the packet's version tells. */
static int is_openpgp(const unsigned char *p, size_t len)
{
    switch (p[0]) {
    case 0x84: /* public-key encrypted session key, old format */
    case 0x85:
    case 0x86:
    case 0x8c: /* symmetric-key encrypted session key, old format */
    case 0x8d:
    case 0xc1: /* the same in the new format */
        return 1;
    case 0xc3:
        return len > 2 && p[2] >= 4 && p[2] <= 6;
    default:
        return 0;
    }
}

static int unsupported(struct sr_error *err, const char *what)
{
    return sr_fail(err, SR_E_UNSUPPORTED,
                   "neither a plain nor a custom dump of pg_dump: this is %s", what);
}

static int archive_kind(const unsigned char *p, size_t len, enum sr_restore_kind *ret,
                        struct sr_error *err)
{
    if (len > FORMAT_AT && p[FORMAT_AT] != FORMAT_CUSTOM)
        return unsupported(err, "the table of contents of a directory or tar archive; use "
                                "pg_restore on the whole archive");
    *ret = SR_RESTORE_CUSTOM;
    return SR_OK;
}

int sr_pg_restore_kind(const void *head, size_t len, enum sr_restore_kind *ret,
                       struct sr_error *err)
{
    const unsigned char *p = head;
    if (len == 0)
        return unsupported(err, "empty");
    if (len >= 5 && memcmp(p, "PGDMP", 5) == 0)
        return archive_kind(p, len, ret, err);
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (len >= magics[i].len && memcmp(p, magics[i].bytes, magics[i].len) == 0)
            return unsupported(err, magics[i].what);
    if (len >= TAR_MAGIC_AT + 5 && memcmp(p + TAR_MAGIC_AT, "ustar", 5) == 0)
        return unsupported(err, strncmp((const char *)p, "toc.dat", 8) == 0
                                    ? "a pg_dump archive in tar format; use pg_restore"
                                    : "a tar archive; unpack it first");
    if (is_openpgp(p, len))
        return unsupported(err, "an OpenPGP message: it was encrypted twice; gpg --decrypt it "
                                "first");
    if (memchr(p, '\0', len))
        return unsupported(err, "binary data of an unknown kind");
    *ret = SR_RESTORE_PLAIN;
    return SR_OK;
}

int sr_pg_restore_needs_locks(const struct sr_error *err)
{
    /* The message comes in the server's language; the setting in its hint does not. */
    return err->code == SR_E_CHILD && strstr(err->text, "max_locks_per_transaction") != NULL;
}
