/* JSON from outside, through jansson: bounded, and overwritten where it held secrets.
 *
 *     _cleanup_(sc_json_wipe) json_t *v = NULL;
 *     sc_json_read("the token endpoint", text, len, max, &v, &err)      an object, or an error
 *     const char *token = sc_json_text(v, "access_token");              valid while v lives
 *
 * A name that comes twice makes the text no JSON here: which of the two counts is where parsers
 * differ. Error messages never quote the text. Pure; any thread. */
#ifndef SC_JSON_H
#define SC_JSON_H

#include "common/error.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* E_CORRUPT, "WHO did not answer with a JSON object", and when there are more than max bytes. The
 * caller ends *ret with sc_json_wipe, or json_decref where nothing in it is a secret. */
int32_t sc_json_read(const char *who, const char *text, size_t len, size_t max, json_t **ret,
                     struct sc_error *err);
/* The text of that name in an object; NULL when it is missing, no text, or has a NUL in it. v may
 * be NULL. */
const char *sc_json_text(const json_t *v, const char *name);
/* A number that is a whole one at least 0, or a text of one (Google and Azure write 64-bit numbers
 * as texts); 0, or -1 when it is something else. */
int sc_json_u64(const json_t *v, const char *name, uint64_t *ret);

/* For _cleanup_, where json_decrefp is not enough: overwrites every text in it first, since jansson
 * frees its memory as it is, and other allocators can be set only for the whole process. */
void sc_json_wipe(json_t **v);

#endif
