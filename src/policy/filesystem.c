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

aard__file_rules aard__file_rules_tighten(const aard__file_rules *host, aard_filesystem_mode mode, uint64_t bytes)
{
    aard__file_rules rules = *host;
    if (mode == AARD_FILESYSTEM_READ) rules.mode = AARD_FILESYSTEM_READ;
    if (bytes && bytes < rules.bytes) rules.bytes = bytes;
    return rules;
}
