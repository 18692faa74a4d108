/* What a store holds, in strongroom's terms: sets, found by listing alone.
 *
 *     sr_catalog_read(store, &cat, &err);            // names only: no manifest is fetched
 *     for each cat->sets[i]: set, source, label, time, has_manifest, hold, proofs
 *     sr_catalog_manifest(store, set, &m, &err)      // one manifest
 *     sr_catalog_free(cat)
 *
 * Only sets with a manifest are backups. Objects without one are leftovers of a run, or foreign.
 * A listing error is an error, never an empty catalogue.
 */
#ifndef SR_CATALOG_CATALOG_H
#define SR_CATALOG_CATALOG_H

#include "core/catalog/manifest.h"
#include "core/catalog/names.h"
#include "core/store/store.h"

struct sr_catalog_set {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX];
    char label[SR_SET_MAX]; /* escaped label */
    int64_t time;           /* from the name; without one the manifest's modification time */
    int has_manifest;
    int held;
    int has_signature; /* one lies beside it; nothing more is known by a listing */
    uint64_t manifest_size;
    uint64_t data_size;  /* bytes of the listed data objects whose name begins with this set's */
    size_t data_objects; /* and how many they are; of two sources in one set both see all */
    int encrypted;       /* one of them ends in .gpg */
    struct sr_strlist proofs; /* suffixes of proof objects */
    struct sr_strlist
        beside; /* keys of sums, detail, signature, hold, proof objects that were listed */
};

struct sr_catalog {
    struct sr_catalog_set *sets; /* sorted by time, then name; newest last */
    size_t len;
    struct sr_strlist objects; /* keys of all data objects that were listed, sorted */
};

int sr_catalog_read(struct sr_store *s, struct sr_catalog **ret, struct sr_error *err);
/* The same, where the caller wants to see every entry of the one listing too: each is called before
 * the catalogue takes the entry; anything but SR_OK ends the reading with that code (*err filled).
 */
int sr_catalog_read_with(struct sr_store *s,
                         int (*each)(void *ctx, const struct sr_store_entry *e,
                                     struct sr_error *err),
                         void *ctx, struct sr_catalog **ret, struct sr_error *err);
void sr_catalog_free(struct sr_catalog *c);

/* Fetches and checks the manifest of a set; it must name the same set and source. */
int sr_catalog_manifest(struct sr_store *s, const struct sr_catalog_set *set,
                        struct sr_manifest **ret, struct sr_error *err);

/* The same, with the manifest's bytes as they are stored appended to text (empty, of the caller's,
 * which should have a ceiling of SR_MANIFEST_MAX). */
int sr_catalog_manifest_text(struct sr_store *s, const struct sr_catalog_set *set,
                             struct sr_buf *text, struct sr_manifest **ret, struct sr_error *err);

/* Nonzero when no other source has a backup under the name of c->sets[at]: what is the name's own
 * (its claim) goes with it. */
int sr_catalog_is_last(const struct sr_catalog *c, size_t at);

/* BACKUP as the command line takes it: label, set, object key, a unique beginning of either, or
 * "latest"; narrowed by source and label prefix (NULL: not). SR_E_NOT_FOUND (nearest names told),
 * SR_E_CONFIG when ambiguous (candidates told). The set stays owned by c. ret_object: the key when
 * an object was named, else NULL. */
int sr_catalog_find(const struct sr_catalog *c, const char *backup, const char *source,
                    const char *label, const struct sr_catalog_set **ret, const char **ret_object,
                    struct sr_error *err);

#endif
