#include "config.h"
#include "core/pipeline/keys_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PASSPHRASE_MIN 8
/* gpg-agent takes no longer one, and says no more than "cancelled" when it gets one. */
#define PASSPHRASE_MAX 255

int sr_passphrase_new(const char *text, struct sr_passphrase **ret, struct sr_error *err)
{
    size_t len = strcspn(text, "\r\n");
    if (len == 0)
        return sr_fail(err, SR_E_CONFIG,
                       "the passphrase for encryption is empty; it is the first line of its file");
    if (len < PASSPHRASE_MIN)
        return sr_fail(err, SR_E_CONFIG,
                       "the passphrase for encryption has %zu bytes; at least %d are needed", len,
                       PASSPHRASE_MIN);
    if (len > PASSPHRASE_MAX)
        return sr_fail(err, SR_E_CONFIG,
                       "the passphrase for encryption has %zu bytes; gpg takes at most %d", len,
                       PASSPHRASE_MAX);
    /* Pages of its own, so that locking and wiping concern nothing else. */
    size_t cap = sizeof(struct sr_passphrase) + len + 1;
    struct sr_passphrase *p =
        mmap(NULL, cap, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the passphrase");
    (void)mlock(p, cap);
    (void)madvise(p, cap, MADV_DONTDUMP);
    p->len = len;
    p->cap = cap;
    memcpy(p->text, text, len);
    *ret = p;
    return SR_OK;
}

void sr_passphrase_free(struct sr_passphrase *p)
{
    if (!p)
        return;
    size_t cap = p->cap;
    explicit_bzero(p, cap);
    (void)munlock(p, cap);
    (void)munmap(p, cap);
}
