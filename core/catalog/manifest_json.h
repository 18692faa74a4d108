/* What the files that read and write manifests share. Private to core/catalog. */
#ifndef SR_CATALOG_MANIFEST_JSON_H
#define SR_CATALOG_MANIFEST_JSON_H

#include "core/catalog/manifest.h"
#include "core/util/json.h"

#define SR_MANIFEST_TEXT_MAX 4096      /* bytes of a free text */
#define SR_MANIFEST_VALUES_MAX 1000000 /* JSON values in one manifest; see sr_json_load */
#define SR_DETAIL_VALUES_MAX 4000000

/* The self-digest of root, which must not hold the member "digest". */
int sr_manifest_digest(const json_t *root, char ret[65], struct sr_error *err);
/* Appends root to out, indented, with a newline. SR_E_NO_SPACE past the ceiling of out. */
int sr_json_write(const json_t *root, struct sr_buf *out, struct sr_error *err);

/* NULL: no memory. */
json_t *sr_detail_to_json(const struct sr_detail *d, int with_rows);
int sr_detail_from_json(const json_t *o, struct sr_detail **ret, struct sr_error *err);

/* Setters for writing; 0, or -1 when memory is out. NULL values are left out. */
int sr_json_put(json_t *o, const char *name, const char *value);
/* Control characters become blanks: these texts are shown on terminals. */
int sr_json_put_text(json_t *o, const char *name, const char *value);
int sr_json_put_texts(json_t *o, const char *name, const struct sr_strlist *l);
int sr_json_put_u64(json_t *o, const char *name, uint64_t v);

/* Getters that copy: a name of any characters, or a text without control characters. */
int sr_json_copy(const json_t *o, const char *name, enum sr_json_need need, size_t max, char **ret,
                 struct sr_error *err);
int sr_json_copy_text(const json_t *o, const char *name, enum sr_json_need need, size_t max,
                      char **ret, struct sr_error *err);

#endif
