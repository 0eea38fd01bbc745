#include "settings/pack.h"

#include <aardvark/hardening.h>
#include <aardvark/network.h>
#include <string.h>

#include "base/alloc.h"

enum { MOST_TEXTS = 1 << 20, MOST_MOUNTS = 1 << 16, LEAST_TEXT = 4, LEAST_MOUNT = 4 + 1 };

/* ---- kinds of settings ------------------------------------------------------------------------------------------ */

static void pack_language(aard__buf *out, const aard_language *language) { aard__pack_u8(out, (uint8_t)*language); }
static void pack_isolation(aard__buf *out, const aard_isolation *kind) { aard__pack_u8(out, (uint8_t)*kind); }
static void pack_cleanup(aard__buf *out, const aard_cleanup *cleanup) { aard__pack_u8(out, (uint8_t)*cleanup); }
static void pack_measures(aard__buf *out, const uint32_t *measures) { aard__pack_u32(out, *measures); }
static void pack_flag(aard__buf *out, const bool *flag) { aard__pack_bool(out, *flag); }
static void pack_number(aard__buf *out, const uint64_t *number) { aard__pack_u64(out, *number); }
static void pack_size(aard__buf *out, const size_t *size) { aard__pack_u64(out, *size); }

static void unpack_language(aard__unpacker *in, aard_language *language)
{
    *language = (aard_language)aard__unpack_choice(in, AARD_LANGUAGE_JAVASCRIPT + 1);
}

static void unpack_isolation(aard__unpacker *in, aard_isolation *kind)
{
    *kind = (aard_isolation)aard__unpack_choice(in, AARD_ISOLATION_PROCESS + 1);
}

static void unpack_cleanup(aard__unpacker *in, aard_cleanup *cleanup)
{
    *cleanup = (aard_cleanup)aard__unpack_choice(in, AARD_CLEANUP_FULL + 1);
}

static void unpack_measures(aard__unpacker *in, uint32_t *measures)
{
    *measures = aard__unpack_u32(in);
    aard__unpacker_want(in, !(*measures & ~(uint32_t)AARD_HARDEN_ALL));
}

static void unpack_flag(aard__unpacker *in, bool *flag) { *flag = aard__unpack_bool(in); }
static void unpack_number(aard__unpacker *in, uint64_t *number) { *number = aard__unpack_u64(in); }
static void unpack_size(aard__unpacker *in, size_t *size) { *size = aard__unpack_size(in); }

static void pack_limits(aard__buf *out, const aard__limits *limits)
{
    aard__pack_u64(out, limits->wall_ms);
    aard__pack_u64(out, limits->cpu_ms);
    aard__pack_u64(out, limits->grace_ms);
}

static void unpack_limits(aard__unpacker *in, aard__limits *limits)
{
    limits->wall_ms = aard__unpack_u64(in);
    limits->cpu_ms = aard__unpack_u64(in);
    limits->grace_ms = aard__unpack_u64(in);
}

static void pack_mode(aard__buf *out, aard_filesystem_mode mode) { aard__pack_u8(out, (uint8_t)mode); }

static aard_filesystem_mode unpack_mode(aard__unpacker *in)
{
    return (aard_filesystem_mode)aard__unpack_choice(in, AARD_FILESYSTEM_READ_WRITE + 1);
}

static void pack_files(aard__buf *out, const aard__file_rules *rules)
{
    pack_mode(out, rules->mode);
    aard__pack_u64(out, rules->bytes);
    aard__pack_u64(out, rules->files);
    aard__pack_u64(out, rules->handles);
}

static void unpack_files(aard__unpacker *in, aard__file_rules *rules)
{
    rules->mode = unpack_mode(in);
    rules->bytes = aard__unpack_u64(in);
    rules->files = aard__unpack_u64(in);
    rules->handles = aard__unpack_u64(in);
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

static void pack_list(aard__buf *out, char *const *items, size_t count)
{
    aard__pack_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) aard__pack_text(out, items[i]);
}

/* A list with what was read until an error; NULL of none. */
static char **unpack_list(aard__unpacker *in, size_t *count)
{
    size_t there = aard__unpack_count(in, MOST_TEXTS, LEAST_TEXT);
    *count = 0;
    if (!there) return NULL;
    char **items = aard__calloc(there, sizeof *items);
    if (!items) aard__unpacker_no_memory(in);
    while (in->ok && *count < there) {
        items[*count] = aard__unpack_some_text(in, 0);
        *count += in->ok;
    }
    return items;
}

void aard__texts_pack(const aard__texts *texts, aard__buf *out) { pack_list(out, texts->items, texts->count); }
void aard__texts_unpack(aard__unpacker *in, aard__texts *out) { out->items = unpack_list(in, &out->count); }

