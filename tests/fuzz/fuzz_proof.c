/* Proofs: what is read is written and read back the same, and the name of any proof is one that
 * would be written. Because no fuzzer guesses a digest, the text is also read as a forger would
 * hand it in, with a digest that fits. */
#include "config.h"
#include "core/catalog/manifest_json.h"
#include "core/catalog/proof.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sr_proof_where here = {
    "nightly-20261120130501", "app", "proof-opened-20261120130501.json",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

static void check(int holds)
{
    if (!holds)
        abort();
}

static void read_text(const void *text, size_t len)
{
    struct sr_proof p, again;
    struct sr_buf once, twice;
    if (sr_proof_read(text, len, &here, &p, NULL) != SR_OK)
        return;
    sr_buf_init(&once, 1u << 20);
    sr_buf_init(&twice, 1u << 20);
    check(sr_proof_write(&p, &once, NULL) == SR_OK && once.len <= SR_PROOF_MAX);
    check(sr_proof_read(once.data, once.len, &here, &again, NULL) == SR_OK);
    check(sr_proof_write(&again, &twice, NULL) == SR_OK && strcmp(once.data, twice.data) == 0);
    sr_proof_done(&p);
    sr_proof_done(&again);
    sr_buf_done(&once);
    sr_buf_done(&twice);
}

static void read_forged(const uint8_t *data, size_t size)
{
    struct sr_buf text;
    char hex[65];
    json_t *root = NULL;
    if (sr_json_load(data, size, 1000, &root, NULL) != SR_OK)
        return;
    sr_buf_init(&text, 1u << 20);
    (void)json_object_del(root, "digest");
    if (sr_manifest_digest(root, hex, NULL) == SR_OK && sr_json_put(root, "digest", hex) == 0 &&
        sr_json_write(root, &text, NULL) == SR_OK)
        read_text(text.data, text.len);
    sr_buf_done(&text);
    json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char suffix[256], again[SR_PROOF_SUFFIX_MAX];
    struct sr_proof_name n;
    struct sr_strlist l = {0};
    struct sr_standing s;
    read_text(data, size);
    read_forged(data, size);
    size_t len = size < sizeof suffix - 1 ? size : sizeof suffix - 1;
    memcpy(suffix, data, len);
    suffix[len] = '\0';
    if (sr_proof_name_read(suffix, &n) == SR_OK)
        check(sr_proof_suffix(&n, again) == SR_OK && strcmp(again, suffix) == 0);
    check(sr_strlist_split(&l, suffix, ' ') == SR_OK);
    sr_standing_of(&l, 1700000000, &s);
    check(s.rung >= SR_RUNG_STORED && s.rung <= SR_RUNG_COMPARED);
    sr_strlist_done(&l);
    return 0;
}
