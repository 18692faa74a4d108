/* What keys.h keeps opaque; for core/pipeline alone. */
#ifndef SR_PIPELINE_KEYS_PRIVATE_H
#define SR_PIPELINE_KEYS_PRIVATE_H

#include "core/pipeline/keys.h"

#include <gpgme.h>

struct sr_recipients {
    size_t len;
    gpgme_key_t *keys; /* ended by NULL, as gpgme_op_encrypt wants it */
};

struct sr_passphrase {
    size_t len;
    size_t cap;  /* of text, all of it locked */
    char text[]; /* ended by NUL */
};

#endif
