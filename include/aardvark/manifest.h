/* The manifest of a bundle: `aardvark.manifest.json`, schema 1.0 (docs/bundle.md has the rules).
 *
 * A manifest is immutable and belongs to its bundle; every pointer read from it lives as long as the bundle.
 * All functions may be called from any thread. */
#ifndef AARDVARK_MANIFEST_H
#define AARDVARK_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <aardvark/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct aard_manifest aard_manifest;

typedef enum aard_language { AARD_LANGUAGE_PYTHON = 0, AARD_LANGUAGE_JAVASCRIPT = 1 } aard_language;

typedef enum aard_filesystem_mode { AARD_FILESYSTEM_READ = 0, AARD_FILESYSTEM_READ_WRITE = 1 } aard_filesystem_mode;

/* `module:export`, both parts trimmed. */
AARD_API const char *aard_manifest_entrypoint(const aard_manifest *manifest);

AARD_API aard_language aard_manifest_language(const aard_manifest *manifest);

/* Packages in the order of the manifest, trimmed, PEP 503 normalised, without repeats. */
AARD_API size_t aard_manifest_package_count(const aard_manifest *manifest);
AARD_API const char *aard_manifest_package(const aard_manifest *manifest, size_t index);

/* `runtime.pyodide.version` and `.profile`; NULL where absent. */
AARD_API const char *aard_manifest_pyodide_version(const aard_manifest *manifest);
AARD_API const char *aard_manifest_pyodide_profile(const aard_manifest *manifest);

AARD_API size_t aard_manifest_preload_import_count(const aard_manifest *manifest);
AARD_API const char *aard_manifest_preload_import(const aard_manifest *manifest, size_t index);

/* `resources.cpu.defaultLimitMs` in milliseconds; 0 where absent. */
AARD_API uint64_t aard_manifest_cpu_limit_ms(const aard_manifest *manifest);

/* `resources.network`: false where the section or its allowlist is absent, which means no network at all. */
AARD_API bool aard_manifest_has_network(const aard_manifest *manifest);
AARD_API size_t aard_manifest_allow_host_count(const aard_manifest *manifest);
AARD_API const char *aard_manifest_allow_host(const aard_manifest *manifest, size_t index); /* lower case */
AARD_API bool aard_manifest_https_only(const aard_manifest *manifest);
/* `resources.network.maxRequestBytes`, `.maxResponseBytes` (bytes), `.timeoutMs` (milliseconds); 0 where absent. */
AARD_API uint64_t aard_manifest_max_request_bytes(const aard_manifest *manifest);
AARD_API uint64_t aard_manifest_max_response_bytes(const aard_manifest *manifest);
AARD_API uint64_t aard_manifest_network_timeout_ms(const aard_manifest *manifest);

AARD_API aard_filesystem_mode aard_manifest_filesystem_mode(const aard_manifest *manifest);
/* `resources.filesystem.quotaBytes`; 0 where absent. */
AARD_API uint64_t aard_manifest_filesystem_quota_bytes(const aard_manifest *manifest);

/* Trimmed, lower case, without repeats. */
AARD_API size_t aard_manifest_capability_count(const aard_manifest *manifest);
AARD_API const char *aard_manifest_capability(const aard_manifest *manifest, size_t index);

#ifdef __cplusplus
}
#endif

#endif
