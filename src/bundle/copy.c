#include "bundle/copy.h"

#include <string.h>

#include "base/alloc.h"
#include "bundle/entry_name.h"

enum { LEAST_FILE = 4 + 4 };

void aard__bundle_pack(const aard_bundle *bundle, aard__buf *out)
{
    size_t count = aard_bundle_entry_count(bundle);
    aard__pack_u32(out, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const uint8_t *data;
        size_t name_len, data_len;
        aard_bundle_entry(bundle, i, &name, &name_len, &data, &data_len);
        aard__pack_span(out, name, name_len);
        aard__pack_span(out, data, data_len);
    }
}

static void unpack_file(aard__unpacker *in, const aard__bundle_file *before, aard__bundle_file *file)
{
    const char *name = aard__unpack_span(in, AARD__NAME_MAX, &file->name_len);
    const char *data = aard__unpack_span(in, 0, &file->data_len);
    if (!in->ok) return;
    file->name = aard__memdup0(name, file->name_len);
    file->data = (uint8_t *)aard__memdup0(data, file->data_len);
    if (!file->name || !file->data)
        aard__unpacker_no_memory(in);
    else if (before) /* as look-ups by name rely on */
        aard__unpacker_want(in, aard__name_compare(before->name, before->name_len, name, file->name_len) < 0);
}

aard_error *aard__bundle_unpack(aard__unpacker *in, aard_bundle **out)
{
    size_t count = aard__unpack_count(in, UINT32_MAX, LEAST_FILE);
    aard__bundle_file *files = aard__calloc(count ? count : 1, sizeof *files);
    if (!files) return aard__error_no_memory();
    for (size_t i = 0; i < count && in->ok; i++) unpack_file(in, i ? &files[i - 1] : NULL, &files[i]);
    if (in->ok) return aard__bundle_of_files(files, count, out);
    aard__bundle_files_free(files, count);
    return aard__unpacker_error(in, "a bundle");
}
