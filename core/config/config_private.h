/* What the files of core/config share: the resolved settings. */
#ifndef SR_CONFIG_CONFIG_PRIVATE_H
#define SR_CONFIG_CONFIG_PRIVATE_H

#include "core/config/layer.h"

#define SR_CONFIG_LAYERS 4
#define SR_CONFIG_VALUE_MAX (64u << 10) /* bytes of a declared value, and of a NAME_FILE */

/* What counts for one setting. */
struct sr_config_value {
    char *text;                   /* NULL: unset */
    int64_t number;               /* bool, int, size, duration, days */
    const struct sr_layer *layer; /* NULL: the default, or unset */
    const struct sr_pair *pair;
};

struct sr_config {
    struct sr_layer layers[SR_CONFIG_LAYERS]; /* highest first */
    struct sr_config_value *values;           /* in the order of sr_settings */
    struct sr_strlist warnings;               /* found while reading */
    char *cwd;                                /* absolute, at sr_config_new; NULL: unknown */
};

/* Where a raw value is: at the highest level that sets name or name_FILE (when with_file). */
struct sr_found {
    const struct sr_layer *layer; /* NULL: nowhere */
    const struct sr_pair *pair;
    int is_file; /* pair is name_FILE */
};
int sr_config_find(const struct sr_config *c, const char *name, const char *alias, int with_file,
                   struct sr_found *ret, struct sr_error *err);
/* The value that was found, read from its file when it is one; malloc'd. */
int sr_config_load(const struct sr_config *c, const char *name, const struct sr_found *f,
                   char **ret, struct sr_error *err);
/* path made absolute against the folder of layer (NULL: the default's folder). */
int sr_config_absolute(const struct sr_config *c, const struct sr_layer *layer, const char *path,
                       char **ret, struct sr_error *err);

/* Checks text against the type of s; *ret_text is malloc'd, a choice in its declared spelling.
 * where stands in messages ("environment"). */
int sr_value_parse(const struct sr_setting *s, const char *text, const char *where, char **ret_text,
                   int64_t *ret_number, struct sr_error *err);

#endif
