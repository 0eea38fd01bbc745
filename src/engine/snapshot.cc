// Start-up snapshots: a vm's heap with a finished realm in it, which new vms and realms are copied from.
#include <elf.h>
#include <link.h>

#include <cstring>
#include <new>

#include "base/process.h"
#include "engine/vm.hh"

namespace {

constexpr char kMagic[8] = {'A', 'A', 'R', 'D', 'S', 'N', 'P', '1'};

// Before V8's data in a blob.
struct Header {
    char magic[8];
    char key[264];
    uint64_t references; // how many; their order is the tables'
    uint64_t len;        // of V8's data, which follows
};
static_assert(sizeof(Header) % 16 == 0, "V8's data must be aligned as the blob is");

char snapshot_key[sizeof(Header::key)];

// The build ID of the library that V8 is in.  V8 knows its version only, and a rebuilt library of the same version may
// number its builtins otherwise; the processor, which compiled code depends on, does not matter here.
int find_build_id(dl_phdr_info *info, size_t, void *user)
{
    auto here = reinterpret_cast<uintptr_t>(&v8::V8::GetVersion);
    const ElfW(Nhdr) *found = nullptr;
    bool inside = false;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) &part = info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + part.p_vaddr;
        if (part.p_type == PT_LOAD && here >= start && here < start + part.p_memsz) inside = true;
        if (part.p_type != PT_NOTE) continue;
        for (uintptr_t at = start; at + sizeof(ElfW(Nhdr)) <= start + part.p_memsz;) {
            auto *note = reinterpret_cast<const ElfW(Nhdr) *>(at);
            if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4) found = note;
            at += sizeof *note + ((note->n_namesz + 3) & ~3u) + ((note->n_descsz + 3) & ~3u);
        }
    }
    if (!inside || !found) return inside;
    auto *id = reinterpret_cast<const unsigned char *>(found + 1) + 4;
    auto *out = static_cast<char *>(user);
    for (size_t i = 0; i < found->n_descsz && i < 32; i++) snprintf(out + 2 * i, 3, "%02x", id[i]);
    return 1;
}

pthread_once_t key_once = PTHREAD_ONCE_INIT;

void make_key()
{
    char build[65] = "";
    dl_iterate_phdr(find_build_id, build);
    snprintf(snapshot_key, sizeof snapshot_key, "v8 %s; build %s; %s", v8::V8::GetVersion(), build, aard::flags());
}

std::vector<intptr_t> references(const aard__snapshot_world *world)
{
    std::vector<intptr_t> list{reinterpret_cast<intptr_t>(aard::call_host)};
    for (auto *table = world->tables; *table; table++)
        for (const aard__host_entry *row = *table; row->name; row++) list.push_back(reinterpret_cast<intptr_t>(row));
    for (size_t i = 0; i < world->source_count; i++)
        list.push_back(reinterpret_cast<intptr_t>(aard::lasting_source(world->sources[i].data, world->sources[i].len)));
    list.push_back(0);
    return list;
}

// Puts a realm and its parts into the snapshot; nothing of ours may hold on to either afterwards.
void add_realm(v8::SnapshotCreator &creator, aard__realm *realm, aard__ref *const *parts, size_t count)
{
    v8::Isolate *isolate = realm->vm->isolate;
    v8::HandleScope handles(isolate);
    v8::Local<v8::Context> context = realm->context.Get(isolate);
    std::vector<v8::Local<v8::Value>> values;
    for (size_t i = 0; i < count; i++) values.push_back(parts[i]->value.Get(isolate));
    {
        v8::Context::Scope scope(context);
        context->SetEmbedderData(aard::kPartsSlot, v8::Array::New(isolate, values.data(), values.size()));
    }
    context->SetEmbedderData(aard::kRealmSlot, v8::Undefined(isolate)); // a pointer of this process otherwise
    creator.AddContext(context);
}

aard_error *make_realm(v8::SnapshotCreator &creator, aard__vm *vm, const aard__snapshot_realm *what)
{
    aard__realm *realm = nullptr;
    aard__ref *parts[AARD__SNAPSHOT_MOST_PARTS];
    size_t count = 0;
    vm->user = what->user;
    aard_error *error = aard__realm_new(vm, &realm);
    if (!error) error = what->fill(realm, what->user, parts, &count);
    if (error) return error;
    realm->microtasks->PerformCheckpoint(vm->isolate);
    add_realm(creator, realm, parts, count);
    return nullptr;
}

