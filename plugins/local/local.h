/* The local plugin: objects as files below one folder.
 *
 * A key is a path below the folder. Nothing outside is ever touched: every component is opened
 * without following links. Names that begin with a dot are not objects: unfinished ones
 * (.sr-<random>.tmp, locked by whoever writes them) and what others keep in the folder.
 *
 *     plugin.c   the table, open, close, place
 *     request.c  errors, and the way from a key to its folder
 *     save.c list.c fetch.c delete.c sweep.c copy.c   one slot or two each
 */
#ifndef SR_PLUGIN_LOCAL_H
#define SR_PLUGIN_LOCAL_H

#include <strongroom/storage.h>

#include <sys/stat.h>

#define LOCAL_TEMP_PREFIX ".sr-"
#define LOCAL_TEMP_SUFFIX ".tmp"

struct local {
    const struct sr_storage_host *host;
    char *dir; /* absolute, links resolved */
    int fd;    /* of dir */
};

/* Both return code, after set_error. */
int32_t local_fail(const struct local *l, int32_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The code is chosen from errnum, whose text is appended. */
int32_t local_fail_errno(const struct local *l, int errnum, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* SR_STORAGE_OK or E_CANCELLED with its message. */
int32_t local_cancelled(const struct local *l, const char *what, const char *key);

/* A name that may be a component of a key, seen in a folder. */
int local_name_is_key(const char *name);
int local_name_is_temp(const char *name);

/* Opens the folder that holds key; *ret_leaf points into key at the last component. make: folders
 * that are missing are made (0700) and made to last. The caller closes *ret_fd. Without make a
 * folder that is missing is E_NOT_FOUND with the error set. */
int32_t local_parent(const struct local *l, const char *key, int make, int *ret_fd,
                     const char **ret_leaf);
/* Opens a folder below fd by one name, no link followed; -1 with errno. */
int local_open_folder(int fd, const char *name);

/* What list, stat and sweep tell. key is borrowed. */
void local_entry(const char *key, const struct stat *st, struct sr_storage_entry *ret);

int32_t local_save(void *handle, const struct sr_storage_object *object,
                   const struct sr_storage_reader *reader,
                   const struct sr_storage_save_options *options,
                   struct sr_storage_saved *ret_saved);
int32_t local_list(void *handle, const struct sr_storage_list_options *options,
                   const struct sr_storage_emitter *emitter);
int32_t local_fetch(void *handle, const struct sr_storage_fetch_options *options,
                    const struct sr_storage_writer *writer);
int32_t local_stat(void *handle, const struct sr_storage_fetch_options *options,
                   const struct sr_storage_emitter *emitter);
int32_t local_delete(void *handle, const struct sr_storage_delete_options *options,
                     struct sr_storage_deletion *ret_deletion);
int32_t local_sweep(void *handle, const struct sr_storage_sweep_options *options,
                    const struct sr_storage_emitter *emitter);
int32_t local_copy(void *handle, const struct sr_storage_copy_options *options,
                   struct sr_storage_saved *ret_saved);

/* Opens the object for reading and says what it is; E_NOT_FOUND for everything but a plain file. */
int32_t local_open_object(const struct local *l, const char *key, const char *version, int *ret_fd,
                          struct stat *ret_st);

#endif
