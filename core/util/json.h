/* Reading foreign JSON with bounds, and typed members with messages for people.
 *
 *     sr_json_load(text, len, 100000, &root, &err);
 *     sr_json_get_string(root, "set", SR_JSON_REQUIRED, 80, &s, &err)   // s lives as long as root
 *     json_decref(root);
 *
 * A thin layer over jansson. Members that nobody asks for are ignored. Getters leave *ret_* alone
 * when an optional member is absent or null, and answer SR_E_CORRUPT, naming the member, when it is
 * of the wrong type or out of range. Any thread, as long as a tree is used by one at a time. */
#ifndef SR_UTIL_JSON_H
#define SR_UTIL_JSON_H

#include "core/util/error.h"
#include "core/util/strlist.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define SR_JSON_DEPTH_MAX 16

enum sr_json_need {
    SR_JSON_OPTIONAL,
    SR_JSON_REQUIRED,
};

/* Parses one object. Before anything is built, depth and the number of values are counted, because
 * a tree can be a hundred times larger than its text. Refused too: repeated members, NUL in
 * strings, text that is not UTF-8. SR_E_CORRUPT with the line. The caller owns *ret. */
int sr_json_load(const void *text, size_t len, size_t values_max, json_t **ret,
                 struct sr_error *err);

/* At most max bytes; *ret belongs to o. */
int sr_json_get_string(const json_t *o, const char *name, enum sr_json_need need, size_t max,
                       const char **ret, struct sr_error *err);
/* Whole, 0..max. */
int sr_json_get_u64(const json_t *o, const char *name, enum sr_json_need need, uint64_t max,
                    uint64_t *ret, struct sr_error *err);
/* ISO 8601 UTC text as UTC seconds. */
int sr_json_get_time(const json_t *o, const char *name, enum sr_json_need need, int64_t *ret,
                     struct sr_error *err);
/* 64 lower-case hex digits. */
int sr_json_get_sha256(const json_t *o, const char *name, enum sr_json_need need, char ret[65],
                       struct sr_error *err);
/* An array of strings of at most max bytes each, added to ret. */
int sr_json_get_strings(const json_t *o, const char *name, enum sr_json_need need, size_t max,
                        struct sr_strlist *ret, struct sr_error *err);
/* An array or object as it is; borrowed from o. */
int sr_json_get(const json_t *o, const char *name, enum sr_json_need need, json_type type,
                json_t **ret, struct sr_error *err);

/* A string of any bytes: what is not UTF-8 becomes the text \xHH, so that writing never fails for
 * a name's sake. NULL: no memory. */
json_t *sr_json_text(const char *s);
/* That text itself; malloc'd, NULL: no memory. */
char *sr_utf8_clean(const char *s);

/* Nonzero when s is 64 lower-case hex digits. */
int sr_is_sha256(const char *s);

#endif