void drop_handles(aard__vm *vm)
{
    while (!vm->refs.empty()) aard__ref_free(vm->refs.back());
    while (!vm->realms.empty()) {
        delete vm->realms.back();
        vm->realms.pop_back();
    }
}

} // namespace

struct aard__snapshot {
    v8::StartupData blob;
    std::vector<intptr_t> references;
};

namespace aard {

void use_snapshot(const aard__snapshot *snapshot, v8::Isolate::CreateParams &params)
{
    params.snapshot_blob = const_cast<v8::StartupData *>(&snapshot->blob);
    params.external_references = snapshot->references.data();
}

} // namespace aard

extern "C" {

const char *aard__snapshot_key(void)
{
    aard__engine_start();
    pthread_once(&key_once, make_key);
    return snapshot_key;
}

aard_error *aard__snapshot_make(const aard__snapshot_world *world, const aard__snapshot_realm *realms, size_t count,
                                aard__buf *out)
{
    const char *key = aard__snapshot_key();
    std::vector<intptr_t> list = references(world);
    std::unique_ptr<aard__vm> vm(new (std::nothrow) aard__vm);
    if (!vm) return aard__error_no_memory();
    if (!aard::begin_snapshot())
        return aard__error(AARD_ERR_BUSY, "a start-up snapshot can't be made where another is in use");
    vm->isolate = v8::Isolate::Allocate();
    v8::StartupData blob{nullptr, 0};
    aard_error *error = nullptr;
    {
        // No locker: it would outlive what it locks, and the vm is this function's alone.
        v8::SnapshotCreator creator(vm->isolate, list.data());
        aard::prepare_isolate(vm.get());
        {
            v8::HandleScope handles(vm->isolate);
            creator.SetDefaultContext(v8::Context::New(vm->isolate)); // V8 wants one
        }
        for (size_t i = 0; i < count && !error; i++) error = make_realm(creator, vm.get(), &realms[i]);
        drop_handles(vm.get());
        blob = creator.CreateBlob(v8::SnapshotCreator::FunctionCodeHandling::kKeep);
    }
    aard::end_snapshot();
    if (!error && !blob.data) error = aard__error(AARD_ERR_ENGINE, "the engine could not make a start-up snapshot");
    if (!error && !blob.CanBeRehashed())
        error = aard__error(AARD_ERR_ENGINE, "a start-up snapshot would give all isolates the same hash seed");
    if (!error) {
        Header header{};
        memcpy(header.magic, kMagic, sizeof kMagic);
        snprintf(header.key, sizeof header.key, "%s", key);
        header.references = list.size();
        header.len = static_cast<uint64_t>(blob.raw_size);
        aard__buf_append(out, &header, sizeof header);
        aard__buf_append(out, blob.data, static_cast<size_t>(blob.raw_size));
        if (out->failed) error = aard__error_no_memory();
    }
    delete[] blob.data;
    return error;
}

aard_error *aard__snapshot_open(const aard__snapshot_world *world, const void *data, size_t len, aard__snapshot **out)
{
    Header header;
    if (len < sizeof header) return aard__error(AARD_ERR_ENGINE, "the start-up snapshot is too short");
    memcpy(&header, data, sizeof header);
    std::vector<intptr_t> list = references(world);
    if (memcmp(header.magic, kMagic, sizeof kMagic) || header.len != len - sizeof header || header.len > INT32_MAX ||
        header.references != list.size() || strncmp(header.key, aard__snapshot_key(), sizeof header.key))
        return aard__error(AARD_ERR_ENGINE, "the start-up snapshot is another engine's: this is '%s'",
                           aard__snapshot_key());
    auto *snapshot = new (std::nothrow) aard__snapshot;
    if (!snapshot) return aard__error_no_memory();
    snapshot->blob.data = static_cast<const char *>(data) + sizeof header;
    snapshot->blob.raw_size = static_cast<int>(header.len);
    snapshot->references = std::move(list);
    if (!snapshot->blob.IsValid()) {
        delete snapshot;
        return aard__error(AARD_ERR_ENGINE, "the engine refuses the start-up snapshot");
    }
    *out = snapshot;
    return nullptr;
}

void aard__snapshot_free(aard__snapshot *snapshot) { delete snapshot; }

} // extern "C"

AARD__PROCESS_KEEPS(snapshot_key, "the key of snapshots", "key_once snapshot_key");
