// What vms do about a fork: a template's children must not go on with the same random numbers.  V8 has no interface for that; its
// library exports what it uses itself.
#include <cmath>
#include <mutex>

#include <sodium.h>

#include "base/process.h"
#include "engine/vm.hh"

extern "C" {
// v8::internal::Isolate::random_number_generator(), v8::base::RandomNumberGenerator::SetSeed(int64_t),
// v8::internal::MathRandom::ResetContext(Context): the numbers drawn ahead are forgotten, and new ones begin with a seed of the
// generator's.
void *aard__v8_generator(v8::Isolate *isolate) asm("_ZN2v88internal7Isolate23random_number_generatorEv")
    __attribute__((weak));
void aard__v8_set_seed(void *generator, int64_t seed) asm("_ZN2v84base21RandomNumberGenerator7SetSeedEl")
    __attribute__((weak));
void aard__v8_reset_math_random(uintptr_t native_context) asm("_ZN2v88internal10MathRandom12ResetContextENS0_7ContextE")
    __attribute__((weak));
}

namespace {

std::mutex lock;
aard__vm *first;

void seed_anew(aard__vm *vm)
{
    int64_t seed;
    randombytes_buf(&seed, sizeof seed);
    aard__v8_set_seed(aard__v8_generator(vm->isolate), seed);
}

void forget_numbers(v8::Local<v8::Context> context)
{
    aard__v8_reset_math_random(*reinterpret_cast<uintptr_t *>(*context)); // a handle is the place of a pointer
}

void renew_vm(aard__vm *vm)
{
    aard__vm_enter(vm);
    {
        v8::HandleScope handles(vm->isolate);
        seed_anew(vm);
        for (aard__realm *realm : vm->realms) forget_numbers(realm->context.Get(vm->isolate));
    }
    aard__vm_leave(vm);
}

constexpr int64_t kKnownSeed = 1;

// What the realm's Math.random gives where its numbers begin with the known seed; NaN where it gives none.
double draw_known(aard__realm *realm)
{
    v8::Isolate *isolate = realm->vm->isolate;
    v8::Local<v8::Context> context = realm->context.Get(isolate);
    v8::Context::Scope scope(context);
    v8::TryCatch catcher(isolate);
    v8::Local<v8::Value> number;
    aard__v8_set_seed(aard__v8_generator(isolate), kKnownSeed);
    bool drawn = !realm->random.IsEmpty() &&
                 realm->random.Get(isolate)->Call(context, v8::Undefined(isolate), 0, nullptr).ToLocal(&number);
    forget_numbers(context);
    seed_anew(realm->vm);
    return drawn && number->IsNumber() ? number.As<v8::Number>()->Value() : NAN;
}

v8::Local<v8::Value> find_random(v8::Isolate *isolate, v8::Local<v8::Context> context)
{
    v8::Context::Scope scope(context);
    v8::TryCatch catcher(isolate);
    v8::Local<v8::Value> math, function;
    if (!context->Global()->Get(context, aard::string(isolate, "Math")).ToLocal(&math) || !math->IsObject() ||
        !math.As<v8::Object>()->Get(context, aard::string(isolate, "random")).ToLocal(&function))
        return {};
    return function;
}

void renew()
{
    for (aard__vm *vm = first; vm; vm = vm->next_vm)
        if (!vm->abandoned) renew_vm(vm);
}

// V8 has plans for later: some seconds after a collection it begins another.  Done here it is done once, not in each child.
void pump(void *user) { aard__vm_pump(static_cast<aard__vm *>(user)); }

aard_error *rest()
{
    if (aard::entered) return aard__error(AARD_ERR_BUSY, "a guest is under way; fork the template between two calls");
    for (aard__vm *vm = first; vm; vm = vm->next_vm) {
        bool finished = true;
        if (vm->abandoned) continue;
        if (aard_error *error = aard__vm_run(vm, pump, vm, &finished)) return error;
        if (!finished) return aard__error(AARD_ERR_ENGINE, "a guest of the template could not go on between two calls");
    }
    return nullptr;
}

AARD__PROCESS_STATE(vms, "random numbers of the engine's vms", "lock first", AARD__FORK_RESET, rest, renew, nullptr);

} // namespace

void aard__realm_watch_random(aard__realm *realm)
{
    v8::Isolate *isolate = realm->vm->isolate;
    v8::HandleScope handles(isolate);
    v8::Local<v8::Value> function = find_random(isolate, realm->context.Get(isolate));
    realm->random.Reset();
    if (!function.IsEmpty() && function->IsFunction()) realm->random.Reset(isolate, function.As<v8::Function>());
    forget_numbers(realm->context.Get(isolate));
    realm->first_random = draw_known(realm);
}

// The first number draws a seed: where that has been done, another one comes.
bool aard__realm_has_drawn(aard__realm *realm)
{
    v8::HandleScope handles(realm->vm->isolate);
    bool same = draw_known(realm) == realm->first_random; // NaN never is
    realm->random.Reset();
    return !same;
}

namespace aard {

void list_vm(aard__vm *vm)
{
    std::lock_guard<std::mutex> hold(lock);
    vm->next_vm = first;
    if (first) first->previous_vm = vm;
    first = vm;
}

void delist_vm(aard__vm *vm)
{
    std::lock_guard<std::mutex> hold(lock);
    if (vm->previous_vm)
        vm->previous_vm->next_vm = vm->next_vm;
    else
        first = vm->next_vm;
    if (vm->next_vm) vm->next_vm->previous_vm = vm->previous_vm;
}

bool can_renew() { return aard__v8_generator && aard__v8_set_seed && aard__v8_reset_math_random; }

} // namespace aard