static void pack_texts(aard__buf *out, const aard__texts *texts) { aard__texts_pack(texts, out); }
static void unpack_texts(aard__unpacker *in, aard__texts *texts) { aard__texts_unpack(in, texts); }

/* ---- network ---------------------------------------------------------------------------------------------------- */

static void pack_network(aard__buf *out, const aard__config_network *network)
{
    pack_list(out, network->hosts.patterns, network->hosts.count);
    aard__pack_bool(out, network->closed);
    aard__pack_bool(out, network->says_https_only);
    aard__pack_bool(out, network->https_only);
    aard__pack_bool(out, network->private_addresses);
    aard__pack_text(out, network->ca_file);
#define PACK(constant, member) aard__pack_u64(out, network->limits.member);
    AARD_NETWORK_LIMIT_MAP(PACK)
#undef PACK
}

static void unpack_network(aard__unpacker *in, aard__config_network *network)
{
    network->hosts.patterns = unpack_list(in, &network->hosts.count);
    network->closed = aard__unpack_bool(in);
    network->says_https_only = aard__unpack_bool(in);
    network->https_only = aard__unpack_bool(in);
    network->private_addresses = aard__unpack_bool(in);
    network->ca_file = aard__unpack_text(in, 0);
#define UNPACK(constant, member) network->limits.member = aard__unpack_u64(in);
    AARD_NETWORK_LIMIT_MAP(UNPACK)
#undef UNPACK
}

static void pack_callbacks(aard__buf *out, const aard__callback_limits *limits)
{
#define PACK(constant, member) aard__pack_u64(out, limits->member);
    AARD_CALLBACK_LIMIT_MAP(PACK)
#undef PACK
}

static void unpack_callbacks(aard__unpacker *in, aard__callback_limits *limits)
{
#define UNPACK(constant, member) limits->member = aard__unpack_u64(in);
    AARD_CALLBACK_LIMIT_MAP(UNPACK)
#undef UNPACK
}

/* ---- what the host serves --------------------------------------------------------------------------------------- */

void aard__served_free(aard__served *served)
{
    aard__texts_free(&served->functions);
    aard__callbacks_free(&served->callbacks);
    for (size_t i = 0; i < served->mount_count; i++) aard__free(served->mounts[i].place);
    aard__free(served->mounts);
    *served = (aard__served){.mounts = NULL};
}

static void pack_served(aard__buf *out, const aard__hooks *hooks)
{
    aard__pack_u32(out, (uint32_t)hooks->functions.count);
    for (size_t i = 0; i < hooks->functions.count; i++)
        aard__pack_text(out, aard__function_name(hooks->functions.list[i]));
    aard__callbacks_pack(&hooks->callbacks, out);
    aard__pack_u32(out, (uint32_t)hooks->mounts.count);
    for (size_t i = 0; i < hooks->mounts.count; i++) {
        aard__pack_text(out, aard__mount_place(hooks->mounts.list[i]));
        pack_mode(out, aard__mount_mode(hooks->mounts.list[i]));
    }
}

static void unpack_served(aard__unpacker *in, aard__served *served)
{
    aard__texts_unpack(in, &served->functions);
    for (size_t i = 0; i < served->functions.count; i++)
        aard__unpacker_want(in, aard__function_name_valid(served->functions.items[i]));
    aard__callbacks_unpack(in, &served->callbacks);
    size_t count = aard__unpack_count(in, MOST_MOUNTS, LEAST_MOUNT);
    if (!count) return;
    served->mounts = aard__calloc(count, sizeof *served->mounts);
    if (!served->mounts) aard__unpacker_no_memory(in);
    for (; in->ok && served->mount_count < count; served->mount_count++) {
        served->mounts[served->mount_count].place = aard__unpack_some_text(in, 0);
        served->mounts[served->mount_count].mode = unpack_mode(in);
    }
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

void aard__settings_pack(const aard_isolate_config *config, aard__buf *out)
{
#define PACK(kind, member) pack_##kind(out, &config->settings.member);
    AARD__SETTINGS_MAP(PACK)
#undef PACK
    pack_served(out, &config->hooks);
}

aard_error *aard__settings_unpack(aard__unpacker *in, aard__settings *settings, aard__served *served)
{
    aard__settings read = {.resets_expected = false};
    aard__served names = {.mounts = NULL};
#define UNPACK(kind, member) unpack_##kind(in, &read.member);
    AARD__SETTINGS_MAP(UNPACK)
#undef UNPACK
    unpack_served(in, &names);
    if (in->ok) {
        *settings = read;
        *served = names;
        return NULL;
    }
    aard__settings_free(&read);
    aard__served_free(&names);
    return aard__unpacker_error(in, "the settings of a guest");
}
