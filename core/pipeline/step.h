/* Steps of a pipeline, and their constructors.
 *
 * An observer sees bytes; a transformer changes them. A step belongs to the pipeline it was added
 * to; its results may be read after sr_pipeline_finish returned SR_OK and until sr_pipeline_free.
 * Constructors return NULL only when memory is out; anything else wrong with their arguments is
 * found by their own checks before (compression level, keys) or told at sr_pipeline_start.
 */
#ifndef SR_PIPELINE_STEP_H
#define SR_PIPELINE_STEP_H

#include "core/pipeline/pipeline.h"

#include <stdint.h>

#define SR_SHA256_SIZE 32
#define SR_SHA256_HEX 65 /* with NUL */

/* --- observers --- */
struct sr_step *sr_step_count_new(enum sr_phase phase);
uint64_t sr_step_count_result(const struct sr_step *s); /* also while running, for progress */

struct sr_step *sr_step_sha256_new(enum sr_phase phase);
void sr_step_sha256_result(const struct sr_step *s, char hex[SR_SHA256_HEX]);

/* Any observer: fn is called in order on one thread; finish after the last byte, still before the
 * outlets see the end. A code other than SR_OK fails the pipeline. finish may be NULL. */
struct sr_step *sr_step_observe_new(enum sr_phase phase,
                                    int (*fn)(void *ctx, const void *data, size_t len,
                                              struct sr_error *err),
                                    int (*finish)(void *ctx, struct sr_error *err), void *ctx);

/* --- compression: gzip (ISA-L where built in, else zlib), zstd, none ---
 *
 * gzip: levels 1 to 3 are ISA-L's (1 is as small as `gzip -6` on dumps, at 500 MB/s a core; 2 and 3
 * gain little), 4 to 9 are zlib's; without ISA-L all nine are zlib's. zstd: 1 to 19, windows of at
 * most 2 MiB. The same input, settings and library give the same bytes, whatever the number of
 * threads above one. Empty input is a valid empty file; with SR_COMPRESS_NONE no bytes at all. What
 * gzip writes is one member without name and time. Several threads hold about 1.1 MiB each (gzip)
 * or up to 15 MiB (zstd 19). */
enum sr_compression {
    SR_COMPRESS_NONE,
    SR_COMPRESS_GZIP,
    SR_COMPRESS_ZSTD,
};
struct sr_compress_options {
    enum sr_compression kind;
    int level;        /* 0: the kind's default, which is 1 for both */
    unsigned threads; /* 0: one where one keeps up with a dump, else a thread a core, at most 4 */
};
/* Range of levels for kind; SR_E_CONFIG names it. */
int sr_compress_check(const struct sr_compress_options *o, struct sr_error *err);
struct sr_step *sr_step_compress_new(const struct sr_compress_options *o);
const char *sr_compress_backend(enum sr_compression kind); /* "ISA-L 2.30", "zlib 1.2.13" */
/* The kind is told by content: gzip or zstd magic, else passed on as it is. Several members or
 * frames are read one after the other; trailing garbage, a truncated or damaged stream, and zstd
 * windows above 32 MiB are SR_E_CORRUPT. Memory does not grow with what comes out. */
struct sr_step *sr_step_decompress_new(void);
enum sr_compression sr_step_decompress_kind(const struct sr_step *s); /* once bytes flowed */

/* --- encryption (keys.h resolves what these take) --- */
struct sr_recipients;
struct sr_passphrase;
/* Exactly one of the two is given; both stay the caller's and must outlive the pipeline.
 * sr_pipeline_start says when there is no gpg (SR_E_UNAVAILABLE). The output is judged before any
 * of it goes on: binary, integrity-protected, for exactly these recipients, AES256 with an iterated
 * hash for a passphrase; where the user's gpg.conf makes it otherwise, SR_E_CONFIG says so. So does
 * an outdated cipher, as soon as gpg names it. */
struct sr_step *sr_step_encrypt_new(const struct sr_recipients *r,
                                    const struct sr_passphrase *pass);
/* OpenPGP (binary or armored) or not is told by content; what is not is passed on as it is. pass
 * may be NULL (then the keyring and its agent decide). No usable key (the message names those it is
 * encrypted to) or a wrong passphrase is SR_E_KEY; damage, a missing end, or a message without
 * integrity protection SR_E_CORRUPT. What was read before the clean end is provisional: the check
 * comes last. */
struct sr_step *sr_step_decrypt_new(const struct sr_passphrase *pass);
/* Before the pipeline starts: the agent gives what it has unlocked already and opens no pinentry; a
 * key that is locked is then SR_E_KEY. */
void sr_step_decrypt_never_ask(struct sr_step *s);
int sr_step_decrypt_was_encrypted(const struct sr_step *s);

#endif
