#include "bundle/manifest.h"

#include "base/alloc.h"

static void free_strings(aard__strings *strings)
{
    for (size_t i = 0; i < strings->count; i++) aard__free(strings->items[i]);
    aard__free(strings->items);
}

void aard__manifest_free(aard_manifest *manifest)
{
    if (!manifest) return;
    aard__free(manifest->entrypoint);
    aard__free(manifest->pyodide_version);
    aard__free(manifest->pyodide_profile);
    free_strings(&manifest->packages);
    free_strings(&manifest->preload_imports);
    free_strings(&manifest->allow_hosts);
    free_strings(&manifest->capabilities);
    aard__free(manifest);
}

const char *aard_manifest_entrypoint(const aard_manifest *manifest) { return manifest->entrypoint; }

aard_language aard_manifest_language(const aard_manifest *manifest) { return manifest->language; }

size_t aard_manifest_package_count(const aard_manifest *manifest) { return manifest->packages.count; }

const char *aard_manifest_package(const aard_manifest *manifest, size_t index)
{
    return manifest->packages.items[index];
}

const char *aard_manifest_pyodide_version(const aard_manifest *manifest) { return manifest->pyodide_version; }

const char *aard_manifest_pyodide_profile(const aard_manifest *manifest) { return manifest->pyodide_profile; }

size_t aard_manifest_preload_import_count(const aard_manifest *manifest) { return manifest->preload_imports.count; }

const char *aard_manifest_preload_import(const aard_manifest *manifest, size_t index)
{
    return manifest->preload_imports.items[index];
}

uint64_t aard_manifest_cpu_limit_ms(const aard_manifest *manifest) { return manifest->cpu_limit_ms; }

bool aard_manifest_has_network(const aard_manifest *manifest) { return manifest->has_network; }

size_t aard_manifest_allow_host_count(const aard_manifest *manifest) { return manifest->allow_hosts.count; }

const char *aard_manifest_allow_host(const aard_manifest *manifest, size_t index)
{
    return manifest->allow_hosts.items[index];
}

bool aard_manifest_https_only(const aard_manifest *manifest) { return manifest->https_only; }

uint64_t aard_manifest_max_request_bytes(const aard_manifest *manifest) { return manifest->max_request_bytes; }

uint64_t aard_manifest_max_response_bytes(const aard_manifest *manifest) { return manifest->max_response_bytes; }

uint64_t aard_manifest_network_timeout_ms(const aard_manifest *manifest) { return manifest->network_timeout_ms; }

aard_filesystem_mode aard_manifest_filesystem_mode(const aard_manifest *manifest) { return manifest->filesystem_mode; }

uint64_t aard_manifest_filesystem_quota_bytes(const aard_manifest *manifest)
{
    return manifest->filesystem_quota_bytes;
}

size_t aard_manifest_capability_count(const aard_manifest *manifest) { return manifest->capabilities.count; }

const char *aard_manifest_capability(const aard_manifest *manifest, size_t index)
{
    return manifest->capabilities.items[index];
}
