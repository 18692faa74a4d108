/* Keys: every legal one is a place of its own. */
#include "config.h"
#include "core/check/check.h"

#include <stdio.h>
#include <string.h>

void check_keys(struct check *c)
{
    char key[SR_STORAGE_KEY_MAX], part[201];
    static const char *const odd[] = {
        "-",    "_",    "0",   "a.b..c",  "a.",       "--help",     "x-y", "x.y",   "x0",
        "Case", "case", "a_b", "in/side", "in/si.de", "in/deep/er", "con", "nul.gz"};
    size_t n = sizeof odd / sizeof *odd;
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(key, sizeof key, "%sodd/%s", c->base, odd[i]);
        int good = check_put(c, key, 10 + i, i);
        check_that(c, good && check_visible(c, key, NULL) == 1, "the key %s", odd[i]);
    }
    int good = 1;
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(key, sizeof key, "%sodd/%s", c->base, odd[i]);
        good &= check_holds(c, key, 10 + i, i);
    }
    check_that(c, good, "keys that look alike are different objects");
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    good = 1;
    for (const char *ch = alphabet; *ch; ch++) {
        (void)snprintf(key, sizeof key, "%seach/%c/%cx.%c", c->base, *ch, *ch, *ch);
        good &= check_put(c, key, 7, (uint64_t)*ch) && check_visible(c, key, NULL) == 1 &&
                check_holds(c, key, 7, (uint64_t)*ch);
    }
    check_that(c, good, "every legal character, as a name, at its front and at its end");
    memset(part, 'p', 200);
    part[200] = '\0';
    (void)snprintf(key, sizeof key, "%s%s", c->base, part);
    check_that(c, check_put(c, key, 5, 1) && check_holds(c, key, 5, 1),
               "a key with a part of 200 bytes");
    (void)snprintf(key, sizeof key, "%s", c->base);
    for (size_t at = strlen(key); at + 12 < SR_STORAGE_KEY_MAX - 1; at += 10)
        memcpy(key + at, "deep-down/", 11);
    memset(key + strlen(key), 'z', SR_STORAGE_KEY_MAX - 1 - strlen(key));
    key[SR_STORAGE_KEY_MAX - 1] = '\0';
    check_that(
        c, check_put(c, key, 6, 2) && check_holds(c, key, 6, 2) && check_visible(c, key, NULL) == 1,
        "a key of %d bytes in many parts", SR_STORAGE_KEY_MAX - 1);
    key[SR_STORAGE_KEY_MAX - 2] = 'y';
    good = check_put(c, key, 7, 3) && check_holds(c, key, 7, 3);
    key[SR_STORAGE_KEY_MAX - 2] = 'z';
    check_that(c, good && check_holds(c, key, 6, 2), "and one that differs in its last byte alone");
}
