#include "policy/filesystem.h"

aard__file_rules aard__file_rules_of(aard_filesystem_mode mode, uint64_t bytes, uint64_t files, uint64_t handles)
{
    return (aard__file_rules){
        .mode = mode,
        .bytes = bytes ? bytes : AARD__FILES_BYTES,
        .files = files ? files : AARD__FILES_COUNT,
        .handles = handles ? handles : AARD__FILES_HANDLES,
    };
}

aard__file_rules aard__file_rules_tighten(const aard__file_rules *host, const aard_manifest *manifest)
{
    aard__file_rules rules = *host;
    if (!manifest) return rules;
    uint64_t wanted = aard_manifest_filesystem_quota_bytes(manifest);
    if (aard_manifest_filesystem_mode(manifest) == AARD_FILESYSTEM_READ) rules.mode = AARD_FILESYSTEM_READ;
    if (wanted && wanted < rules.bytes) rules.bytes = wanted;
    return rules;
}
