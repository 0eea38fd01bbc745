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

const char *aard_manifest_entrypoint(const aard_manifest *manifest) { return manifest ? manifest->entrypoint : NULL; }

aard_language aard_manifest_language(const aard_manifest *manifest)
{
    return manifest ? manifest->language : (aard_language)0;
}

size_t aard_manifest_package_count(const aard_manifest *manifest) { return manifest ? manifest->packages.count : 0; }

const char *aard_manifest_package(const aard_manifest *manifest, size_t index)
{
    return manifest && index < manifest->packages.count ? manifest->packages.items[index] : NULL;
}

const char *aard_manifest_pyodide_version(const aard_manifest *manifest)
{
    return manifest ? manifest->pyodide_version : NULL;
}

const char *aard_manifest_pyodide_profile(const aard_manifest *manifest)
{
    return manifest ? manifest->pyodide_profile : NULL;
}

size_t aard_manifest_preload_import_count(const aard_manifest *manifest)
{
    return manifest ? manifest->preload_imports.count : 0;
}

const char *aard_manifest_preload_import(const aard_manifest *manifest, size_t index)
{
    return manifest && index < manifest->preload_imports.count ? manifest->preload_imports.items[index] : NULL;
}

uint64_t aard_manifest_cpu_limit_ms(const aard_manifest *manifest) { return manifest ? manifest->cpu_limit_ms : 0; }

bool aard_manifest_has_network(const aard_manifest *manifest) { return manifest && manifest->has_network; }

size_t aard_manifest_allow_host_count(const aard_manifest *manifest)
{
    return manifest ? manifest->allow_hosts.count : 0;
}

const char *aard_manifest_allow_host(const aard_manifest *manifest, size_t index)
{
    return manifest && index < manifest->allow_hosts.count ? manifest->allow_hosts.items[index] : NULL;
}

bool aard_manifest_https_only(const aard_manifest *manifest) { return manifest && manifest->https_only; }

uint64_t aard_manifest_max_request_bytes(const aard_manifest *manifest)
{
    return manifest ? manifest->max_request_bytes : 0;
}

uint64_t aard_manifest_max_response_bytes(const aard_manifest *manifest)
{
    return manifest ? manifest->max_response_bytes : 0;
}

uint64_t aard_manifest_network_timeout_ms(const aard_manifest *manifest)
{
    return manifest ? manifest->network_timeout_ms : 0;
}

aard_filesystem_mode aard_manifest_filesystem_mode(const aard_manifest *manifest)
{
    return manifest ? manifest->filesystem_mode : (aard_filesystem_mode)0;
}

uint64_t aard_manifest_filesystem_quota_bytes(const aard_manifest *manifest)
{
    return manifest ? manifest->filesystem_quota_bytes : 0;
}

size_t aard_manifest_capability_count(const aard_manifest *manifest)
{
    return manifest ? manifest->capabilities.count : 0;
}

const char *aard_manifest_capability(const aard_manifest *manifest, size_t index)
{
    return manifest && index < manifest->capabilities.count ? manifest->capabilities.items[index] : NULL;
}
