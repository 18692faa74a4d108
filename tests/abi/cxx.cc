// A plugin in C++17 with every slot filled by assignment; it loads, and says that it can do nothing.
// Built by tests/abi/negotiation.sh, alone and with another of its kind in one program.
#include <strongroom/storage.h>

#ifndef NAME
#define NAME cxx
#endif
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

namespace
{
int32_t no(const sr_storage_host *host)
{
    host->set_error(host, SR_STORAGE_E_UNSUPPORTED, "this one can do nothing");
    return SR_STORAGE_E_UNSUPPORTED;
}

sr_storage_plugin make()
{
    sr_storage_plugin p{};
    p.name = TEXT(NAME);
    p.version = "1.0";
    p.description = "A plugin in C++17";
    p.license = "MIT";
    p.capabilities = SR_CAP_RANGES | SR_CAP_COPY;
    p.load = [](const sr_storage_host *) -> int32_t { return SR_STORAGE_OK; };
    p.open = [](const sr_storage_host *host, const sr_storage_open_options *, void **) -> int32_t {
        return no(host);
    };
    p.close = [](void *) {};
    p.ask_capabilities = [](void *, uint64_t *) -> int32_t { return SR_STORAGE_OK; };
    p.place = [](void *, char *, uint64_t) -> int32_t { return SR_STORAGE_E_INTERNAL; };
    p.save = [](void *, const sr_storage_object *, const sr_storage_reader *,
                const sr_storage_save_options *,
                sr_storage_saved *) -> int32_t { return SR_STORAGE_E_INTERNAL; };
    p.list = [](void *, const sr_storage_list_options *, const sr_storage_emitter *) -> int32_t {
        return SR_STORAGE_E_INTERNAL;
    };
    p.fetch = [](void *, const sr_storage_fetch_options *, const sr_storage_writer *) -> int32_t {
        return SR_STORAGE_E_INTERNAL;
    };
    p.delete_object = [](void *, const sr_storage_delete_options *,
                         sr_storage_deletion *) -> int32_t { return SR_STORAGE_E_INTERNAL; };
    p.delete_many = [](void *, const sr_storage_delete_options *, uint64_t,
                       const sr_storage_answers *) -> int32_t { return SR_STORAGE_E_INTERNAL; };
    p.stat = [](void *, const sr_storage_fetch_options *, const sr_storage_emitter *) -> int32_t {
        return SR_STORAGE_E_INTERNAL;
    };
    p.check = [](void *, sr_storage_rights *) -> int32_t { return SR_STORAGE_E_INTERNAL; };
    p.sweep = [](void *, const sr_storage_sweep_options *, const sr_storage_emitter *) -> int32_t {
        return SR_STORAGE_E_INTERNAL;
    };
    p.copy = [](void *, const sr_storage_copy_options *, sr_storage_saved *) -> int32_t {
        return SR_STORAGE_E_INTERNAL;
    };
    p.cancel = [](void *) {};
    return p;
}

sr_storage_plugin plugin = make();
} // namespace

#define REGISTER(ident) SR_STORAGE_REGISTER(ident, plugin)
REGISTER(NAME);
