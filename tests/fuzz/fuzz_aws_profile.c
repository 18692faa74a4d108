/* The AWS profile files: whatever is taken can be asked for, and the words of a command come out of
 * it; whatever is refused is told without a byte of it. */
#include "common/aws_private.h"
#include "common/aws_profile.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct sc_aws_profiles *p)
{
    struct sc_aws_profile_keys keys;
    struct sc_error err = SC_ERROR_INIT;
    const char *command = sc_aws_profile_get(p, "default", "credential_process");
    char **words = NULL;
    if (command && sc_aws_words_split(command, &words, &err) == SR_STORAGE_OK && !words[0])
        abort();
    sc_aws_words_free(words);
    if (sc_aws_profile_keys(p, "default", &keys, &err) == SR_STORAGE_OK &&
        (!keys.id || !keys.secret || !keys.path))
        abort();
    if (sc_aws_profile_key_like(p, "default", "") && !sc_aws_profile_exists(p, "default"))
        abort();
    (void)sc_aws_profile_is_misnamed(p, "x");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum sc_aws_file files[] = {SC_AWS_FILE_CONFIG, SC_AWS_FILE_CREDENTIALS};
    struct sc_aws_profiles *p = sc_aws_profiles_new();
    struct sc_error err = SC_ERROR_INIT;
    for (size_t i = 0; p && i < 2; i++) {
        int32_t rc = sc_aws_profiles_parse(p, files[i], "F", (const char *)data, size, &err);
        if (rc != SR_STORAGE_OK && (err.code != rc || strncmp(err.text, "F", 1) != 0))
            abort();
    }
    if (p)
        ask(p);
    sc_aws_profiles_free(p);
    return 0;
}
